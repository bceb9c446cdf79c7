/** What goes wrong with a webhook, and what the client hears of it. */
import type { Status } from '../../../machinery/status.ts'
import { errors, StatusError } from '../../../machinery/status.ts'

/** It could not be called, or what it answered makes no sense: the failure policy decides. */
export class CallFailure extends Error {
  /** The code of its answer, or what stands for it where there is none that counts. */
  readonly code: number

  constructor(webhook: string, why: string, code = 503) {
    super(`failed calling webhook ${JSON.stringify(webhook)}: ${why}`)
    this.name = 'CallFailure'
    this.code = code
  }
}

/** What a client hears of a webhook that failed under policy Fail. */
export function failedClosed({ message }: CallFailure): StatusError {
  return errors.internal(message)
}

/** A dry run that would have effects, whatever the failure policy is. */
export function dryRunUnsupported(webhook: string): StatusError {
  return errors.badRequest(`admission webhook ${JSON.stringify(webhook)} does not support dry run`)
}

/** A refusal with the code, reason and details that the webhook gave. */
export function denial(webhook: string, given: Partial<Status> | undefined): StatusError {
  const { message = '', reason = '', code = 0, status = '' } = given ?? {}
  const by = `admission webhook ${JSON.stringify(webhook)} denied the request`
  const why = message === '' ? reason : message
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: given?.metadata ?? {},
    // Whatever else it says: a refusal is no success.
    status: status === '' || status === 'Success' ? 'Failure' : (status as 'Failure'),
    message: why === '' ? `${by} without explanation` : `${by}: ${why}`,
    ...(reason === '' ? {} : { reason }),
    ...(given?.details === undefined ? {} : { details: given.details }),
    code: code < 400 ? 400 : code,
  })
}
