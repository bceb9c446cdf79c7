/**
 * The HTTP layer of one cluster: reads what a request is about, asks who it is, waits for a fair
 * share, and has it answered. Every failure becomes a Status; nothing is thrown past here.
 */
import { goDuration } from '../../machinery/duration.ts'
import { StatusError, errors } from '../../machinery/status.ts'
import { attempted, triedBy } from '../audit/auditor.ts'
import { isUrgent } from '../flowcontrol/classifier.ts'
import { impersonate } from '../authn/impersonation.ts'
import type { Attributes, UserInfo } from '../contract.ts'
import type { Exchange, Handler } from '../exchange.ts'
import type { Held } from '../fairshare/fairshare.ts'
import type { ClusterMetrics } from '../metrics/cluster.ts'
import type { Flowing } from '../metrics/flow.ts'
import type { RouteMetrics } from '../metrics/requests.ts'
import { allow } from './allow.ts'
import type { HandlerOptions } from './contract.ts'
import { bodyVerb, plainRoute } from './counting.ts'
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
    if (options.metrics !== undefined) countEnd(options.metrics, info, reply, performance.now() - started)
  }
}

/** @param took milliseconds */
function countEnd(metrics: ClusterMetrics, { verb, resource }: RequestInfo, reply: Reply, took: number): void {
  const { route, code, received, flow, seats, waited } = reply
  flow?.end(seats, 'regular', (took - waited) / 1000)
  if (route === undefined) return
  // Nobody was there to be answered.
  if (code === 0) return metrics.requests.aborted(route)
  route.done(code, took / 1000, (reply.elsewhere + waited) / 1000)
  if (route.reads && resource?.legacyWatch !== true) route.answered(reply.sent)
  const body = received === undefined ? undefined : bodyVerb(verb)
  if (body !== undefined) route.received(body, received!)
}

/** The route of a request as far as it is known before it is let through. Labels come from the catalog, never from the client. */
function roughRoute(
  { api, metrics }: HandlerOptions,
  { resource: asked, verb }: RequestInfo,
): RouteMetrics | undefined {
  if (metrics === undefined || asked === undefined) return undefined
  const found = api.catalog.find(asked.group, asked.version, asked.resource)
  return found === undefined ? undefined : plainRoute(metrics, found, asked, verb)
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
  const duration = goDuration(asked)
  if (duration === undefined || duration < 0)
    throw errors.badRequest(
      `invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(asked)}`,
    )
  return duration === 0 ? limit : Math.min(duration, limit)
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
  const { metrics } = options
  const late = (status: 'ok' | 'error'): void => {
    metrics?.requests.late('rest-handler', status)
    metrics?.requests.late('timeout-handler', 'ok')
  }
  work.then(
    () => late('ok'),
    (error: unknown) => {
      late('error')
      options.log.warn('failed after its deadline', { path: info.path, error: String(error) })
    },
  )
  const route = reply.route ?? roughRoute(options, info)
  if (route !== undefined) metrics?.requests.terminated(route, 504)
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
    const seats = many(info) ? LIST_COST : 1
    const flowing = flow === undefined ? undefined : options.metrics?.flow.flow(flow.schema, flow.level)
    const asked = seat(options, info, exchange, seats, flow !== undefined && isUrgent(flow))
    const held = asked instanceof Promise ? await inTurn(options, info, reply, asked, seats, flowing) : asked
    reply.seat = held
    flowing?.begin(seats, reply.waited === 0 ? undefined : reply.waited / 1000)
    // A long-running request has its seat while it starts, which one turn of the loop is enough for.
    if (long) {
      const from = performance.now()
      setImmediate(() => {
        held?.release()
        flowing?.end(seats, 'watch', (performance.now() - from) / 1000)
      })
    } else {
      reply.flow = flowing
      reply.seats = seats
    }
    try {
      const remote = options.aggregation?.find(info.path)
      if (remote !== undefined) {
        allow(options, attributesOf(info, user), reply)
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
function count(options: HandlerOptions, info: RequestInfo, long: boolean): (() => void) | undefined {
  const { metrics } = options
  if (metrics === undefined) return undefined
  if (!long) {
    const mutating = !READS.has(info.verb)
    metrics.requests.inFlight(mutating, 1)
    return () => metrics.requests.inFlight(mutating, -1)
  }
  const route = roughRoute(options, info)
  if (route === undefined) return undefined
  metrics.requests.longRunning(route, 1)
  return () => metrics.requests.longRunning(route, -1)
}

/** Waits for a seat, and counts that. */
async function inTurn(
  options: HandlerOptions,
  info: RequestInfo,
  reply: Reply,
  asked: Promise<Held>,
  seats: number,
  flowing: Flowing | undefined,
): Promise<Held> {
  const requests = options.metrics?.requests
  const mutating = !READS.has(info.verb)
  const since = performance.now()
  flowing?.queued(seats)
  requests?.inQueue(mutating, 1)
  try {
    const held = await asked
    reply.waited = performance.now() - since
    return held
  } catch (error) {
    const waited = performance.now() - since
    const late = waited > 1000
    flowing?.reject(reply.exchange.signal.aborted ? 'cancelled' : late ? 'time-out' : 'queue-full', waited / 1000)
    const route = roughRoute(options, info)
    if (route !== undefined && error instanceof StatusError) {
      requests?.terminated(route, 429)
      requests?.dropped(route)
    }
    throw error
  } finally {
    flowing?.unqueued(seats)
    requests?.inQueue(mutating, -1)
  }
}

/** What a request costs: one seat, and more for what touches many objects. */
const LIST_COST = 4

function seat(
  { fairShare }: HandlerOptions,
  info: RequestInfo,
  exchange: Exchange,
  seats: number,
  urgent: boolean,
): Held | Promise<Held> | undefined {
  if (fairShare === undefined || isProbe(info)) return undefined
  return fairShare.shares.admit(fairShare.cluster, new Cost(seats, urgent && seats === 1, exchange))
}

/** Whether a request touches many objects. */
const many = ({ resource, verb }: RequestInfo): boolean =>
  resource !== undefined && !resource.named && verb !== 'create'

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

/** The user as whom the request acts. The audit record begins here, when it is known who asks. */
async function whoAsks(options: HandlerOptions, info: RequestInfo, reply: Reply, long: boolean): Promise<UserInfo> {
  const { exchange } = reply
  const asking = await authenticated(options, reply)
  const attributes = attributesOf(info, asking ?? nobody)
  if (options.audit !== undefined) {
    reply.audited(options.audit.begin(exchange, reply.headers['audit-id']!, attributes, asking !== undefined))
    if (asking === undefined) reply.audit?.status({ message: attempted(exchange) })
    else reply.audit?.stage('RequestReceived')
    reply.announces = long || asking === undefined
  }
  if (asking === undefined) throw errors.unauthorized()
  const as = impersonate(exchange.headers, attributes, options.api.authorizer, options.metrics?.access)
  if (as === undefined) return asking
  reply.audit?.impersonated(as.user, as.constraint)
  return as.user
}

/** Who asks, counted. */
async function authenticated({ authenticate, metrics }: HandlerOptions, reply: Reply): Promise<UserInfo | undefined> {
  const { exchange } = reply
  if (metrics === undefined) return authenticate(exchange, reply)
  const { access } = metrics
  const since = access.sampler.isDue() ? performance.now() : undefined
  const asked = authenticate(exchange, reply)
  const waits = asked instanceof Promise
  const from = since ?? (waits ? performance.now() : undefined)
  const asking = waits ? await asked : asked
  const took = from === undefined ? undefined : performance.now() - from
  if (asking !== undefined) access.authenticated('success', asking.name, took)
  else access.authenticated(triedBy(exchange).length > 0 ? 'error' : 'failure', '', took)
  return asking
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
