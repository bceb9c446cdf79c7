/**
 * How the API server calls somebody outside: admission and conversion webhooks, aggregated API servers. Where a Service
 * is reached is pluggable, because in a virtual cluster its pods run on the host.
 */
import type { Duplex } from 'node:stream'

/** Who is called: a URL, or a port of a Service. */
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
  /** PEM bundle. @default the system's authorities */
  readonly caBundle?: string
  /** For aggregated servers that are called without check of their certificate. @default false */
  readonly insecure?: boolean
  /** PEM of a client certificate (front proxy). @default none */
  readonly client?: { readonly certificate: string; readonly key: string }
  readonly method: string
  /** Appended to the destination's path: `?timeout=10s`. */
  readonly query?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: Buffer | string
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal
  /** Bytes of an answer that are taken. @default 8 MiB */
  readonly maxAnswer?: number
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/**
 * Calls. Guarantees: connections are pooled by destination and trust, bounded in number and age; one destination that
 * hangs blocks nobody else; redirects are not followed; proxies of the environment are not used.
 */
export interface Dialler {
  /** @throws Error whose message is what upstream's client says: `context deadline exceeded`, `x509: …`, `dial tcp …` */
  call(options: CallOptions): Promise<Answer>
  /** A TLS connection for what is spliced or streamed (aggregated watches, upgrades). */
  connect(
    options: Pick<CallOptions, 'destination' | 'caBundle' | 'insecure' | 'client' | 'timeout' | 'signal'>,
  ): Promise<Duplex>
  close(): Promise<void>
}
