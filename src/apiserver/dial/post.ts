/**
 * A JSON document posted to a webhook, and the JSON that it answers: what admission and conversion have in common.
 * Failures have the words of client-go's REST client.
 */
import { posix } from 'node:path'
import { decodeJsonBytes, jsonTypeOf } from '../../machinery/codec/json.ts'
import { StatusError } from '../../machinery/status.ts'
import type { Status } from '../../machinery/status.ts'
import type { Destination, Dialler } from './contract.ts'
import { addressOf } from './dialler.ts'

export interface PostOptions {
  readonly destination: Destination
  readonly caBundle?: string
  readonly body: Buffer | string
  /** Milliseconds; told to the webhook in whole seconds, rounded up, as `?timeout=`. */
  readonly timeout: number
  readonly signal?: AbortSignal
  /** Bytes. @default 8 MiB */
  readonly maxAnswer?: number
}

/** Numbers are kept as they were written, which makes objects of some. */
const isObject = (value: unknown): value is Record<string, unknown> => jsonTypeOf(value) === 'object'

/** Bytes of an answer that is no JSON that errors show. */
const SHOWN = 2048

/**
 * @throws StatusError for an answer that is no success, as the server gave it; Error `Post "https://…": …` when there
 *   is none
 */
export async function postJson(dialler: Dialler, options: PostOptions): Promise<Record<string, unknown>> {
  const { caBundle, body, timeout, signal, maxAnswer } = options
  const destination = cleaned(options.destination)
  const query = `timeout=${Math.ceil(timeout / 1000)}s`
  const answer = await dialler
    .call({
      destination,
      ...(caBundle === undefined ? {} : { caBundle }),
      method: 'POST',
      query,
      headers: {
        accept: 'application/json, */*',
        'content-type': 'application/json',
        'user-agent': 'kube-apiserver-admission',
      },
      body,
      timeout,
      ...(signal === undefined ? {} : { signal }),
      ...(maxAnswer === undefined ? {} : { maxAnswer }),
    })
    .catch((error: unknown) => {
      signal?.throwIfAborted()
      throw new Error(`Post ${JSON.stringify(addressOf(destination, query))}: ${(error as Error).message}`, {
        cause: error,
      })
    })
  const { status, headers } = answer
  if (status < 200 || status > 206) throw refusal(status, headers['content-type'], answer.body)
  if (answer.body.length === 0) {
    const type = headers['content-type'] ?? 'application/json'
    throw new Error(`0-length response with status code: ${status} and content type: ${type}`)
  }
  return parsed(answer.body)
}

/** With a path as Go's `path.Join` makes it: one slash where there are several, none at the end. envtest gives two. */
function cleaned(destination: Destination): Destination {
  const clean = (path: string): string => posix.join('/', path).replace(/(?<=.)\/$/, '')
  if ('service' in destination) {
    const { path = '' } = destination.service
    return { service: { ...destination.service, path: clean(path) } }
  }
  const url = URL.parse(destination.url)
  if (url === null) return destination
  url.pathname = clean(url.pathname)
  return { url: url.href }
}

function parsed(body: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    ;({ value } = decodeJsonBytes(body))
  } catch {
    // To upstream it is YAML then: a text.
    value = ''
  }
  if (isObject(value)) return value
  throw new Error(noObject(value))
}

const HEAD = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

/** What upstream says where it expects an object of the API and finds another value. */
export function noObject(value: unknown): string {
  return `couldn't get version/kind; json parse error: json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type ${HEAD}`
}

function refusal(status: number, type: string | undefined, body: Buffer): StatusError {
  const given = statusIn(body)
  if (given !== undefined && given.status !== 'Success')
    return new StatusError({ ...given, code: given.code || status })
  const text = type === undefined || !type.startsWith('text/') ? 'unknown' : body.toString('utf8', 0, SHOWN).trim()
  const [reason, message] = GENERIC.get(status) ?? [
    status >= 500 ? 'InternalError' : 'Unknown',
    status >= 500
      ? `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`
      : `the server responded with the status code ${status} but did not return more information`,
  ]
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: message === '' ? text : message,
    reason,
    details: { causes: [{ reason: 'UnexpectedServerResponse', message: text }] },
    code: status,
  })
}

function statusIn(body: Buffer): Status | undefined {
  try {
    const { value } = decodeJsonBytes(body)
    return isObject(value) && value['kind'] === 'Status' && value['apiVersion'] === 'v1'
      ? (value as unknown as Status)
      : undefined
  } catch {
    return undefined
  }
}

/** Empty messages: the server's text. */
const GENERIC: ReadonlyMap<number, readonly [reason: string, message: string]> = new Map([
  [400, ['BadRequest', 'the server rejected our request for an unknown reason']],
  [401, ['Unauthorized', 'the server has asked for the client to provide credentials']],
  [403, ['Forbidden', '']],
  [404, ['NotFound', 'the server could not find the requested resource']],
  [405, ['MethodNotAllowed', 'the server does not allow this method on the requested resource']],
  [406, ['NotAcceptable', 'the server was unable to respond with a content type that the client supports']],
  [409, ['AlreadyExists', 'the server reported a conflict']],
  [415, ['UnsupportedMediaType', '']],
  [422, ['Invalid', 'the server rejected our request due to an error in our request']],
  [429, ['TooManyRequests', 'the server has received too many requests and has asked us to try again later']],
  [503, ['ServiceUnavailable', 'the server is currently unable to handle the request']],
  [
    504,
    [
      'Timeout',
      'the server was unable to return a response in the time allotted, but may still be processing the request',
    ],
  ],
])
