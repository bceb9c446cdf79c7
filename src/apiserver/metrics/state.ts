/** Metrics that are read off what is there when somebody asks: nothing is counted for them. */
import type { Auditor } from '../audit/auditor.ts'
import { LEVELS } from '../audit/policy.ts'
import type { Catalog } from '../contract.ts'
import type { Range } from '../../store/contract.ts'

export interface StateOptions {
  readonly range: Pick<Range, 'count'>
  readonly catalog: Catalog
  readonly audit: Auditor | undefined
}

/** In Prometheus' text format: objects by resource, and what the audit policy made of requests. */
export function stateMetrics({ range, catalog, audit }: StateOptions): string {
  const counts = new Map<string, [group: string, resource: string, count: number]>()
  for (const { info, prefix } of catalog.all()) {
    if (!counts.has(prefix) && info.verbs.includes('list'))
      counts.set(prefix, [info.group, info.resource, range.count(prefix)])
  }
  const lines = [
    '# HELP apiserver_resource_objects Objects that are stored, by resource.',
    '# TYPE apiserver_resource_objects gauge',
  ]
  for (const [group, resource, count] of counts.values())
    lines.push(`apiserver_resource_objects{group="${group}",resource="${resource}"} ${count}`)
  lines.push(
    '# HELP apiserver_storage_objects The same under its older name.',
    '# TYPE apiserver_storage_objects gauge',
  )
  for (const [group, resource, count] of counts.values())
    lines.push(`apiserver_storage_objects{resource="${group === '' ? resource : `${resource}.${group}`}"} ${count}`)
  if (audit !== undefined) {
    lines.push(
      '# HELP apiserver_audit_event_total Audit events that were written.',
      '# TYPE apiserver_audit_event_total counter',
      `apiserver_audit_event_total ${audit.counts.events}`,
      '# HELP apiserver_audit_level_total Requests by the level that the audit policy gives them.',
      '# TYPE apiserver_audit_level_total counter',
      ...LEVELS.map((level) => `apiserver_audit_level_total{level="${level}"} ${audit.counts[level]}`),
      '# HELP apiserver_audit_error_total Audit events that were dropped.',
      '# TYPE apiserver_audit_error_total counter',
      `apiserver_audit_error_total{plugin="log"} ${audit.dropped}`,
    )
  }
  return `${lines.join('\n')}\n`
}
