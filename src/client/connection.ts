/** Where a cluster is and how to prove who one is. */
import { readFileSync, statSync } from 'node:fs'

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
  readonly username?: string
  readonly password?: string
  /** The namespace that commands act in. */
  readonly namespace?: string
}

/** How long a token file is believed without a look, in milliseconds. */
const TOKEN_AGE = 10_000

/** The Authorization header of a connection. */
export class Authorization {
  readonly #connection: Connection
  readonly #now: () => number
  #token = ''
  #read = Number.NEGATIVE_INFINITY
  #modified = -1

  constructor(connection: Connection, now: () => number) {
    this.#connection = connection
    this.#now = now
  }

  /** @throws Error when a token file cannot be read and none was read before */
  header(): string | undefined {
    const { token, tokenFile, username, password } = this.#connection
    if (tokenFile !== undefined) return `Bearer ${this.#fromFile(tokenFile)}`
    if (token !== undefined) return `Bearer ${token}`
    if (username === undefined) return undefined
    return `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  }

  #fromFile(file: string): string {
    const now = this.#now()
    if (now - this.#read < TOKEN_AGE) return this.#token
    this.#read = now
    try {
      const modified = statSync(file).mtimeMs
      if (modified !== this.#modified) {
        this.#token = readFileSync(file, 'utf8').trim()
        this.#modified = modified
      }
    } catch (error) {
      if (this.#token === '') throw new Error(`cannot read the token file ${file}`, { cause: error })
    }
    return this.#token
  }
}
