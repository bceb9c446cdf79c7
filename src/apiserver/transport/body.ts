/** Reading a request's body: whole, bounded, in time. */
import type { Readable } from 'node:stream'
import { errors, type StatusError } from '../../machinery/status.ts'

/** A body that is being read. */
export interface BodyRead {
  readonly promise: Promise<Buffer>
  /** Gives up: the promise rejects. */
  fail(error: StatusError): void
}

export function tooLarge(limit: number): StatusError {
  return errors.requestEntityTooLarge(`Request entity too large: limit is ${limit}`)
}

export function bodyTimeout(): StatusError {
  return errors.timeout('Timeout: request did not complete within the allotted timeout')
}

/**
 * Collects what `source` gives, at most `limit` bytes; what comes behind that is not kept.
 *
 * @param isWhole asked at the end: a stream that was cut off also ends
 */
export function readBody(source: Readable, limit: number, isWhole: () => boolean): BodyRead {
  let settle: { resolve(body: Buffer): void; reject(error: StatusError): void }
  const promise = new Promise<Buffer>((resolve, reject) => {
    settle = { resolve, reject }
  })
  const pieces: Buffer[] = []
  let size = 0
  const done = (): void => {
    source.off('data', onData).off('end', onEnd).off('close', onClose)
  }
  const fail = (error: StatusError): void => {
    done()
    source.pause()
    settle.reject(error)
  }
  const onData = (piece: Buffer): void => {
    size += piece.length
    if (size > limit) fail(tooLarge(limit))
    else pieces.push(piece)
  }
  const onEnd = (): void => {
    if (!isWhole()) return onClose()
    done()
    settle.resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size))
  }
  const onClose = (): void => fail(errors.badRequest('unexpected EOF'))
  source.on('data', onData).on('end', onEnd).on('close', onClose)
  if (source.destroyed) onClose()
  // An empty body that came in one piece with its head has ended, unheard.
  else if (source.readableEnded) onEnd()
  return { promise, fail }
}
