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

/** Keys are names of aggregating roles. */
export function clusterRoleAggregationController(context: ControllerContext): Controller {
  const roles = context.client.informer<ClusterRole>(resources.clusterroles)
  const enqueueAggregating = (): void => {
    for (const role of roles.byIndex('aggregating', 'yes')) context.enqueue(role.metadata.name!)
  }
  return {
    name: 'clusterrole-aggregation',
    start() {
      roles.addIndex('aggregating', (role) => (role.aggregationRule === undefined ? [] : ['yes']))
      roles.onEvent(({ type, object }) => {
        // Whom a change concerns shows only in the selectors: there are few of them.
        if (roles.synced) enqueueAggregating()
        else if (type !== 'delete' && object.aggregationRule !== undefined) context.enqueue(object.metadata.name!)
      })
    },
    async reconcile(name) {
      if (!roles.synced) await roles.ready()
      const role = roles.get('', name)
      if (role?.aggregationRule === undefined) return
      const rules = aggregatedRules(role, roles.list())
      if (sameValue(rules, role.rules)) return
      await context.client.update(resources.clusterroles, { ...role, rules })
    },
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
