/** ClusterRoles with an aggregation rule get the rules of the ClusterRoles that it selects. */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { labelSelectorOf, matchesLabels } from '../machinery/selector/labels.ts'
import type { Controller, ControllerContext } from './contract.ts'
import { sameValue } from './meta.ts'
import type { LabelSelectorObject } from './objects.ts'

interface ClusterRole extends KubeObject {
  aggregationRule?: { clusterRoleSelectors?: LabelSelectorObject[] }
  rules?: object[]
}

const WATCH = 'watch'
const AGGREGATE = 'aggregate'
/** A cluster that has seen fewer writes is as it was born, with its roles aggregated. */
const YOUNG = 20

/**
 * Keys: `watch` and `aggregate`. Roles are many from a cluster's birth and change hardly ever: they are read when one
 * changes, and not held.
 */
export function clusterRoleAggregationController(context: ControllerContext): Controller {
  const { client, signal } = context
  return {
    name: 'clusterrole-aggregation',
    start: () => context.enqueue(WATCH),
    async reconcile(key) {
      if (key === AGGREGATE) return aggregate()
      const { metadata } = await client.list(resources.clusterroles, { limit: 1, signal })
      if (!(Number(metadata.resourceVersion) < YOUNG)) context.enqueue(AGGREGATE)
      void follow(metadata.resourceVersion)
    },
  }

  async function follow(from: string): Promise<void> {
    try {
      for await (const event of client.watch(resources.clusterroles, { resourceVersion: from, signal })) {
        if (event.type === 'ERROR') break
        if (event.type !== 'BOOKMARK') context.enqueue(AGGREGATE, 10)
      }
    } catch (error) {
      if (!signal.aborted) context.log.debug('watch of roles ended', { error: String(error) })
    }
    // What happened in between shows in the next reading.
    context.enqueue(AGGREGATE, 1000)
    context.enqueue(WATCH, 1000)
  }

  async function aggregate(): Promise<void> {
    const { items } = await client.list<ClusterRole>(resources.clusterroles)
    for (const role of items) {
      if (role.aggregationRule === undefined) continue
      const rules = aggregatedRules(role, items)
      if (!sameValue(rules, role.rules)) await client.update(resources.clusterroles, { ...role, rules })
    }
  }
}

/** The rules of all selected roles but the role itself, by name, each once. */
export function aggregatedRules(role: ClusterRole, all: readonly ClusterRole[]): object[] {
  const sorted = all.toSorted((a, b) => (a.metadata.name! < b.metadata.name! ? -1 : 1))
  const rules: object[] = []
  for (const selector of (role.aggregationRule?.clusterRoleSelectors ?? []).map((one) => labelSelectorOf(one))) {
    for (const other of sorted) {
      if (other.metadata.name === role.metadata.name || !matchesLabels(selector, other.metadata.labels)) continue
      for (const rule of other.rules ?? []) if (!rules.some((known) => sameValue(known, rule))) rules.push(rule)
    }
  }
  return rules
}
