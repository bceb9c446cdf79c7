/**
 * Nobody may grant what they do not have: the check on writes of roles and bindings. A writer passes who is in
 * system:masters, holds every permission granted, or has the verb `escalate` on the role or `bind` on its reference.
 */
import { isDeepStrictEqual } from 'node:util'
import { errors } from '../../machinery/status.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Steps } from '../../machinery/schema/steps.ts'
import type { Authorizer, UserInfo } from '../contract.ts'
import { RBAC_GROUP, type RoleRef } from './book.ts'
import { compact, describeRule, missingPermissions, quotedList } from './cover.ts'
import { PRIVILEGED_GROUP, type RuleSource } from './rbac.ts'
import { rulesOf, type PolicyRule } from './rule.ts'

export interface EscalationCheck {
  readonly user: UserInfo
  readonly resource: 'roles' | 'clusterroles' | 'rolebindings' | 'clusterrolebindings'
  /** '' for cluster-scoped ones. */
  readonly namespace: string
  /** The name in the URL: '' on create. */
  readonly urlName: string
  readonly object: KubeObject
  /** On update: what is stored. */
  readonly old?: KubeObject
  readonly authorizer: Authorizer
  readonly source: RuleSource
}

const everything: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/** @throws StatusError 403 when the writer would grant more than they have; 404 when a binding's role does not exist */
export function* checkEscalation(check: EscalationCheck): Steps<void> {
  if (check.user.groups.includes(PRIVILEGED_GROUP)) return
  if (check.resource === 'roles' || check.resource === 'clusterroles') yield* checkRole(check)
  else yield* checkBinding(check)
}

function* checkRole(check: EscalationCheck): Steps<void> {
  const { user, resource, namespace, urlName, object, old } = check
  const attributes = { user, verb: 'escalate', group: RBAC_GROUP, version: '*', resource, namespace, name: urlName }
  if (check.authorizer.authorize(attributes).allowed || onlyForCollector(object, old)) return
  yield* confirm(check, rulesOf(object['rules']))
  if (resource === 'clusterroles' && (aggregates(object) || (old !== undefined && aggregates(old)))) {
    const held = check.source.rules(user, namespace).rules
    if ((yield* missingPermissions(held, everything)).length > 0) {
      throw refused(check, 'must have cluster-admin privileges to use the aggregationRule')
    }
  }
}

function* checkBinding(check: EscalationCheck): Steps<void> {
  const { user, resource, namespace, object, old } = check
  if (onlyForCollector(object, old)) return
  const ref = object['roleRef'] as RoleRef
  if (ref.kind === 'ClusterRole' || ref.kind === 'Role') {
    const bound = ref.kind === 'Role' ? 'roles' : 'clusterroles'
    const attributes = {
      user,
      verb: 'bind',
      group: RBAC_GROUP,
      version: '*',
      resource: bound,
      namespace,
      name: ref.name,
    }
    if (check.authorizer.authorize(attributes).allowed) return
  }
  const rules = check.source.roleRules(ref, namespace)
  // Upstream names the binding's resource here, with the role's name.
  if (rules === undefined) throw errors.notFound({ group: RBAC_GROUP, resource }, ref.name)
  yield* confirm(check, rules)
}

function* confirm(check: EscalationCheck, wanted: readonly PolicyRule[]): Steps<void> {
  const { user, namespace, source } = check
  const { rules, problems } = source.rules(user, namespace)
  const missing = yield* missingPermissions(rules, wanted)
  if (missing.length === 0) return
  const lines = new Set<string>()
  for (const rule of yield* compact(missing)) {
    if (lines.size % 1000 === 999) yield undefined
    lines.add(describeRule(rule))
  }
  yield undefined
  const who = `user ${JSON.stringify(user.name)} (groups=${quotedList(user.groups)})`
  const tail = problems.length === 0 ? '' : `; resolution errors: [${problems.join(' ')}]`
  throw refused(
    check,
    `${who} is attempting to grant RBAC permissions not currently held:\n${[...lines].sort().join('\n')}${tail}`,
  )
}

function refused(check: EscalationCheck, why: string): Error {
  return errors.forbidden({ group: RBAC_GROUP, resource: check.resource }, check.object.metadata.name ?? '', why)
}

function aggregates(role: KubeObject): boolean {
  const selectors: unknown = (role['aggregationRule'] as { clusterRoleSelectors?: unknown } | undefined)
    ?.clusterRoleSelectors
  return Array.isArray(selectors) && selectors.length > 0
}

/** The garbage collector may take off finalizers and owners of roles that grant more than it has. */
function onlyForCollector(object: KubeObject, old: KubeObject | undefined): boolean {
  if (old === undefined) return false
  const { ownerReferences: _owners, finalizers: _finalizers, managedFields: _managed, ...metadata } = object.metadata
  const { ownerReferences: _o, finalizers: _f, managedFields: _m, ...oldMetadata } = old.metadata
  return isDeepStrictEqual({ ...object, metadata }, { ...old, metadata: oldMetadata })
}
