/** The bootstrap roles and bindings as objects, made once per process. */
import { aggregatedRules } from '../authz/aggregation.ts'
import { RBAC_GROUP, prefixes, type KeyedObject } from '../authz/book.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { bindings, roles, type BindingFacts } from './bindings.ts'
import { clusterRoles } from './clusterroles.ts'
import { parseRule, type RoleFacts } from './notation.ts'

const AGGREGATE = 'rbac.authorization.k8s.io/aggregate-to-'
const CONTROLLER = 'system:controller:'
const apiVersion = `${RBAC_GROUP}/v1`

let made: readonly KeyedObject[] | undefined

/** Shared: never mutate. Aggregated roles hold their rules already. */
export function rbacObjects(): readonly KeyedObject[] {
  return (made ??= make())
}

function make(): readonly KeyedObject[] {
  const cluster = clusterRoles.map(roleObject)
  fillAggregates(cluster)
  const controllers = clusterRoles
    .filter(({ name }) => name.startsWith(CONTROLLER))
    .map(({ name }): BindingFacts => ({ name, subjects: [`sa:${name.slice(CONTROLLER.length)}`] }))
  return [
    ...cluster.map((object) => keyed(prefixes.ClusterRole, object)),
    ...roles.map((facts) => keyed(prefixes.Role, roleObject(facts))),
    ...[...bindings, ...controllers].map((facts) =>
      keyed(facts.namespace === undefined ? prefixes.ClusterRoleBinding : prefixes.RoleBinding, bindingObject(facts)),
    ),
  ]
}

function keyed(prefix: string, object: KubeObject): KeyedObject {
  return { key: `${prefix}${object.metadata.namespace ?? ''}/${object.metadata.name!}`, object }
}

function metadata(
  facts: { name: string; namespace?: string },
  labels: Record<string, string> = {},
): KubeObject['metadata'] {
  return {
    name: facts.name,
    ...(facts.namespace !== undefined && { namespace: facts.namespace }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults', ...labels },
    annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'true' },
  }
}

function roleObject(facts: RoleFacts): KubeObject {
  const labels = facts.aggregateTo === undefined ? {} : { [`${AGGREGATE}${facts.aggregateTo}`]: 'true' }
  const object: KubeObject = {
    kind: facts.namespace === undefined ? 'ClusterRole' : 'Role',
    apiVersion,
    metadata: metadata(facts, labels),
    rules: facts.rules.map(parseRule),
  }
  if (facts.aggregates !== undefined) {
    const matchLabels = { [`${AGGREGATE}${facts.aggregates}`]: 'true' }
    object['aggregationRule'] = { clusterRoleSelectors: [{ matchLabels }] }
  }
  return object
}

/** `view` first: `edit` collects it, and `admin` collects `edit`. */
function fillAggregates(all: readonly KubeObject[]): void {
  for (const name of ['view', 'edit', 'admin']) {
    const role = all.find((candidate) => candidate.metadata.name === name)!
    role['rules'] = aggregatedRules(role, (selector) => {
      const [label] = Object.keys((selector as { matchLabels: object }).matchLabels)
      return all.filter((other) => other.metadata.labels?.[label!] === 'true')
    })
  }
}

function bindingObject(facts: BindingFacts): KubeObject {
  const kind = facts.namespace === undefined ? 'ClusterRole' : 'Role'
  return {
    kind: `${kind}Binding`,
    apiVersion,
    metadata: metadata(facts),
    ...(facts.subjects.length > 0 && { subjects: facts.subjects.map(subjectObject) }),
    roleRef: { apiGroup: RBAC_GROUP, kind, name: facts.role ?? facts.name },
  }
}

function subjectObject(text: string): object {
  const colon = text.indexOf(':')
  const name = text.slice(colon + 1)
  if (text.startsWith('sa:')) return { kind: 'ServiceAccount', name, namespace: 'kube-system' }
  return { kind: text.startsWith('user:') ? 'User' : 'Group', apiGroup: RBAC_GROUP, name }
}
