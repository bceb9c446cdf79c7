/** `/livez`, `/readyz` and `/healthz`, with upstream's texts. */
import type { HealthCheck } from './contract.ts'
import type { Query } from './query.ts'
import type { Reply } from './reply.ts'

type Endpoint = 'livez' | 'readyz' | 'healthz'

/** Answers a health path; false when it is none. */
export function answerHealth(path: string, query: Query, checks: readonly HealthCheck[], reply: Reply): boolean {
  const [, endpoint = '', name, ...rest] = path.split('/')
  if (endpoint !== 'livez' && endpoint !== 'readyz' && endpoint !== 'healthz') return false
  if (rest.length > 0) return false
  const listed = all(endpoint, checks)
  if (name === undefined || name === '') {
    summary(endpoint, query, listed, reply)
    return true
  }
  const check = listed.find((c) => c.name === name)
  if (check === undefined) return false
  const failure = check.check()
  if (failure === undefined) reply.raw(200, 'text/plain; charset=utf-8', 'ok')
  else plain(500, `internal server error: ${failure}\n`, reply)
  return true
}

const ping: HealthCheck = { name: 'ping', check: () => undefined }

function all(endpoint: Endpoint, checks: readonly HealthCheck[]): HealthCheck[] {
  return [ping, ...checks.filter((c) => c.endpoints === undefined || c.endpoints.includes(endpoint))]
}

function plain(code: number, body: string, reply: Reply): void {
  reply.raw(code, 'text/plain; charset=utf-8', body, { 'x-content-type-options': 'nosniff' })
}

function summary(endpoint: Endpoint, query: Query, checks: readonly HealthCheck[], reply: Reply): void {
  const excluded = new Set(query.all('exclude').flatMap((v) => v.split(',')))
  let text = ''
  let failed = false
  for (const { name, check } of checks) {
    if (excluded.delete(name)) {
      text += `[+]${name} excluded: ok\n`
    } else if (check() === undefined) {
      text += `[+]${name} ok\n`
    } else {
      failed = true
      text += `[-]${name} failed: reason withheld\n`
    }
  }
  excluded.delete('')
  if (excluded.size > 0) {
    const names = [...excluded].toSorted().map((n) => JSON.stringify(n))
    text += `warn: some health checks cannot be excluded: no matches for ${names.join(', ')}\n`
  }
  if (failed) plain(500, `${text}${endpoint} check failed\n`, reply)
  else plain(200, query.has('verbose') ? `${text}${endpoint} check passed\n` : 'ok', reply)
}

/** `/metrics/slis`: the checks of now, in Prometheus' text format. */
export function healthMetrics(checks: readonly HealthCheck[]): string {
  const lines = [
    '# HELP kubernetes_healthcheck [STABLE] Whether a health check passes.',
    '# TYPE kubernetes_healthcheck gauge',
  ]
  for (const endpoint of ['healthz', 'livez', 'readyz'] as const)
    for (const { name, check } of all(endpoint, checks))
      lines.push(
        `kubernetes_healthcheck{name=${JSON.stringify(name)},type="${endpoint}"} ${check() === undefined ? 1 : 0}`,
      )
  return `${lines.join('\n')}\n`
}
