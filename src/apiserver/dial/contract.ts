/**
 * How the API server calls somebody outside: admission and conversion webhooks, aggregated API servers. Where a Service
 * is reached is pluggable, because in a virtual cluster its pods run on the host.
 */
import type { Duplex } from 'node:stream'

/** Who is called: a URL (`https:` only), or a port of a Service. */
export type Destination =
  | { readonly url: string }
  | {
      readonly service: {
        readonly namespace: string
        readonly name: string
        /** @default 443 */
        readonly port?: number
        readonly path?: string
      }
    }

/** Where a Service answers. `serverName` (for TLS) stays `<name>.<namespace>.svc`, whatever the address is. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Finds an address for a Service by look-up of what is stored. @throws Error with upstream's text when it has none */
export interface ServiceResolver {
  resolve(namespace: string, name: string, port: number): Address | Promise<Address>
}

export interface CallOptions {
  readonly destination: Destination
  /** PEM bundle; nobody else is trusted then. @default the authorities of the system and of Node */
  readonly caBundle?: string
  /** For aggregated servers that are called without check of their certificate. @default false */
  readonly insecure?: boolean
  /** PEM of a client certificate (front proxy). @default none */
  readonly client?: { readonly certificate: string; readonly key: string }
  readonly method: string
  /** Appended to the destination's path, without the question mark: `timeout=10s`. */
  readonly query?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** Milliseconds for all of it: waiting for a turn, name, connection, answer. */
  readonly timeout: number
  readonly signal?: AbortSignal
  /** Bytes of an answer that are taken. @default 8 MiB */
  readonly maxAnswer?: number
}

/** Somebody who was found by look-up: a kubelet, a pod. */
export interface EndpointOptions {
  /** An address, or a name that is looked up. */
  readonly host: string
  readonly port: number
  /** Without TLS. @default false */
  readonly plain?: boolean
  /** Without a check of the certificate. @default false */
  readonly insecure?: boolean
  /** PEM of a client certificate. @default none */
  readonly client?: { readonly certificate: string; readonly key: string }
  /** Called with the addresses of the host before any is dialled; what it throws is the result. @default none */
  readonly vet?: (addresses: readonly string[]) => void
  /** Milliseconds for the connecting. */
  readonly timeout: number
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/**
 * The calls of one cluster. Guarantees: connections are pooled by destination and trust, bounded in number and age; one
 * destination that hangs blocks nobody else; redirects are not followed; proxies of the environment are not used;
 * addresses that the cluster may not reach are refused after names are resolved, whoever named them.
 *
 * Spoken is HTTP/1.1, as upstream does with webhooks; servers that also speak HTTP/2 are asked for 1.1 by ALPN.
 */
export interface Dialler {
  /**
   * An answer of any status code. Bodies come as they are: no encoding is asked for.
   *
   * @throws Error whose message is what upstream's client says after the address: `context deadline exceeded`,
   *   `tls: failed to verify certificate: x509: …`, `dial tcp 10.0.0.1:443: connect: connection refused`,
   *   `service "x" not found`; or the signal's reason
   */
  call(options: CallOptions): Promise<Answer>
  /**
   * A TLS connection (ALPN `http/1.1`) for what is spliced or streamed: aggregated watches, upgrades. The caller owns
   * and ends it; `timeout` is for the connecting alone, `signal` too.
   *
   * @throws Error as {@link call}
   */
  connect(
    options: Pick<CallOptions, 'destination' | 'caBundle' | 'insecure' | 'client' | 'timeout' | 'signal'>,
  ): Promise<Duplex>
  /** A connection to an endpoint, as {@link connect}. */
  dial(options: EndpointOptions): Promise<Duplex>
  close(): Promise<void>
}
