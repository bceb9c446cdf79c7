/** One connection to one of several addresses; with TLS, the checks are those of Go's client. */
import { connect as connectTcp, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { checkServerIdentity, connect } from 'node:tls'
import type { SecureContext, TLSSocket } from 'node:tls'
import { certificateFailure, connectFailure } from './failure.ts'

export interface PlainOptions {
  /** Tried in this order. */
  readonly addresses: readonly string[]
  readonly port: number
  readonly signal: AbortSignal
}

export interface SecureOptions extends PlainOptions {
  /** What the certificate must be for, and what is sent by SNI if it is a name. */
  readonly serverName: string
  readonly context: SecureContext
  readonly insecure: boolean
  /** Milliseconds since the epoch. */
  now(): number
}

/** `1.2.3.4:443`, `[::1]:443` */
export const authority = (host: string, port: number): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

/** @throws Error with Go's words: of the first address when none can be reached, as Go has it */
export const connectSecurely = (options: SecureOptions): Promise<TLSSocket> =>
  firstOf(options, (address) => connectTo(address, options))

/** The same without TLS. */
export const connectPlainly = (options: PlainOptions): Promise<Socket> =>
  firstOf(options, (address) => plainTo(address, options))

async function firstOf<S>({ addresses, signal }: PlainOptions, to: (address: string) => Promise<S>): Promise<S> {
  let first: Error | undefined
  for (const address of addresses) {
    try {
      return await to(address)
    } catch (error) {
      signal.throwIfAborted()
      first ??= error as Error
    }
  }
  throw first ?? new Error('no address')
}

function plainTo(address: string, { port, signal }: PlainOptions): Promise<Socket> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connectTcp({ host: address, port, noDelay: true })
  const fail = (error: Error) => {
    signal.removeEventListener('abort', abort)
    socket.on('error', () => undefined).destroy()
    reject(error)
  }
  const abort = () => fail(signal.reason as Error)
  const failed = (error: Error) => fail(connectFailure(error, authority(address, port)))
  signal.addEventListener('abort', abort, { once: true })
  socket.once('error', failed)
  socket.once('connect', () => {
    socket.off('error', failed)
    signal.removeEventListener('abort', abort)
    resolve(socket)
  })
  return promise
}

function connectTo(address: string, options: SecureOptions): Promise<TLSSocket> {
  const { port, serverName, context, insecure, signal, now } = options
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const name = isIP(serverName) === 0 ? serverName : ''
  const socket = connect({
    host: address,
    port,
    servername: name,
    secureContext: context,
    ALPNProtocols: ['http/1.1'],
    minVersion: 'TLSv1.2',
    // Checked below, where the certificate can still be looked at.
    rejectUnauthorized: false,
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
  })
  socket.setNoDelay(true)
  const fail = (error: Error) => {
    signal.removeEventListener('abort', abort)
    // What comes after is of no interest, and must not be unhandled.
    socket.on('error', () => undefined)
    socket.destroy()
    reject(error)
  }
  const abort = () => fail(signal.reason as Error)
  const failed = (error: Error) => fail(connectFailure(error, authority(address, port)))
  const closed = () => fail(new Error('EOF'))
  signal.addEventListener('abort', abort, { once: true })
  socket.once('error', failed)
  socket.once('close', closed)
  socket.once('secureConnect', () => {
    socket.off('error', failed)
    socket.off('close', closed)
    if (!insecure && !socket.authorized) {
      fail(certificateFailure(String(socket.authorizationError), socket, serverName, now()))
      return
    }
    signal.removeEventListener('abort', abort)
    resolve(socket)
  })
  return promise
}
