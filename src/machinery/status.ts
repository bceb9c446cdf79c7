/**
 * The one table of API errors: each becomes a `Status` object with Kubernetes' own
 * code, reason and wording (k8s.io/apimachinery/pkg/api/errors), which clients match.
 */
import type { FieldError } from './field.ts'
import { goQuote } from './quote.ts'

export interface StatusCause {
  reason?: string
  message?: string
  field?: string
}

export interface StatusDetails {
  name?: string
  group?: string
  kind?: string
  uid?: string
  causes?: StatusCause[]
  retryAfterSeconds?: number
}

/** metav1.Status */
export interface Status {
  kind: 'Status'
  apiVersion: 'v1'
  metadata: { continue?: string }
  status: 'Success' | 'Failure'
  message?: string
  reason?: string
  details?: StatusDetails
  code: number
}

/** An error that an API server answers, or a client received. `status` is the wire object. */
export class StatusError extends Error {
  readonly status: Status

  constructor(status: Status) {
    super(status.message ?? status.reason ?? 'error')
    this.name = 'StatusError'
    this.status = status
  }

  get code(): number {
    return this.status.code
  }

  get reason(): string {
    return this.status.reason ?? ''
  }
}

/** A resource as errors name it: `pods`, `deployments.apps`. */
export interface GroupResource {
  group: string
  resource: string
}

/** `pods`, `deployments.apps` */
export function qualified(gr: GroupResource): string {
  return gr.group === '' ? gr.resource : `${gr.resource}.${gr.group}`
}

function failure(code: number, reason: string, message: string, details?: StatusDetails): StatusError {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  if (details !== undefined) status.details = details
  return new StatusError(status)
}

function details(gr: GroupResource, name: string): StatusDetails {
  const out: StatusDetails = {}
  if (name !== '') out.name = name
  if (gr.group !== '') out.group = gr.group
  if (gr.resource !== '') out.kind = gr.resource
  return out
}

/** The constructors, by Kubernetes reason. */
export const errors = {
  badRequest: (message: string) => failure(400, 'BadRequest', message),

  unauthorized: () => failure(401, 'Unauthorized', 'Unauthorized'),

  /** `pods "x" is forbidden: why`; without a name `pods is forbidden: why` */
  forbidden: (gr: GroupResource, name: string, why: string, causes?: StatusCause[]) => {
    const subject =
      gr.resource === ''
        ? 'forbidden'
        : name === ''
          ? `${qualified(gr)} is forbidden`
          : `${qualified(gr)} ${goQuote(name)} is forbidden`
    const d = details(gr, name)
    if (causes !== undefined) d.causes = causes
    return failure(403, 'Forbidden', `${subject}: ${why}`, d)
  },

  notFound: (gr: GroupResource, name: string) =>
    failure(404, 'NotFound', `${qualified(gr)} ${goQuote(name)} not found`, details(gr, name)),

  /** No such path or resource at all. */
  notFoundPath: () => failure(404, 'NotFound', 'the server could not find the requested resource', {}),

  methodNotAllowed: (gr: GroupResource, verb: string) =>
    failure(
      405,
      'MethodNotAllowed',
      `${verb} is not supported on resources of kind ${goQuote(qualified(gr))}`,
      details(gr, ''),
    ),

  notAcceptable: (supported: readonly string[]) =>
    failure(406, 'NotAcceptable', `only the following media types are accepted: ${supported.join(', ')}`),

  /** What upstream's router refuses before a handler sees it: `415: Unsupported Media Type`. */
  unroutable: (code: 406 | 415, why: string) =>
    failure(code, code === 406 ? 'NotAcceptable' : 'UnsupportedMediaType', `${code}: ${why}`, {}),

  /** A form that an answer does not have. */
  notAcceptableForm: (message: string) => failure(406, 'NotAcceptable', message),

  unsupportedMediaType: (supported: readonly string[]) =>
    failure(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`,
    ),

  alreadyExists: (gr: GroupResource, name: string) =>
    failure(409, 'AlreadyExists', `${qualified(gr)} ${goQuote(name)} already exists`, details(gr, name)),

  conflict: (gr: GroupResource, name: string, why = MODIFIED) =>
    failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(gr)} ${goQuote(name)}: ${why}`,
      details(gr, name),
    ),

  /** 409 of server-side apply: a cause for each field that somebody else manages. */
  applyConflict: (message: string, causes: StatusCause[]) => failure(409, 'Conflict', message, { causes }),

  /** 500 without a reason: what upstream makes of an error that is no API error. */
  unknown: (message: string) => {
    const error = failure(500, '', message)
    delete error.status.reason
    return error
  },

  /** 422; `kind` is the Kind, as upstream has it here. */
  invalid: (gk: { group: string; kind: string }, name: string, list: readonly FieldError[]) => {
    const texts = list.map((e) => `${e.field}: ${e.message}`)
    const joined = texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
    const d: StatusDetails = {
      causes: list.map((e) => ({ reason: e.type, message: e.message, field: e.field })),
    }
    if (gk.kind !== '') d.kind = gk.kind
    if (name !== '') d.name = name
    if (gk.group !== '') d.group = gk.group
    const kind = gk.group === '' ? gk.kind : `${gk.kind}.${gk.group}`
    return failure(422, 'Invalid', `${kind} ${goQuote(name)} is invalid: ${joined}`, d)
  },

  /** 410: a resource version or continue token is too old; `next` is a fresh continue token. */
  expired: (message: string, next?: string) => {
    const error = failure(410, 'Expired', message)
    if (next !== undefined) error.status.metadata.continue = next
    return error
  },

  /** 504: the asked resource version lies in the future. Reflectors match the cause. */
  tooLargeResourceVersion: (asked: number, current: number, retryAfterSeconds?: number) =>
    failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    }),

  timeout: (message: string) => failure(504, 'Timeout', message),

  requestEntityTooLarge: (message: string) => failure(413, 'RequestEntityTooLarge', message),

  tooManyRequests: (message: string, retryAfterSeconds: number, causes?: StatusCause[]) => {
    const d: StatusDetails = { retryAfterSeconds }
    if (causes !== undefined) d.causes = causes
    return failure(429, 'TooManyRequests', message, d)
  },

  internal: (message: string) =>
    failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] }),

  serviceUnavailable: (message: string) => failure(503, 'ServiceUnavailable', message),
} as const

const MODIFIED = 'the object has been modified; please apply your changes to the latest version and try again'

/** The answer to a finished delete. */
export function success(d: StatusDetails): Omit<Status, 'code'> {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details: d }
}

/** Whether an error is a StatusError with this reason. */
export function isReason(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason
}
