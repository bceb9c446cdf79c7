/** The connections of one identity to one server. */
import { createSecureContext } from 'node:tls'
import type { Pool } from 'undici'
import type { Connection } from './connection.ts'
import type { Credential } from './credentials.ts'
import { undici } from './undici.ts'

export interface PoolOptions {
  /** Connections for short calls, at most. */
  readonly connections: number
  /** Milliseconds. */
  readonly timeout: number
}

/** Shorter than kube-apiserver's 90 s, so that no call meets a connection that the server is closing. */
const IDLE = 55_000
/** Bytes of one answer: JavaScript holds no longer text. */
const MAX_ANSWER = 511 * 1024 * 1024

/** Short calls share kept-alive connections; every stream has one of its own, so that nothing waits behind it. */
export class Pools {
  readonly calls: Pool
  readonly streams: Pool

  /** @throws Error when certificate or key are unusable */
  constructor(connection: Connection, { certificate, key }: Credential, { connections, timeout }: PoolOptions) {
    const { origin, protocol } = new URL(connection.server)
    // Made once: reading certificates costs more than a handshake.
    const secureContext =
      protocol === 'https:'
        ? createSecureContext({
            ...(connection.ca === undefined ? {} : { ca: connection.ca }),
            ...(certificate === undefined ? {} : { cert: certificate }),
            ...(key === undefined ? {} : { key }),
          })
        : undefined
    const connect = {
      timeout: 10_000,
      keepAlive: true,
      keepAliveInitialDelay: 30_000,
      rejectUnauthorized: connection.insecureSkipTlsVerify !== true,
      ...(secureContext === undefined ? {} : { secureContext }),
      ...(connection.tlsServerName === undefined ? {} : { servername: connection.tlsServerName }),
    }
    const common = { allowH2: false, connect, headersTimeout: timeout, keepAliveTimeout: IDLE }
    this.calls = new (undici().Pool)(origin, {
      ...common,
      connections,
      bodyTimeout: timeout,
      maxResponseSize: MAX_ANSWER,
    })
    this.streams = new (undici().Pool)(origin, { ...common, bodyTimeout: 0 })
  }

  /** Ends when what is under way has ended. */
  async retire(): Promise<void> {
    await Promise.all([this.calls.close(), this.streams.close()])
  }

  /** Ends at once. */
  async destroy(): Promise<void> {
    await Promise.all([this.calls.destroy(), this.streams.destroy()])
  }
}
