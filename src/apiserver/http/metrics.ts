/** `/metrics` and `/metrics/slis`. As upstream they answer every method, and DELETE starts the counts anew. */
import type { HandlerOptions } from './contract.ts'
import { healthMetrics } from './health.ts'
import type { Reply } from './reply.ts'

/** Since the epoch, in whole seconds. */
const STARTED = Math.floor(Date.now() / 1000 - process.uptime())

/** Answers; false when the path is another. */
export function answerMetrics({ metrics, checks = [] }: HandlerOptions, path: string, reply: Reply): boolean {
  const { method, headers } = reply.exchange
  if (path === '/metrics' && metrics !== undefined) {
    if (method === 'DELETE') {
      metrics.reset()
      reply.raw(200, 'text/plain; charset=utf-8', 'metrics reset\n')
    } else show(reply, headers['accept'], metrics.render())
    return true
  }
  if (path !== '/metrics/slis') return false
  show(reply, headers['accept'], healthMetrics(checks))
  return true
}

function show(reply: Reply, accept: string | undefined, text: string): void {
  reply.raw(200, contentType(accept), text, { 'process-start-time-unix': String(STARTED) })
}

/** How names are escaped that need it; none do. */
const ESCAPINGS: ReadonlySet<string> = new Set(['allow-utf-8', 'underscores', 'dots', 'values'])

/**
 * The text format, whatever else is asked for: upstream negotiates no OpenMetrics. Its library tells how it escapes, and
 * does it as the first format asks that it takes.
 */
export function contentType(accept = ''): string {
  let escaping = 'underscores'
  for (const part of accept.split(',', 16)) {
    const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase())
    if (type !== 'text/plain') continue
    const asked = parameters.find((word) => word.startsWith('escaping='))?.slice('escaping='.length)
    if (asked !== undefined && ESCAPINGS.has(asked)) escaping = asked
    break
  }
  return `text/plain; version=0.0.4; charset=utf-8; escaping=${escaping}`
}
