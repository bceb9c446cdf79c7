/** Where a cluster is and how to prove who one is. */
import type { ExecPlugin } from './exec-plugin.ts'

/** All that a client needs of a kubeconfig. PEM texts, not paths. */
export interface Connection {
  /** `https://host:port[/prefix]`; `http:` is allowed for tests and local proxies. */
  readonly server: string
  /** Trusted authorities. @default the system's */
  readonly ca?: string
  /** Do not check the server's certificate. @default false */
  readonly insecureSkipTlsVerify?: boolean
  /** The name to check the certificate against and to send by SNI. @default the host of `server` */
  readonly tlsServerName?: string
  readonly clientCertificate?: string
  readonly clientKey?: string
  readonly token?: string
  /** Read again when it changes; wins over `token`. */
  readonly tokenFile?: string
  /** A program that gives a token or a client certificate; only without any of the others. */
  readonly exec?: ExecPlugin
  readonly username?: string
  readonly password?: string
  /** The namespace that commands act in. */
  readonly namespace?: string
}
