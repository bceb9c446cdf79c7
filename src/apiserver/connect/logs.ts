/** `pods/log`: from whoever simulates the pod's node, else from the node's kubelet. */
import type { KubeObject } from '../../machinery/object.ts'
import { forbidden, invalid, type FieldError } from '../../machinery/field.ts'
import { errors, StatusError, type Status } from '../../machinery/status.ts'
import { DialledAgent, openStreamed, textUpTo } from '../dial/streamed.ts'
import { forwardAnswer } from '../http/forward.ts'
import type { Query } from '../http/query.ts'
import type { Reply } from '../http/reply.ts'
import { containerOf, kubeletOf, nodeNameOf, type Objects, type Place } from './place.ts'
import { dialPlace, hostOf, withConnection, type Proxying } from './proxy.ts'
import { escapePath } from './paths.ts'

/** v1.PodLogOptions with the container that is meant. */
export interface LogQuery {
  readonly container: string
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  readonly limitBytes: number | undefined
  readonly sinceSeconds: number | undefined
  readonly sinceTime: string | undefined
}

/** Whole, or its bytes as fast as they are read. */
export type Log = string | AsyncIterable<Uint8Array>

/**
 * The log of a pod from elsewhere than a kubelet; undefined: ask the node's kubelet. `node` is absent when there is none
 * of the pod's node name; `signal` fires when the log has been read, or nobody reads it any more.
 * @throws StatusError
 */
export type LogSource = (
  pod: KubeObject,
  query: LogQuery,
  node: KubeObject | undefined,
  signal: AbortSignal,
) => Promise<Log | undefined> | Log | undefined

/** Answers the exchange. @throws StatusError */
export async function answerLog(
  proxying: Proxying,
  objects: Objects,
  source: LogSource,
  { reply, namespace, name, query }: { reply: Reply; namespace: string; name: string; query: Query },
): Promise<void> {
  const asked = logOptions(query, name)
  const pod = objects.pod(namespace, name)
  if (pod === undefined) throw errors.notFound({ group: '', resource: 'pods' }, name)
  const container = containerOf(pod, query.get('container'))
  const nodeName = nodeNameOf(pod)
  if (nodeName === '') return reply.bare(204)
  const node = objects.node(nodeName)
  await withConnection(reply.exchange, async (signal) => {
    const log = await source(pod, { container, ...asked }, node, signal)
    if (log !== undefined) return sendLog(log, reply)
    // Upstream names the resource of the request.
    if (node === undefined) throw errors.notFound({ group: '', resource: 'pods' }, nodeName)
    const path = escapePath(`/containerLogs/${namespace}/${name}/${container}`)
    const text = kubeletQuery(asked)
    await stream(proxying, reply, {
      place: kubeletOf(node),
      target: text === '' ? path : `${path}?${text}`,
      name,
      signal,
    })
  })
}

/** As fast as the client takes it. */
export async function sendLog(log: Log, reply: Reply): Promise<void> {
  if (typeof log === 'string') reply.raw(200, 'text/plain', log)
  else await forwardAnswer(200, { 'content-type': 'text/plain' }, log, reply)
}

interface Kubelet {
  readonly place: Place
  /** The path with its query. */
  readonly target: string
  /** Of the pod. */
  readonly name: string
  readonly signal: AbortSignal
}

async function stream(proxying: Proxying, reply: Reply, { place, target, name, signal }: Kubelet): Promise<void> {
  const agent = new DialledAgent(() => dialPlace(proxying, place, signal))
  const headers = { host: hostOf(place), connection: 'close' }
  const { response } = await openStreamed(agent, { method: 'GET', path: target, headers, signal }).catch(
    (error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      throw errors.unknown(`Get ${JSON.stringify(`https://${hostOf(place)}${target}`)}: ${why}`)
    },
  )
  const { statusCode = 502 } = response
  if (statusCode >= 200 && statusCode <= 206) {
    return forwardAnswer(200, { 'content-type': 'text/plain' }, response, reply)
  }
  throw refusal(statusCode, await textUpTo(response, MAX_REFUSAL), name)
}

/** Bytes of a kubelet's refusal that are told. */
const MAX_REFUSAL = 50_000

/** By code: the reason, and what the client is told instead of the kubelet's words. */
const REFUSALS: Readonly<Record<number, readonly [string, string]>> = {
  401: ['Unauthorized', 'the server has asked for the client to provide credentials'],
  404: ['NotFound', 'the server could not find the requested resource'],
  405: ['MethodNotAllowed', 'the server does not allow this method on the requested resource'],
  409: ['Conflict', 'the server reported a conflict'],
  422: ['Invalid', 'the server rejected our request due to an error in our request'],
  429: ['TooManyRequests', 'the server has received too many requests and has asked us to try again later'],
  503: ['ServiceUnavailable', 'the server is currently unable to handle the request'],
  504: [
    'Timeout',
    'the server was unable to return a response in the time allotted, but may still be processing the request',
  ],
}

/** What upstream makes of a kubelet's answer that is no log. */
function refusal(code: number, text: string, name: string): StatusError {
  if (code === 500) return errors.internal(text)
  if (code === 400) return errors.badRequest(text)
  const [reason, told] = refusalOf(code, text)
  const status: Status = {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `${told} ( pods/log ${name})`,
    ...(reason !== '' && { reason }),
    details: { name, kind: 'pods/log' },
    code,
  }
  return new StatusError(status)
}

function refusalOf(code: number, text: string): readonly [string, string] {
  if (code === 403) return ['Forbidden', text]
  const known = REFUSALS[code]
  if (known !== undefined) return known
  if (code > 500)
    return [
      'InternalError',
      `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`,
    ]
  return ['', `the server responded with the status code ${code} but did not return more information`]
}

/** What a request for the log of the pod `name` asks. @throws StatusError 400, 422 */
export function logOptions(query: Query, name: string): Omit<LogQuery, 'container'> {
  const options = {
    follow: query.flag('follow') ?? false,
    previous: query.flag('previous') ?? false,
    timestamps: query.flag('timestamps') ?? false,
    tailLines: query.integer('tailLines'),
    limitBytes: query.integer('limitBytes'),
    sinceSeconds: query.integer('sinceSeconds'),
    sinceTime: timeOf(query.get('sinceTime')),
  }
  const { tailLines, limitBytes, sinceSeconds, sinceTime } = options
  const wrong: FieldError[] = []
  if (tailLines !== undefined && tailLines < 0)
    wrong.push(invalid('tailLines', tailLines, 'must be greater than or equal to 0'))
  if (limitBytes !== undefined && limitBytes < 1)
    wrong.push(invalid('limitBytes', limitBytes, 'must be greater than 0'))
  if (sinceSeconds !== undefined && sinceTime !== undefined)
    wrong.push(forbidden('[]', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  else if (sinceSeconds !== undefined && sinceSeconds < 1)
    wrong.push(invalid('sinceSeconds', sinceSeconds, 'must be greater than 0'))
  if (query.has('stream')) wrong.push(forbidden('stream', 'may not be specified'))
  if (wrong.length > 0) throw errors.invalid({ group: '', kind: 'PodLogOptions' }, name, wrong)
  return options
}

const LAYOUT = '2006-01-02T15:04:05Z07:00'

/** RFC 3339, to the second. @throws StatusError 400 */
function timeOf(text: string | undefined): string | undefined {
  if (text === undefined || text === '' || text === 'null') return undefined
  const match = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(Z|[+-]\d{2}:\d{2})$/.exec(text)
  const time = match === null ? Number.NaN : Date.parse(text.replace(',', '.'))
  if (!Number.isNaN(time)) return `${new Date(time).toISOString().slice(0, 19)}Z`
  throw errors.badRequest(
    `parsing time ${JSON.stringify(text)} as "${LAYOUT}": cannot parse ${JSON.stringify(text)} as "2006"`,
  )
}

/** In the order of Go's encoder: by name. */
function kubeletQuery(asked: Omit<LogQuery, 'container'>): string {
  const out = new URLSearchParams()
  for (const name of Object.keys(asked).sort() as (keyof typeof asked)[]) {
    const value = asked[name]
    if (value !== undefined && value !== false) out.set(name, String(value))
  }
  return out.toString()
}
