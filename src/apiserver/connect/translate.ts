/**
 * Commands over WebSocket for kubelets that speak SPDY alone: channels become streams, and the command's end becomes a
 * status on the error channel.
 */
import type { Duplex } from 'node:stream'
import { errors, type Status } from '../../machinery/status.ts'
import type { Reply } from '../http/reply.ts'
import { handshake } from '../http/websocket-frames.ts'
import { DialledAgent, openStreamed } from '../dial/streamed.ts'
import { Channels, ERROR, PROTOCOL, RESIZE, STDERR, STDIN, STDOUT } from './channels.ts'
import { SpdyClient } from './spdy.ts'

/** v1.PodExecOptions and v1.PodAttachOptions, as far as they name streams. */
export interface StreamOptions {
  readonly stdin?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly tty?: boolean
}

export interface Translation {
  readonly reply: Reply
  /** Of the kubelet, with the query. */
  readonly target: string
  /** `https://1.2.3.4:10250`, for errors. */
  readonly origin: string
  readonly streams: StreamOptions
  readonly signal: AbortSignal
  dial(): Promise<Duplex>
}

/** What a kubelet may choose from. */
const SPOKEN = [5, 4, 3, 2].map((version) => `v${version}.channel.k8s.io`).concat('channel.k8s.io')
/** Bytes of what stands on the error stream, and of a refusal. */
const MAX_STATUS = 64 * 1024

/** Answers the exchange. Failures from the handshake on are told on the error channel. @throws StatusError */
export async function translate({ reply, target, origin, streams, signal, dial }: Translation): Promise<void> {
  const head = handshake(reply.exchange, { 'Sec-WebSocket-Protocol': PROTOCOL })
  const socket = reply.takeOver(101)
  const gone = Promise.withResolvers<undefined>()
  let session: Session | undefined
  const channels: Channels = new Channels(socket, head, {
    data: (channel, piece) => session?.fromClient(channel, piece),
    end: (channel) => session?.clientEnded(channel),
    close: () => gone.resolve(undefined),
  })
  // What a client types before the command runs waits in its connection.
  channels.pause()
  // The client learns that it is connected.
  channels.write(streams.stdout === true ? STDOUT : streams.stderr === true ? STDERR : ERROR, Buffer.alloc(0))
  try {
    const connected = await connect(dial, target, origin, signal)
    session = new Session(connected.socket, connected.head, channels, streams)
    channels.resume()
    const status = await Promise.race([session.ended, gone.promise])
    if (status !== undefined) channels.write(ERROR, Buffer.from(JSON.stringify(status)))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    channels.write(ERROR, Buffer.from(JSON.stringify(errors.internal(why).status)))
  } finally {
    session?.close()
    channels.close()
  }
}

async function connect(dial: () => Promise<Duplex>, target: string, origin: string, signal: AbortSignal) {
  const headers = {
    host: origin.slice('https://'.length),
    connection: 'Upgrade',
    upgrade: 'SPDY/3.1',
    'x-stream-protocol-version': [...SPOKEN],
  }
  const request = { method: 'POST', path: target, headers, signal }
  const streamed = await openStreamed(new DialledAgent(dial), request).catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`error sending request: Post ${JSON.stringify(origin + target)}: ${why}`, { cause: error })
  })
  const { response } = streamed
  if (streamed.socket !== undefined) {
    if (response.headers.upgrade?.toLowerCase().includes('spdy/3.1') === true) return streamed
    streamed.socket.destroy()
    throw new Error('unable to upgrade connection: empty server response')
  }
  let text = ''
  for await (const piece of response) {
    text += String(piece)
    if (text.length > MAX_STATUS) break
  }
  response.destroy()
  throw new Error(`unable to upgrade connection: ${refusal(text)}`)
}

function refusal(text: string): string {
  try {
    const { message = '', error = '' } = JSON.parse(text) as { message?: unknown; error?: unknown }
    const told = [message, error].find((each) => typeof each === 'string' && each.trim() !== '')
    if (typeof told === 'string') return told.trim()
  } catch {
    // It is shown as it is.
  }
  return text.trim() === '' ? 'empty server response' : text.trim()
}

/** The streams of one command. */
class Session {
  /** The status for the client. */
  readonly ended: Promise<Partial<Status>>
  readonly #spdy: SpdyClient
  readonly #channels: Channels
  readonly #error: number
  readonly #stdin: number | undefined
  readonly #resize: number | undefined
  /** Channels by stream. */
  readonly #output = new Map<number, number>()
  readonly #open = new Set<number>()
  readonly #told: Buffer[] = []
  #size = 0
  #resolve: (status: Partial<Status>) => void

  constructor(socket: Duplex, head: Buffer, channels: Channels, { stdin, stdout, stderr, tty }: StreamOptions) {
    const { promise, resolve } = Promise.withResolvers<Partial<Status>>()
    this.ended = promise
    this.#resolve = resolve
    this.#channels = channels
    this.#spdy = new SpdyClient(socket, head, {
      data: (stream, piece) => this.#fromServer(stream, piece),
      end: (stream) => this.#serverEnded(stream),
      close: () => this.#broken(),
    })
    const open = (streamtype: string): number => this.#spdy.open({ streamtype })
    this.#error = open('error')
    this.#stdin = stdin === true ? open('stdin') : undefined
    if (stdout === true) this.#output.set(open('stdout'), STDOUT)
    if (stderr === true && tty !== true) this.#output.set(open('stderr'), STDERR)
    this.#resize = tty === true ? open('resize') : undefined
    for (const stream of [this.#error, ...this.#output.keys()]) this.#open.add(stream)
    // Whoever is slow holds up the other one's connection, and no memory here.
    channels.onDrain(() => this.#spdy.resume())
    this.#spdy.onDrain(() => channels.resume())
  }

  fromClient(channel: number, piece: Buffer): void {
    const stream = channel === STDIN ? this.#stdin : channel === RESIZE ? this.#resize : undefined
    if (stream !== undefined && !this.#spdy.write(stream, piece)) this.#channels.pause()
  }

  clientEnded(channel: number): void {
    if (channel === STDIN && this.#stdin !== undefined) this.#spdy.end(this.#stdin)
  }

  close(): void {
    this.#spdy.close()
  }

  #fromServer(stream: number, piece: Buffer): void {
    const channel = this.#output.get(stream)
    if (channel !== undefined) {
      if (!this.#channels.write(channel, piece)) this.#spdy.pause()
    } else if (stream === this.#error && this.#size < MAX_STATUS) {
      this.#told.push(Buffer.from(piece))
      this.#size += piece.length
    }
  }

  #serverEnded(stream: number): void {
    if (this.#open.delete(stream) && this.#open.size === 0)
      this.#resolve(resultOf(Buffer.concat(this.#told).toString()))
  }

  #broken(): void {
    if (this.#open.size === 0) return
    // A status that has come tells more than that the connection ended behind it.
    const told = Buffer.concat(this.#told).toString()
    this.#resolve(
      told === '' ? errors.internal('error reading from error stream: unexpected EOF').status : resultOf(told),
    )
  }
}

/** What the client is told of what a command's error stream said. */
function resultOf(told: string): Partial<Status> {
  if (told === '') return { metadata: {}, status: 'Success' }
  let status: Partial<Status>
  try {
    status = JSON.parse(told) as Partial<Status>
  } catch (error) {
    return failed(`error stream protocol error: ${(error as Error).message} in ${JSON.stringify(told)}`)
  }
  if (status.status === 'Success') return { metadata: {}, status: 'Success' }
  if (status.status !== 'Failure') return failed('error stream protocol error: unknown error')
  if (status.reason !== 'NonZeroExitCode') return failed(status.message ?? '')
  const code = status.details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message
  if (code === undefined) return failed('error stream protocol error: no ExitCode cause given')
  if (!/^[0-9]{1,3}$/.test(code) || Number(code) > 255)
    return failed(`error stream protocol error: invalid exit code value ${JSON.stringify(code)}`)
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${Number(code)}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: code }] },
  }
}

const failed = (message: string): Partial<Status> => errors.internal(message).status
