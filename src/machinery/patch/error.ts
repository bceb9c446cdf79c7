/** Why a patch cannot be applied. */
import { errors, StatusError } from '../status.ts'

/**
 * `BadRequest`: the patch itself is malformed (400). `Invalid`: it does not fit the object (422).
 * `RequestEntityTooLarge`: more than the allowed work (413). `Unknown`: what upstream answers with 500 and the text.
 */
export type PatchReason = 'BadRequest' | 'Invalid' | 'RequestEntityTooLarge' | 'Unknown'

/** `message` says what is wrong. {@link patchStatus} is what goes to the client. */
export class PatchError extends Error {
  readonly reason: PatchReason

  constructor(reason: PatchReason, message: string) {
    super(message)
    this.name = 'PatchError'
    this.reason = reason
  }
}

/** The answer of an API server to a patch error, worded as upstream's (a 422 hides the cause there). */
export function patchStatus({ reason, message }: PatchError): StatusError {
  if (reason === 'BadRequest') return errors.badRequest(message)
  if (reason === 'RequestEntityTooLarge') return errors.requestEntityTooLarge(`Request entity too large: ${message}`)
  const failure = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure' } as const
  if (reason === 'Unknown') return new StatusError({ ...failure, message, code: 500 })
  const text = 'the server rejected our request due to an error in our request'
  return new StatusError({ ...failure, message: text, reason: 'Invalid', details: {}, code: 422 })
}
