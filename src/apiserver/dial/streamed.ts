/** One request over a connection of a dialler, whose bodies stream in both directions, or which becomes another protocol. */
import type { AgentOptions, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex, Readable } from 'node:stream'

/** Not imported: Node reads every export of an imported module, and one of this one's loads what is not used. */
const http = process.getBuiltinModule('node:http')

export interface StreamedRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  /** @default none */
  readonly body?: Readable
  readonly signal: AbortSignal
}

/** What came back: an ordinary answer, or a connection that speaks another protocol from now on. */
export type Streamed =
  | { readonly response: IncomingMessage; readonly socket?: undefined }
  | { readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }

/** Connections come from a dialler. */
export class DialledAgent extends http.Agent {
  readonly #dial: () => Promise<Duplex>

  constructor(dial: () => Promise<Duplex>, options: AgentOptions = {}) {
    super(options)
    this.#dial = dial
  }

  override createConnection(_options: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    this.#dial().then(
      (stream) => done?.(null, stream),
      (error: Error) => done?.(error, undefined as unknown as Duplex),
    )
  }
}

/** @throws Error when the server cannot be reached or breaks off before its answer begins */
export function openStreamed(
  agent: DialledAgent,
  { method, path, headers, body, signal }: StreamedRequest,
): Promise<Streamed> {
  return new Promise((resolve, reject) => {
    const request = http.request({ agent, method, path, headers, setHost: false, signal })
    request.on('response', (response) => resolve({ response }))
    request.on('upgrade', (response, socket, head) => resolve({ response, socket, head }))
    request.on('error', reject)
    if (body === undefined) {
      request.end()
      return
    }
    // A body that breaks off must not look whole.
    body.once('error', (error) => request.destroy(error))
    body.once('close', () => {
      if (!body.readableEnded) request.destroy(new Error('unexpected EOF'))
    })
    body.pipe(request)
  })
}

/** The text of a body, of which no more than so many bytes are read: a refusal of somebody who is not trusted. */
export async function textUpTo(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    pieces.push(piece)
    size += piece.length
    if (size >= limit) break
  }
  return Buffer.concat(pieces).subarray(0, limit).toString()
}
