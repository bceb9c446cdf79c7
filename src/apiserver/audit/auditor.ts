/** The audit of one cluster: a policy and where its events go. Clusters without a policy have none. */
import type { Attributes } from '../contract.ts'
import type { Exchange } from '../exchange.ts'
import { LEVELS, policyEvaluator, type AuditConfig, type AuditPolicy, type Level } from './policy.ts'
import { AuditRecord, type AuditOutput } from './record.ts'

export interface Auditor {
  /** Begins a record; undefined: the policy wants nothing of this request. */
  begin(exchange: Exchange, id: string, attributes: Attributes, authenticated: boolean): AuditRecord | undefined
  /** Requests by the level that the policy gave them, and events written, since the start. */
  readonly counts: Readonly<Record<Level, number>> & { readonly events: number }
  /** Events that could not be kept. */
  readonly dropped: number
}

export interface AuditorOptions {
  readonly policy: AuditPolicy
  readonly output: AuditOutput
  /** Milliseconds since the epoch; fractions count. @default the system's clock */
  readonly now?: () => number
}

export function auditor({ policy, output, now = clock }: AuditorOptions): Auditor {
  const evaluate = policyEvaluator(policy)
  const counts = { ...(Object.fromEntries(LEVELS.map((level) => [level, 0])) as Record<Level, number>), events: 0 }
  const counted: AuditOutput = {
    write(line) {
      counts.events++
      output.write(line)
    },
  }
  return {
    counts,
    get dropped() {
      return output.dropped ?? 0
    },
    begin(exchange, id, attributes, authenticated) {
      const config: AuditConfig = evaluate(attributes)
      counts[config.level]++
      if (config.level === 'None') return undefined
      const uri = exchange.query === '' ? exchange.path : `${exchange.path}?${exchange.query}`
      const userAgent = exchange.headers['user-agent'] ?? ''
      const sourceIps = sourceIpsOf(exchange)
      return new AuditRecord(
        config,
        { id, uri, userAgent, sourceIps, attributes, authenticated, at: now() },
        counted,
        now,
      )
    },
  }
}

const clock = (): number => performance.timeOrigin + performance.now()

/** As upstream: what proxies say, then the other end of the connection. */
function sourceIpsOf({ headers, remoteAddress }: Exchange): string[] {
  const forwarded = (headers['x-forwarded-for'] ?? '').split(',').map((part) => part.trim())
  const ips = forwarded.filter((part) => part !== '' && part.length < 64 && /^[0-9a-fA-F.:]+$/.test(part))
  const real = headers['x-real-ip']?.trim() ?? ''
  if (ips.length === 0 && /^[0-9a-fA-F.:]{2,45}$/.test(real)) ips.push(real)
  const remote = remoteAddress.startsWith('::ffff:') ? remoteAddress.slice(7) : remoteAddress
  if (ips.at(-1) !== remote) ips.push(remote)
  return ips
}

/** How somebody says who it is. */
export function triedBy(exchange: Exchange): string[] {
  const methods: string[] = []
  const [scheme = '', value = ''] = (exchange.headers['authorization'] ?? '').trim().split(' ')
  if (scheme.toLowerCase() === 'basic' && value !== '') methods.push('basic')
  if (scheme.toLowerCase() === 'bearer' && value !== '') methods.push('bearer')
  if (/(?:^|&)access_token=[^&]/.test(exchange.query)) methods.push('access_token')
  if (exchange.clientCertificate !== undefined || exchange.certificateError !== undefined) methods.push('x509')
  return methods
}

/** How the one who could not be authenticated tried: upstream's text in the event's status. */
export function attempted(exchange: Exchange): string {
  const methods = triedBy(exchange)
  return methods.length === 0
    ? 'Authentication failed, no credentials provided'
    : `Authentication failed, attempted: ${methods.join(', ')}`
}
