/** The steps that create and update share: defaults, validation, generation, warnings. */
import type { Call, CustomResource, ServedResource } from '../contract.ts'
import type { FieldError } from '../../machinery/field.ts'
import { finalizerWarnings, validateMetadata } from '../../machinery/kinds/index.ts'
import type { KindRules } from '../../machinery/kinds/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { validateByTable } from '../../machinery/types/check.ts'
import type { Steps } from '../../machinery/schema/index.ts'
import { errors } from '../../machinery/status.ts'
import { equalJson, equalMembers } from '../../machinery/equality.ts'
import { convert, versionOf } from './convert.ts'
import type { Core } from './core.ts'
import { groupKind, rulesOf, timestamp, warn } from './core.ts'
import { equalInSteps } from './json.ts'
import { wasShaped } from '../large/many.ts'
import { drive } from './steps.ts'
import { ordered } from './stored.ts'

/**
 * A decoded object in the served version → the same in the working version, pruned and defaulted, in stored order.
 * The object is the caller's own and may be changed.
 */
export function prepared(core: Core, served: ServedResource, object: KubeObject): KubeObject {
  const { custom } = served
  if (custom !== undefined) {
    object.apiVersion = versionOf(served)
    object.kind = served.info.kind
    if (!wasShaped(object)) {
      custom.prune(object)
      custom.defaults(object)
    }
    return ordered(object, served.info.kind, object.apiVersion)
  }
  const storage = core.catalog.storage(served)
  object.apiVersion ??= versionOf(served)
  object.kind ??= served.info.kind
  return defaulted(storage, object, () => timestamp(core.now()))
}

/** Converts a built-in object to the version of `storage` and defaults it: by the version that it was written in. */
export function defaulted(storage: ServedResource, object: KubeObject, now: () => string): KubeObject {
  const version = versionOf(storage)
  const defaults = wasShaped(object) ? undefined : rulesOf(storage).defaults
  const foreign = object.apiVersion !== version
  if (foreign) defaults?.(object, now)
  const converted = ordered(convert(object, version), storage.info.kind, version)
  if (!foreign) defaults?.(converted, now)
  return converted
}

/** What somebody outside made of a custom resource is pruned and defaulted again. */
export function reshape({ custom }: ServedResource, object: KubeObject): void {
  custom?.prune(object)
  custom?.defaults(object)
}

const UNLEGACY: ReadonlySet<string> = new Set([
  'apiextensions.k8s.io',
  'apiregistration.k8s.io',
  'admissionregistration.k8s.io',
])

/** Rules of metadata for an object of a resource. */
export function metadataRules(
  served: ServedResource,
  { name: rule, legacyFinalizers = true }: KindRules,
  object: KubeObject,
): Parameters<typeof validateMetadata>[1] {
  const nameRule = typeof rule === 'function' ? (name: string) => rule(name, object) : rule
  return {
    namespaced: served.info.namespaced,
    ...(nameRule === undefined ? {} : { nameRule }),
    legacyFinalizers: legacyFinalizers && served.custom === undefined && !UNLEGACY.has(served.info.group),
  }
}

/** Everything wrong with the content of a built-in object as a whole. */
export function contentErrors(
  call: Pick<Call, 'seat'>,
  served: ServedResource,
  rules: KindRules,
  object: KubeObject,
  old?: KubeObject,
): FieldError[] | Promise<FieldError[]> {
  if (rules.validateInSteps !== undefined) return drive(rules.validateInSteps(object, old), call.seat)
  if (rules.validate !== undefined) return rules.validate(object, old)
  return served.info.type === undefined ? [] : validateByTable(object, served.info.type)
}

/** Everything wrong with a custom resource. What is let through because it was wrong before becomes a warning. */
export function customErrors(
  call: Call,
  custom: CustomResource,
  object: KubeObject,
  old: KubeObject | undefined,
  part?: 'status',
): FieldError[] | Promise<FieldError[]> {
  return custom.validate(object, old, part, (error) => warn(call, `${error.field}: ${error.message}`), call.seat)
}

/** Its server, which is a part of kube-apiserver, tells what several checks found as often as they did. */
const VERBOSE = 'apiextensions.k8s.io'

/** @throws StatusError 422 when something is wrong. What several checks found is told once. */
export function refuse(served: ServedResource, name: string, list: readonly FieldError[]): void {
  if (list.length === 0) return
  if (served.info.group === VERBOSE) throw errors.invalid(groupKind(served), name, list)
  const told = new Set<string>()
  const once = list.filter(({ type, field, message }) => {
    const text = `${type} ${field} ${message}`
    return !told.has(text) && told.add(text)
  })
  throw errors.invalid(groupKind(served), name, once)
}

/** An owner that is named twice in the same words stands once, with a warning. */
export function dedupeOwners(call: Call, object: KubeObject, afterAdmission = false): void {
  const owners = object.metadata.ownerReferences
  if (owners === undefined || owners.length < 2) return
  const kept: typeof owners = []
  const twice: string[] = []
  for (const owner of owners) {
    if (kept.some((other) => equalJson(other, owner))) twice.push(owner.uid)
    else kept.push(owner)
  }
  if (twice.length === 0) return
  object.metadata.ownerReferences = kept
  const uids = twice.join(', ')
  warn(
    call,
    afterAdmission
      ? `.metadata.ownerReferences contains duplicate entries after mutating admission happens; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`
      : `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${uids}`,
  )
}

/** Texts for Warning headers of a write. */
export function addWarnings(call: Call, served: ServedResource, object: KubeObject, old: KubeObject | undefined): void {
  if (call.warnings === undefined) return
  const deprecation = served.custom?.deprecationWarning
  if (deprecation !== undefined) warn(call, deprecation)
  if (served.custom !== undefined) {
    for (const text of finalizerWarnings(object.metadata.finalizers, old?.metadata.finalizers)) warn(call, text)
    return
  }
  for (const text of rulesOf(served).warnings?.(object, old) ?? []) warn(call, text)
}

const IDENTITY: ReadonlySet<string> = new Set(['metadata', 'status', 'kind', 'apiVersion'])
const TYPE: ReadonlySet<string> = new Set(['metadata', 'kind', 'apiVersion'])

/** As {@link isUnchanged}, of many members. */
export function* isUnchangedInSteps(object: KubeObject, old: KubeObject): Steps<boolean> {
  const [now, before] = [object.metadata, old.metadata] as Record<string, unknown>[]
  return (yield* equalInSteps(object, old, META)) && (yield* equalInSteps(now!, before!, VOLATILE))
}

/** As {@link bumpsGeneration}, of many members. */
export function* bumpsInSteps(served: ServedResource, object: KubeObject, old: KubeObject): Steps<boolean> {
  const { generation } = rulesOf(served)
  if (served.custom === undefined && generation !== undefined) return bumpsGeneration(served, object, old)
  return !(yield* equalInSteps(object, old, served.custom?.hasStatus === false ? TYPE : IDENTITY))
}

/** Whether the part that `metadata.generation` counts has changed. */
export function bumpsGeneration(served: ServedResource, object: KubeObject, old: KubeObject): boolean {
  if (served.custom !== undefined) return !equalMembers(object, old, served.custom.hasStatus ? IDENTITY : TYPE)
  const { generation } = rulesOf(served)
  if (generation === false) return false
  if (generation === undefined) return !equalMembers(object, old, IDENTITY)
  return !equalJson(generation(object), generation(old))
}

const META: ReadonlySet<string> = new Set(['metadata'])
const VOLATILE: ReadonlySet<string> = new Set(['resourceVersion', 'managedFields'])

/** Whether a write would change nothing that counts. */
export function isUnchanged(object: KubeObject, old: KubeObject): boolean {
  return (
    equalMembers(object, old, META) &&
    equalMembers(object.metadata as Record<string, unknown>, old.metadata as Record<string, unknown>, VOLATILE)
  )
}
