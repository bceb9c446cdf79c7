/**
 * A change of a stored object: what update, patch and the subresources have in common. The new object is made from
 * the newest state, checked, and written only if that state is still the newest.
 */
import type { Call, ServedResource, Target, Written } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Entry } from '../../store/contract.ts'
import { RevisionMismatch } from '../../store/contract.ts'
import { type Emptied, withEmptied } from '../../machinery/codec/normalize.ts'
import { validateMetadata, validateMetadataUpdate } from '../../machinery/kinds/index.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { type Steps, finish } from '../../machinery/schema/index.ts'
import { errors } from '../../machinery/status.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { checkIdentity, checkVersion, keepMetadata } from './change-metadata.ts'
import { stateOf } from './cluster-state.ts'
import { convert, formOf, versionOf, viewEntry, viewed, workingVersion } from './convert.ts'
import { converted } from './custom-views.ts'
import type { Core } from './core.ts'
import { checkNamespace } from './create.ts'
import { breathe, committed, groupResource, outside, rulesOf, timestamp, writtenRules } from './core.ts'
import { allowsUnconditionalUpdate, hasGeneration } from './facts.ts'
import { keyOf } from './key.ts'
import { holdsMany, loaded } from '../large/many.ts'
import { sameManagers, setManagers, trackWrite } from './managers.ts'
import { isFinished } from './deletion.ts'
import { problemsOfMany } from './problems.ts'
import { driveFor } from './steps.ts'
import type { Reservation } from './service-draft.ts'
import {
  addWarnings,
  bumpsGeneration,
  bumpsInSteps,
  contentErrors,
  customErrors,
  dedupeOwners,
  isUnchanged,
  isUnchangedInSteps,
  metadataRules,
  prepared,
  refuse,
  reshape,
} from './strategy.ts'
import { encoder, makeTexts, ordered, orderedMeta, reencoder, sideWrites, synthetic } from './stored.ts'

/** What kind of change it is. */
export interface Change {
  /** '' for the object itself. Admission and validation depend on it. */
  readonly subresource: string
  /**
   * The new object, in the target's version, made from what is stored (also in the target's version). It must be
   * private as a whole: nothing of `old` may be in it, except for internal changes and the spec of a status change. Called again when somebody else
   * wrote in between.
   */
  build(old: KubeObject, entry: Entry): KubeObject | Promise<KubeObject>
  /** Puts back what a subresource may not change; both are in storage version. @default the kind's prepareUpdate */
  restrict?(object: KubeObject, old: KubeObject, now: () => string): void
  /** Everything wrong with the change, instead of the kind's own validation. */
  validate?(object: KubeObject, old: KubeObject, now: () => string): FieldError[]
  /** Of custom resources: only the status may change. */
  readonly part?: 'status'
  /** How often a conflict is tried again when the new object carries no resourceVersion. @default 5 */
  readonly attempts?: number
  /** Makes the object when there is none. */
  create?(): Promise<Written>
  /** The new object is made from the newest state, so that it needs no resourceVersion. @default false */
  readonly fresh?: boolean
  /** Whether what `build` made has lost the version that it was made from, asked for after it: then it needs one. */
  unversioned?(): boolean
  /** metadata.managedFields of what `build` made, asked for after it. @default the change is recorded as an update */
  managed?(): readonly unknown[] | undefined
  /** What was empty in what `build` made, asked for after it. */
  emptied?(): readonly Emptied[] | undefined
  /** Whether `build` made an object of many members of one of few, asked for after it. @default false */
  many?(): boolean
  /** The server changes its own bookkeeping: neither admission nor validation. @default false */
  readonly internal?: boolean
}

/** Subresources whose changes are no new generation. */
const UNCOUNTED: ReadonlySet<string> = new Set(['status', 'binding'])

/** May set another cluster IP on a stored service: it brings the host's. */
const SYNCER = 'system:tenantry:syncer'

/** @throws StatusError 400, 403, 404, 409, 422 */
export async function changeObject(core: Core, call: Call, target: Target, change: Change): Promise<Written> {
  const key = keyOf(target.resource, target.namespace, target.name)
  const attempts = change.attempts ?? 5
  for (let attempt = 1; ; attempt++) {
    const entry = core.range.latest(key)
    if (entry === undefined) {
      if (change.create !== undefined) return change.create()
      throw errors.notFound(groupResource(target.resource), target.name)
    }
    try {
      return await attemptChange(core, call, target, change, entry)
    } catch (error) {
      if (!(error instanceof RevisionMismatch)) throw error
      if (attempt >= attempts) throw errors.conflict(groupResource(target.resource), target.name)
    }
  }
}

/** @throws RevisionMismatch when somebody else wrote and the new object did not say which state it is made from */
async function attemptChange(core: Core, asked: Call, target: Target, change: Change, entry: Entry): Promise<Written> {
  let call = asked.many !== true && holdsMany(entry) ? { ...asked, many: true } : asked
  const { resource } = target
  const storage = workingVersion(core, resource)
  const rules = rulesOf(storage)
  if (holdsMany(entry)) await loaded(entry, call.seat)
  const wait = converted([entry], resource)
  if (wait !== undefined) await outside(call, wait)
  const old = objectOf(viewEntry(entry, storage))
  const built = change.build(objectOf(viewEntry(entry, resource)), entry)
  const input = built instanceof Promise ? await built : built
  // Its object may be forgotten meanwhile.
  if (holdsMany(entry)) await loaded(entry, call.seat)
  if (change.many?.() === true && call.many !== true) call = { ...call, large: true, many: true }
  let turn = breathe(call, entry)
  if (turn !== undefined) await turn
  checkIdentity(target, input)
  const pinned = checkVersion(target, input.metadata, entry, {
    unconditional: (change.fresh === true && change.unversioned?.() !== true) || allowsUnconditionalUpdate(storage),
    fresh: change.fresh === true,
  })
  // The server's own changes are in storage version and defaulted, and may share parts with the old object.
  const object =
    change.internal === true ? ordered(input, storage.info.kind, versionOf(storage)) : prepared(core, resource, input)
  turn = breathe(call, entry)
  if (turn !== undefined) await turn
  const named = { written: object.metadata.managedFields, stored: old.metadata.managedFields }
  keepMetadata(object.metadata, old.metadata)
  // Of a patch only after admission.
  if (change.fresh !== true && change.internal !== true) dedupeOwners(call, object)
  if (change.managed !== undefined) setManagers(object.metadata, change.managed())
  else if (change.internal !== true) {
    const before = objectOf(viewEntry(entry, resource))
    const after = convert(object, versionOf(resource))
    const tracked = trackWrite(core, call, target, after, before, { ...named, emptied: change.emptied?.() })
    setManagers(object.metadata, tracked instanceof Promise ? await outside(call, tracked) : tracked)
  }

  turn = breathe(call, entry)
  if (turn !== undefined) await turn
  // What is made from the newest state says so.
  if (change.fresh === true && old.metadata.resourceVersion !== undefined) {
    object.metadata.resourceVersion ??= old.metadata.resourceVersion
  }
  const request: AdmissionRequest = {
    operation: 'UPDATE',
    verb: change.fresh === true ? 'patch' : 'update',
    resource: storage,
    requested: resource,
    subresource: change.subresource,
    namespace: object.metadata.namespace ?? '',
    name: target.name,
    object,
    old,
    call,
    state: stateOf(core),
  }
  if (change.internal !== true) {
    const mutating = core.admission.mutate(request)
    if (mutating !== undefined) {
      await mutating
      checkNamespace(resource, target.namespace, object.metadata)
      const { managedFields } = object.metadata
      keepMetadata(object.metadata, old.metadata)
      setManagers(object.metadata, managedFields)
      reshape(storage, object)
    }
    dedupeOwners(call, object, true)
  }
  const { managedFields } = object.metadata
  if (change.restrict !== undefined) change.restrict(object, old, () => timestamp(core.now()))
  else {
    rules.prepareUpdate?.(object, old, () => timestamp(core.now()))
    if (storage.custom?.hasStatus === true) keepStatus(object, old)
  }
  // Annotations count for some kinds, but never when they come with a status; and a pod's node is its scheduler's say.
  if (!UNCOUNTED.has(change.subresource) && hasGeneration(storage)) {
    const bumps =
      call.many === true
        ? await driveFor(call.seat, bumpsInSteps(storage, object, old))
        : bumpsGeneration(storage, object, old)
    if (bumps) object.metadata.generation = (old.metadata.generation ?? 0) + 1
  }
  object.metadata.resourceVersion = old.metadata.resourceVersion ?? ''
  setManagers(object.metadata, managedFields)
  object.metadata = orderedMeta(object.metadata)

  const trusted = call.user.name === SYNCER
  const reservation =
    storage.prefix === 'core/services/' && change.subresource === ''
      ? core.services.update(object, old, { trusted, dryRun: call.dryRun === true })
      : undefined
  try {
    if (change.internal !== true) {
      const found = problems(call, target, storage, change, object, old, trusted, () => timestamp(core.now()))
      refuse(storage, object.metadata.name ?? target.name, found instanceof Promise ? await found : found)
      turn = breathe(call, entry)
      if (turn !== undefined) await turn
      // Those of many members came with what is wrong.
      if (change.subresource === '' && (call.many !== true || trusted)) addWarnings(call, resource, object, old)
      const validating = core.admission.validate(request)
      if (validating !== undefined) await validating
    }
    const charged = change.internal === true ? undefined : request
    const form = formOf(object, storage)
    const stored = form instanceof Promise ? await outside(call, form) : form
    if (call.many === true) {
      await makeTexts(stored, call.seat)
    }
    return await write(core, call, target, stored, old, entry, reservation, charged)
  } catch (error) {
    reservation?.revert()
    if (pinned && error instanceof RevisionMismatch) throw errors.conflict(groupResource(resource), target.name)
    throw error
  }
}

/** With a status endpoint, no other one changes the status. */
function keepStatus(object: KubeObject, old: KubeObject): void {
  if (Object.hasOwn(old, 'status')) object['status'] = old['status']
  else delete object['status']
}

async function write(
  core: Core,
  call: Call,
  target: Target,
  object: KubeObject,
  old: KubeObject,
  entry: Entry,
  reservation: Reservation | undefined,
  /** What admission may write together with it; absent for the server's own bookkeeping. */
  request: AdmissionRequest | undefined,
): Promise<Written> {
  const { key } = entry
  const ends = isFinished(object, old)
  if (holdsMany(entry)) await loaded(entry, call.seat)
  // An object that is shown otherwise than it is stored is stored anew, whatever else changes.
  const before = objectOf(entry)
  if (
    !ends &&
    (call.many === true
      ? await driveFor(call.seat, isSameInSteps(object, before))
      : isUnchanged(object, before) && finish(managersAreSame(object, before)))
  ) {
    reservation?.revert()
    await committed(core.range, entry)
    return written(await viewed(call, entry, target.resource))
  }
  const others = ends || request === undefined ? [] : core.admission.reserve(request)
  if (call.dryRun === true) {
    reservation?.revert()
    return written(await viewed(call, synthetic(object, key, entry.revision, entry.created).entry, target.resource))
  }
  const encode = ends ? reencoder(object) : encoder(object)
  const type = ends ? 'delete' : 'put'
  const [after] = await core.range.write([{ type, key, expect: entry.revision, encode }, ...sideWrites(others)])
  reservation?.commit()
  if (ends && key.startsWith('core/services/')) core.services.deleted(object)
  return written(await viewed(call, after!, target.resource))
}

function* isSameInSteps(object: KubeObject, before: KubeObject): Steps<boolean> {
  return (yield* isUnchangedInSteps(object, before)) && (yield* managersAreSame(object, before))
}

const managersAreSame = (object: KubeObject, before: KubeObject): Steps<boolean> =>
  sameManagers(object.metadata.managedFields, before.metadata.managedFields)

function written(entry: Entry): Written {
  return { entry, object: objectOf(entry), created: false }
}

function problems(
  call: Call,
  target: Target,
  storage: ServedResource,
  change: Change,
  made: KubeObject,
  old: KubeObject,
  trusted: boolean,
  now: () => string,
): FieldError[] | Promise<FieldError[]> {
  // The syncer's services are small.
  if (call.many === true && !trusted) return manyProblems(call, target, storage, change, made, old, now)
  const rules = writtenRules(target.resource, storage)
  // What a subresource made is not all of what was sent.
  const object = change.subresource === '' ? withEmptied(made, change.emptied?.(), 'all') : made
  const meta = metadataRules(storage, rules, object)
  const wrong = validateMetadata(object.metadata, meta)
  wrong.push(...validateMetadataUpdate(object.metadata, old.metadata, meta.legacyFinalizers))
  if (storage.custom !== undefined) {
    const found = customErrors(call, storage.custom, object, old, change.part)
    return found instanceof Promise ? found.then((list) => [...wrong, ...list]) : [...wrong, ...found]
  }
  if (change.validate !== undefined) return [...wrong, ...change.validate(object, old, now)]
  const before = trusted ? withIps(object, old) : old
  const found = contentErrors(call, storage, rules, object, before)
  const all = (list: readonly FieldError[]): FieldError[] => [
    ...wrong,
    ...list,
    ...(rules.validateUpdate?.(object, before) ?? []),
  ]
  return found instanceof Promise ? found.then(all) : all(found)
}

/** As {@link problems}, of many members. */
async function manyProblems(
  call: Call,
  target: Target,
  { custom }: ServedResource,
  change: Change,
  object: KubeObject,
  old: KubeObject,
  now: () => string,
): Promise<FieldError[]> {
  const content = custom !== undefined || change.validate === undefined
  const { part } = change
  const warns = change.subresource === ''
  const wrong = await problemsOfMany(call, target, object, old, { content, warns, ...(part !== undefined && { part }) })
  return content ? wrong : wrong.concat(change.validate!(object, old, now))
}

/** The old service as if it had the new address already, for the one writer that may change it. */
function withIps(service: KubeObject, old: KubeObject): KubeObject {
  if (service.kind !== 'Service' || old['spec']?.clusterIP === service['spec']?.clusterIP) return old
  const { clusterIP, clusterIPs } = service['spec']
  return { ...old, spec: { ...old['spec'], clusterIP, clusterIPs } }
}
