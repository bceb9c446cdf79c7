/**
 * The HTTP layer of one cluster: reads what a request is about, asks who it is, waits for a fair
 * share, and has it answered. Every failure becomes a Status; nothing is thrown past here.
 */
import { StatusError, errors } from '../../machinery/status.ts'
import { forbidden } from '../authz/forbidden.ts'
import { attempted } from '../audit/auditor.ts'
import { noteDecision } from '../audit/decision.ts'
import { isUrgent } from '../flowcontrol/classifier.ts'
import { impersonate } from '../authn/impersonation.ts'
import type { Attributes, UserInfo } from '../contract.ts'
import type { Exchange, Handler } from '../exchange.ts'
import type { Held } from '../fairshare/fairshare.ts'
import type { HandlerOptions } from './contract.ts'
import { answerPath, noSuchPath } from './nonresource.ts'
import { Query } from './query.ts'
import { Reply } from './reply.ts'
import { decodePath, isClean, isLongRunning, parseRequest } from './request.ts'
import type { RequestInfo } from './request.ts'
import { after } from './timers.ts'
import { answerResource } from './verbs.ts'

const TIMEOUT = 60_000
const GZIP_FROM = 128 * 1024

/** Makes the handler of one cluster. It holds nothing per request and owns no timer. */
export function createHandler(options: HandlerOptions): Handler {
  return async (exchange) => {
    const reply = new Reply(exchange, options.gzipFrom ?? GZIP_FROM)
    const started = performance.now()
    let failure: unknown
    let info: RequestInfo = { path: exchange.path, verb: exchange.method.toLowerCase() }
    try {
      const query = new Query(exchange.query)
      const path = decodePath(exchange.path)
      if (isClean(path)) {
        info = parseRequest(exchange.method, path, query)
        await answerInTime(options, info, query, reply)
      } else {
        noSuchPath(path, reply)
      }
    } catch (error) {
      failure = error
      await fail(options, info, reply, error)
    }
    if (reply.audit !== undefined) endAudit(reply, failure)
    const { group = '', version = '', resource = '', subresource = '' } = known(options, info) ?? {}
    const seconds = (performance.now() - started) / 1000
    options.metrics?.observe({ verb: info.verb, group, version, resource, subresource, code: reply.code, seconds })
  }
}

/** Labels of metrics come from the catalog, never from the client. */
function known(options: HandlerOptions, { resource }: RequestInfo) {
  if (resource === undefined) return undefined
  const found = options.api.catalog.find(resource.group, resource.version, resource.resource)
  if (found === undefined) return undefined
  return { ...resource, subresource: found.subresources.has(resource.subresource) ? resource.subresource : '' }
}

async function fail(options: HandlerOptions, info: RequestInfo, reply: Reply, error: unknown): Promise<void> {
  if (reply.exchange.signal.aborted) return
  if (!(error instanceof StatusError)) {
    const fields = { verb: info.verb, path: reply.exchange.path, audit: reply.headers['audit-id'] }
    options.log.error('request failed', { ...fields, error: error instanceof Error ? error.stack : String(error) })
  }
  try {
    await reply.failure(error)
  } catch (again) {
    options.log.warn('answer failed', { path: reply.exchange.path, error: String(again) })
  }
}

/** Milliseconds this request may take. @throws StatusError 400 for a broken `timeout=` */
function allowance(options: HandlerOptions, query: Query): number {
  const limit = options.requestTimeout ?? TIMEOUT
  const asked = query.get('timeout')
  if (asked === undefined || asked === '') return limit
  const duration = parseDuration(asked)
  if (duration === undefined || duration < 0)
    throw errors.badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(asked)}`,
    )
  return duration === 0 ? limit : Math.min(duration, limit)
}

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** Go's duration text, such as `1m30s`, in milliseconds. */
function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  if (text.length > 64 || !/^(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined
  let sum = 0
  for (const [, number, unit] of text.matchAll(/([0-9]+(?:\.[0-9]*)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(number) * UNITS[unit!]!
  return sum
}

async function answerInTime(options: HandlerOptions, info: RequestInfo, query: Query, reply: Reply): Promise<void> {
  if (isLongRunning(info)) return answer(options, info, query, reply, undefined)
  const milliseconds = allowance(options, query)
  const deadline = Promise.withResolvers<'late'>()
  const cancel = after(milliseconds, () => deadline.resolve('late'))
  const work = answer(options, info, query, reply, performance.now() + milliseconds)
  try {
    if ((await Promise.race([work, deadline.promise])) !== 'late') return
  } finally {
    cancel()
  }
  // The verb goes on; its seat is given back when it ends, and nobody hears of its result.
  work.catch((error: unknown) =>
    options.log.warn('failed after its deadline', { path: info.path, error: String(error) }),
  )
  throw errors.timeout('Timeout: request did not complete within the allotted timeout')
}

async function answer(
  options: HandlerOptions,
  info: RequestInfo,
  query: Query,
  reply: Reply,
  /** None for what goes on until somebody ends it. */
  deadline: number | undefined,
): Promise<void> {
  const long = deadline === undefined
  const { exchange } = reply
  const user = await whoAsks(options, info, reply, long)
  const open = long ? options.fairShare?.shares.admitLongRunning(options.fairShare.cluster) : undefined
  const counted = count(options, info, long)
  try {
    const flow = options.flows?.classify(attributesOf(info, user))
    if (flow !== undefined) {
      reply.headers['x-kubernetes-pf-flowschema-uid'] = flow.schemaUid
      reply.headers['x-kubernetes-pf-prioritylevel-uid'] = flow.levelUid
    }
    const asked = seat(options, info, exchange, flow !== undefined && isUrgent(flow))
    const held = asked instanceof Promise ? await asked : asked
    reply.seat = held
    if (flow !== undefined) options.metrics?.dispatched?.(flow.schema, flow.level)
    // A long-running request has its seat while it starts, which one turn of the loop is enough for.
    if (long && held !== undefined) setImmediate(() => held.release())
    try {
      const remote = options.aggregation?.find(info.path)
      if (remote !== undefined) {
        authorize(options, attributesOf(info, user), reply)
        await options.aggregation!.proxy(remote, user, reply)
      } else if (info.resource === undefined) await answerPath(options, info, query, user, reply)
      else await answerResource({ options, info, asked: info.resource, query, user, reply, deadline })
    } finally {
      if (!long) held?.release()
    }
  } finally {
    counted?.()
    open?.()
  }
}

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options'])

/** Counts a request while it is under way. */
function count({ metrics, ...options }: HandlerOptions, info: RequestInfo, long: boolean): (() => void) | undefined {
  if (metrics === undefined) return undefined
  if (!long) {
    const mutating = !READS.has(info.verb)
    metrics.inFlight?.(mutating, 1)
    return () => metrics.inFlight?.(mutating, -1)
  }
  const { group = '', version = '', resource = '', subresource = '' } = known(options, info) ?? {}
  const record = { verb: info.verb, group, version, resource, subresource }
  metrics.longRunning?.(record, 1)
  return () => metrics.longRunning?.(record, -1)
}

/** What a request costs: one seat, and more for what touches many objects. */
const LIST_COST = 4

function seat(
  { fairShare }: HandlerOptions,
  info: RequestInfo,
  exchange: Exchange,
  urgent: boolean,
): Held | Promise<Held> | undefined {
  if (fairShare === undefined || isProbe(info)) return undefined
  const many = info.resource !== undefined && !info.resource.named && info.verb !== 'create'
  return fairShare.shares.admit(fairShare.cluster, new Cost(many ? LIST_COST : 1, urgent && !many, exchange))
}

/** The exchange makes its signal when it is first asked for, which is only when the request must wait. */
class Cost {
  readonly cost: number
  readonly urgent: boolean
  readonly #exchange: Exchange

  constructor(cost: number, urgent: boolean, exchange: Exchange) {
    this.cost = cost
    this.urgent = urgent
    this.#exchange = exchange
  }

  get signal(): AbortSignal {
    return this.#exchange.signal
  }
}

/** Health must be told also under load. */
const isProbe = (info: RequestInfo): boolean =>
  info.resource === undefined && /^\/(?:livez|readyz|healthz)/.test(info.path)

/** The request as authorization sees it. */
function attributesOf(info: RequestInfo, user: UserInfo): Attributes {
  const { verb, path, resource: asked } = info
  if (asked === undefined) return { user, verb, path }
  const { group, version, resource, subresource, namespace, name } = asked
  return { user, verb, group, version, resource, subresource, namespace, name }
}

/** @throws StatusError 403 */
function authorize({ api }: HandlerOptions, attributes: Attributes, reply: Reply): void {
  const decision = api.authorizer.authorize(attributes)
  if (reply.audit !== undefined) noteDecision(reply.audit, decision)
  if (!decision.allowed) throw forbidden(attributes, decision.reason)
}

/** The user as whom the request acts. The audit record begins here, when it is known who asks. */
async function whoAsks(options: HandlerOptions, info: RequestInfo, reply: Reply, long: boolean): Promise<UserInfo> {
  const { exchange } = reply
  const asked = options.authenticate(exchange)
  const asking = asked instanceof Promise ? await asked : asked
  options.metrics?.attempted?.(asking !== undefined)
  const attributes = attributesOf(info, asking ?? nobody)
  if (options.audit !== undefined) {
    reply.audit = options.audit.begin(exchange, reply.headers['audit-id']!, attributes, asking !== undefined)
    if (asking === undefined) reply.audit?.status({ message: attempted(exchange) })
    else reply.audit?.stage('RequestReceived')
    reply.announces = long || asking === undefined
  }
  if (asking === undefined) throw errors.unauthorized()
  const as = impersonate(exchange.headers, attributes, options.api.authorizer)
  if (as === undefined) return asking
  reply.audit?.impersonated(as.user, as.constraint)
  return as.user
}

const nobody: UserInfo = { name: '', groups: [] }

/** The last event of a request. */
function endAudit(reply: Reply, failure: unknown): void {
  const { audit } = reply
  if (audit === undefined) return
  if (failure !== undefined && !(failure instanceof StatusError)) {
    audit.status({
      status: 'Failure',
      message: `APIServer panic'd: ${failure instanceof Error ? failure.message : 'unknown'}`,
      reason: 'InternalError',
      code: 500,
    })
    return audit.stage('Panic')
  }
  if (!audit.hasStatus) {
    if (reply.code === 0) audit.status({ status: 'Success', message: 'Connection closed early', code: 200 })
    else audit.code(reply.code)
    if (reply.announces) audit.stage('ResponseStarted')
  }
  // Who could not say who it is gets one event, when it is answered.
  if (!audit.isRefusal) audit.stage('ResponseComplete')
}
