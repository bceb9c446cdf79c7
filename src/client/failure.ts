/** What a failed request becomes. */
import { StatusError } from '../machinery/status.ts'
import type { Status } from '../machinery/status.ts'

/** A cluster that does not answer: refused, reset, timed out, wrong certificate. `cause` has the details. */
export class ConnectionError extends Error {
  /** The system's code, such as ECONNREFUSED; '' when there is none. */
  readonly code: string

  constructor(server: string, cause: unknown) {
    const { code, message } = cause as { code?: unknown; message?: unknown }
    const known = typeof code === 'string' ? code : ''
    const why = typeof message === 'string' && message !== '' ? message : known
    super(`${server} does not answer: ${why}`, { cause })
    this.name = 'ConnectionError'
    this.code = known
  }
}

const REASONS = new Map<number, [reason: string, message: string]>([
  [400, ['BadRequest', 'the server rejected our request for an unknown reason']],
  [401, ['Unauthorized', 'the server has asked for the client to provide credentials']],
  [403, ['Forbidden', 'access to the resource is forbidden']],
  [404, ['NotFound', 'the server could not find the requested resource']],
  [405, ['MethodNotAllowed', 'the server does not allow this method on the requested resource']],
  [406, ['NotAcceptable', 'the server was unable to respond with a content type that the client supports']],
  [409, ['Conflict', 'the server reported a conflict']],
  [410, ['Gone', 'the requested resource is gone']],
  [413, ['RequestEntityTooLarge', 'the request is too large']],
  [415, ['UnsupportedMediaType', 'the server does not support the media type of the request']],
  [422, ['Invalid', 'the server rejected our request due to an error in our request']],
  [429, ['TooManyRequests', 'the server has received too many requests and has asked us to try again later']],
  [503, ['ServiceUnavailable', 'the server is currently unable to handle the request']],
  [504, ['Timeout', 'the server was unable to return a response in the time allotted, but may still be processing it']],
])

function isStatus(value: unknown): value is Status {
  return typeof value === 'object' && value !== null && (value as { kind?: unknown }).kind === 'Status'
}

/** The error in an answer that is no success: the server's own Status, or one made from the code. */
export function failureOf(code: number, body: string, retryAfter: number | undefined): StatusError {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    parsed = undefined
  }
  const [reason, message] = REASONS.get(code) ?? ['InternalError', `the server answered with ${code}`]
  const status: Status = isStatus(parsed)
    ? { ...parsed, code: parsed.code ?? code }
    : {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message: body === '' ? message : `${message}: ${body.slice(0, 1000)}`,
        reason,
        code,
      }
  if (retryAfter !== undefined && status.details?.retryAfterSeconds === undefined) {
    status.details = { ...status.details, retryAfterSeconds: retryAfter }
  }
  return new StatusError(status)
}
