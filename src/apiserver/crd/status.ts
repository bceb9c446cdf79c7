/** What the status of a CustomResourceDefinition should say. */
import { isBundle } from '../../machinery/kinds/crd/conversion.ts'
import type { Condition, Definition, Names } from './definition.ts'
import { FINALIZER, conditionOf, isTrue } from './definition.ts'

export interface Verdict {
  readonly acceptedNames: Names
  readonly conditions: readonly Condition[]
  readonly storedVersions: readonly string[]
}

interface Conflict {
  readonly reason: string
  readonly message: string
}

function taken(others: readonly Definition[]) {
  const resources = new Set<string>()
  const kinds = new Set<string>()
  for (const { status } of others) {
    const names = status?.acceptedNames
    if (names === undefined) continue
    for (const name of [names.plural, names.singular, ...(names.shortNames ?? [])]) {
      if (name !== undefined && name !== '') resources.add(name)
    }
    for (const kind of [names.kind, names.listKind]) if (kind !== undefined && kind !== '') kinds.add(kind)
  }
  return { resources, kinds }
}

/** Takes the wanted names that are free; the others stay what they were. The last conflict found is the one reported. */
function acceptNames(definition: Definition, others: readonly Definition[]): { names: Names; conflict?: Conflict } {
  const wanted = definition.spec.names
  const before: Partial<Names> = definition.status?.acceptedNames ?? {}
  const { resources, kinds } = taken(others)
  const names: Names = { plural: before.plural ?? '', kind: before.kind ?? '' }
  let conflict: Conflict | undefined
  const inUse = (reason: string, name: string) =>
    (conflict = { reason, message: `${JSON.stringify(name)} is already in use` })

  if (resources.has(wanted.plural)) inUse('PluralConflict', wanted.plural)
  else names.plural = wanted.plural
  const singular = wanted.singular ?? wanted.kind.toLowerCase()
  if (resources.has(singular)) {
    inUse('SingularConflict', singular)
    if (before.singular !== undefined) names.singular = before.singular
  } else names.singular = singular
  const shortNames = wanted.shortNames ?? []
  const clashing = shortNames.filter((name) => resources.has(name))
  if (clashing.length > 0) {
    inUse('ShortNamesConflict', clashing[0]!)
    if (before.shortNames !== undefined) names.shortNames = before.shortNames
  } else if (shortNames.length > 0) names.shortNames = shortNames
  if (kinds.has(wanted.kind)) inUse('KindConflict', wanted.kind)
  else names.kind = wanted.kind
  const listKind = wanted.listKind ?? `${wanted.kind}List`
  if (kinds.has(listKind)) {
    inUse('ListKindConflict', listKind)
    if (before.listKind !== undefined) names.listKind = before.listKind
  } else names.listKind = listKind
  if (wanted.categories !== undefined && wanted.categories.length > 0) names.categories = wanted.categories
  return conflict === undefined ? { names } : { names, conflict }
}

/** A condition, with the time of its last change. */
function condition(
  definition: Definition,
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
  now: string,
): Condition {
  const old = conditionOf(definition, type)
  const lastTransitionTime = old?.status === status ? (old.lastTransitionTime ?? now) : now
  return { type, status, lastTransitionTime, reason, message }
}

const APPROVAL = 'api-approved.kubernetes.io'

/** For groups that belong to Kubernetes. */
function approval(definition: Definition, now: string): Condition | undefined {
  const { group } = definition.spec
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(group)) return undefined
  const annotations = definition.metadata.annotations ?? {}
  const value = Object.hasOwn(annotations, APPROVAL) ? annotations[APPROVAL]! : ''
  const type = 'KubernetesAPIApprovalPolicyConformant'
  if (value.startsWith('unapproved')) {
    const message = `not approved: ${JSON.stringify(value)}`
    return condition(definition, type, 'False', 'UnapprovedAnnotation', message, now)
  }
  if (/^https?:\/\/[^/]/.test(value))
    return condition(definition, type, 'True', 'ApprovedAnnotation', `approved in ${value}`, now)
  const message = `protected groups must have approval annotation ${JSON.stringify(APPROVAL)}, see https://github.com/kubernetes/enhancements/pull/1111`
  return condition(definition, type, 'False', 'MissingAnnotation', message, now)
}

/** The status of `definition` beside the other definitions of its group. `now` in RFC 3339. */
export function judge(definition: Definition, others: readonly Definition[], now: string): Verdict {
  const { names, conflict } = acceptNames(definition, others)
  const conditions: Condition[] = []
  if (conflict === undefined) {
    conditions.push(condition(definition, 'NamesAccepted', 'True', 'NoConflicts', 'no conflicts found', now))
  } else {
    conditions.push(condition(definition, 'NamesAccepted', 'False', conflict.reason, conflict.message, now))
  }
  const bundle = definition.spec.conversion?.webhook?.clientConfig?.caBundle ?? ''
  if (isTrue(definition, 'Established')) conditions.push(conditionOf(definition, 'Established')!)
  else if (conflict === undefined && bundle !== '' && !isBundle(bundle)) {
    const message = 'The conversion webhook CABundle is invalid'
    conditions.push(condition(definition, 'Established', 'False', 'InvalidCABundle', message, now))
  } else if (conflict === undefined) {
    const message = 'the initial names have been accepted'
    conditions.push(condition(definition, 'Established', 'True', 'InitialNamesAccepted', message, now))
  } else {
    const message = 'not all names are accepted'
    conditions.push(condition(definition, 'Established', 'False', 'NotAccepted', message, now))
  }
  const approved = approval(definition, now)
  if (approved !== undefined) conditions.push(approved)
  const known = new Set(conditions.map((c) => c.type))
  for (const other of definition.status?.conditions ?? []) if (!known.has(other.type)) conditions.push(other)

  const storage = definition.spec.versions.find((v) => v.storage)?.name
  const before = definition.status?.storedVersions ?? []
  const storedVersions = storage === undefined || before.includes(storage) ? before : [...before, storage]
  return { acceptedNames: names, conditions, storedVersions }
}

/** The definition with this condition set; the same object when it says so already. */
export function withCondition(
  definition: Definition,
  type: string,
  status: Condition['status'],
  reason: string,
  message: string,
  now: string,
): Definition {
  const old = conditionOf(definition, type)
  if (old?.status === status && old.reason === reason && old.message === message) return definition
  const next = condition(definition, type, status, reason, message, now)
  const others = (definition.status?.conditions ?? []).filter((c) => c.type !== type)
  return { ...definition, status: { ...definition.status, conditions: [...others, next] } }
}

/** Whether deleting the definition waits for its instances. */
export const hasFinalizer = (definition: Definition): boolean =>
  definition.metadata.finalizers?.includes(FINALIZER) === true

/** The definition when it is deleted: it stays, by a finalizer, until its instances are gone. Its generation stays too. */
export function terminatingDefinition(definition: Definition, now: string): Definition {
  const message = 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon'
  const marked = withCondition(definition, 'Terminating', 'True', 'InstanceDeletionPending', message, now)
  const finalizers = definition.metadata.finalizers ?? []
  return {
    ...marked,
    metadata: {
      ...definition.metadata,
      deletionTimestamp: now,
      finalizers: hasFinalizer(definition) ? finalizers : [...finalizers, FINALIZER],
    },
  }
}
