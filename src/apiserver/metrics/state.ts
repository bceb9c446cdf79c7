/** Metrics that are read off what is there when somebody asks: nothing is counted for them. */
import type { Auditor } from '../audit/auditor.ts'
import { LEVELS } from '../audit/policy.ts'
import { objectOf, type Catalog } from '../contract.ts'
import type { Range } from '../../store/contract.ts'
import { gaugeText } from './build.ts'
import { Registry } from './registry.ts'

export interface StateOptions {
  readonly range: Pick<Range, 'count' | 'list'>
  readonly catalog: Catalog
  readonly audit: Auditor | undefined
  /** Seats of the process, of which priority levels have their parts. */
  readonly seats: number
}

type Text = readonly [name: string, text: string]

/** Families by name: objects by resource, limits by priority level, and what the audit policy made of requests. */
export function stateMetrics({ range, catalog, audit, seats }: StateOptions): readonly Text[] {
  const counts = new Map<string, readonly [labels: readonly string[], count: number]>()
  for (const { info, prefix } of catalog.all()) {
    if (!counts.has(prefix) && info.verbs.includes('list'))
      counts.set(prefix, [[info.group, info.resource], range.count(prefix)])
  }
  const sorted = [...counts.values()].toSorted(([[a, b]], [[c, d]]) => (`${a} ${b}` < `${c} ${d}` ? -1 : 1))
  const older = sorted.map(
    ([[group = '', resource = ''], count]) => [[group === '' ? resource : `${resource}.${group}`], count] as const,
  )
  return [
    gaugeText(
      'apiserver_resource_objects',
      '[ALPHA] Objects that are stored, by resource.',
      ['group', 'resource'],
      sorted,
    ),
    gaugeText('apiserver_storage_objects', 'The same under its older name.', ['resource'], older),
    ...levelMetrics(range, seats),
    availability(range),
    ...auditMetrics(audit),
  ]
}

const LEVELS_PREFIX = 'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/'

interface LevelSpec {
  readonly limited?: Shares & { readonly borrowingLimitPercent?: number }
  readonly exempt?: Shares
}

interface Shares {
  readonly nominalConcurrencyShares?: number
  readonly lendablePercent?: number
}

/** What each level would have by its shares: as upstream's configuration is read. Nothing is lent here. */
function levelMetrics(range: Pick<Range, 'list'>, seats: number): readonly Text[] {
  const levels = range.list(LEVELS_PREFIX).entries.map((entry) => {
    const { metadata, spec } = objectOf(entry) as { metadata: { name?: string }; spec?: LevelSpec }
    const { limited, exempt } = spec ?? {}
    const { nominalConcurrencyShares = exempt === undefined ? 30 : 0, lendablePercent = 0 } = limited ?? exempt ?? {}
    const borrowing = limited?.borrowingLimitPercent
    return { name: metadata.name ?? '', shares: nominalConcurrencyShares, lendablePercent, borrowing }
  })
  const sum = levels.reduce((total, { shares }) => total + shares, 0)
  const limits = levels.map(({ name, shares, lendablePercent, borrowing }) => {
    const nominal = sum === 0 ? 0 : Math.ceil((seats * shares) / sum)
    const lower = nominal - Math.round((nominal * lendablePercent) / 100)
    const upper = nominal + (borrowing === undefined ? seats : Math.round((nominal * borrowing) / 100))
    return { labels: [name], nominal, lower, upper }
  })
  const gauge = (what: string, help: string, value: (limit: (typeof limits)[number]) => number): Text =>
    gaugeText(
      `apiserver_flowcontrol_${what}_seats`,
      help,
      ['priority_level'],
      limits.map((limit) => [limit.labels, value(limit)] as const),
    )
  return [
    gauge('nominal_limit', '[BETA] Seats of a level by its shares.', ({ nominal }) => nominal),
    gauge('current_limit', '[ALPHA] Seats that a level has now.', ({ nominal }) => nominal),
    gauge('lower_limit', '[ALPHA] Seats of a level that it does not lend.', ({ lower }) => lower),
    gauge('upper_limit', '[ALPHA] Seats of a level with all that it may borrow.', ({ upper }) => upper),
  ]
}

const SERVICES = 'apiregistration.k8s.io/apiservices/'

interface Condition {
  readonly type: string
  readonly status: string
}

/** APIServices by whether what they stand for cannot be reached. */
function availability(range: Pick<Range, 'list'>): Text {
  const samples = range.list(SERVICES).entries.map((entry) => {
    const { metadata, status } = objectOf(entry) as {
      metadata: { name?: string }
      status?: { conditions?: readonly Condition[] }
    }
    const available = status?.conditions?.find(({ type }) => type === 'Available')?.status === 'True'
    return [[metadata.name ?? ''], available ? 0 : 1] as const
  })
  const help = '[ALPHA] APIServices that are not available, by name.'
  return gaugeText(
    'aggregator_unavailable_apiservice',
    help,
    ['name'],
    samples.toSorted(([[a]], [[b]]) => (a! < b! ? -1 : 1)),
  )
}

/** Upstream shows the first two without a policy, too. */
function auditMetrics(audit: Auditor | undefined): readonly Text[] {
  const registry = new Registry()
  const counter = (name: string, help: string, labels: readonly string[] = []) =>
    registry.counter({ name: `apiserver_audit_${name}_total`, help, stability: 'ALPHA', labels })
  counter('event', 'Audit events that were written.').add([], audit?.counts.events ?? 0)
  counter('requests_rejected', 'Requests that were refused because the audit log failed: none are.')
  if (audit === undefined) return [...registry.texts()]
  const levels = counter('level', 'Requests by the level that the audit policy gives them.', ['level'])
  for (const level of LEVELS) levels.add([level], audit.counts[level])
  counter('error', 'Audit events that were dropped.', ['plugin']).add(['log'], audit.dropped)
  return [...registry.texts()]
}
