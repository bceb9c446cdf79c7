/** create: a new object through defaults, admission and validation into the range. */
import type { Call, ServedResource, Target, Written } from '../contract.ts'
import { objectOf } from '../contract.ts'
import { RevisionMismatch } from '../../store/contract.ts'
import { withEmptied } from '../../machinery/codec/normalize.ts'
import type { FieldError } from '../../machinery/field.ts'
import { validateMetadata } from '../../machinery/kinds/index.ts'
import { generateName } from '../../machinery/names.ts'
import type { KubeObject, ObjectMeta } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { stateOf } from './cluster-state.ts'
import { convert, formOf, stored, versionOf, viewed, workingVersion } from './convert.ts'
import type { Core } from './core.ts'
import { breathe, groupResource, outside, reworded, rulesOf, timestamp, warn, writtenRules } from './core.ts'
import { countEvent } from './event-expiry.ts'
import { hasGeneration } from './facts.ts'
import { keyOf } from './key.ts'
import { setManagers, trackWrite } from './managers.ts'
import type { Reservation } from './service-draft.ts'
import {
  addWarnings,
  contentErrors,
  customErrors,
  dedupeOwners,
  metadataRules,
  prepared,
  refuse,
  reshape,
} from './strategy.ts'
import { problemsOfMany } from './problems.ts'
import { encoder, makeTexts, orderedMeta, sideWrites, synthetic } from './stored.ts'

/** How often another name is tried when a generated one is taken. */
const NAME_ATTEMPTS = 8

/**
 * `managed` is metadata.managedFields when it is known already.
 * @throws StatusError 400, 403, 404, 409, 422
 */
export async function createObject(
  core: Core,
  call: Call,
  target: Target,
  input: KubeObject,
  managed?: readonly unknown[],
): Promise<Written> {
  const { resource } = target
  const sent = input.metadata.namespace
  checkNamespace(resource, target.namespace, input.metadata)
  const { resourceVersion = '' } = input.metadata
  const named = input.metadata.managedFields
  wipe(input.metadata)
  dedupeOwners(call, input)
  if (resource.custom !== undefined) refuseTerminating(core, resource)
  const object = prepared(core, resource, input)
  let turn = breathe(call)
  if (turn !== undefined) await turn
  if (call.audit !== undefined) {
    // The namespace of the URL was not sent.
    const { namespace: _namespace, ...metadata } = object.metadata
    call.audit.requestObject(sent === undefined ? { ...object, metadata } : object)
  }
  const storage = workingVersion(core, resource)
  if (managed !== undefined) setManagers(object.metadata, managed)
  else {
    const asWritten = convert(object, versionOf(resource))
    const tracked = trackWrite(core, call, target, asWritten, undefined, {
      written: named,
      stored: undefined,
      emptied: call.emptied,
    })
    setManagers(object.metadata, tracked instanceof Promise ? await outside(call, tracked) : tracked)
  }
  turn = breathe(call)
  if (turn !== undefined) await turn
  const namespace = object.metadata.namespace ?? ''
  const request: AdmissionRequest = {
    operation: 'CREATE',
    resource: storage,
    requested: resource,
    subresource: '',
    namespace,
    name: object.metadata.name ?? '',
    object,
    old: undefined,
    call,
    state: stateOf(core),
  }
  const mutating = core.admission.mutate(request)
  if (mutating !== undefined) {
    await mutating
    checkNamespace(resource, target.namespace, object.metadata)
    wipeDeletion(object.metadata)
    dedupeOwners(call, object, true)
    reshape(storage, object)
  }

  const rules = rulesOf(storage)
  name(core, resource, storage, namespace, object.metadata)
  if (storage.custom?.hasStatus === true) delete object['status']
  // Kinds may write it into their own fields: a Job's selector has it.
  object.metadata.uid = core.uuid()
  object.metadata.creationTimestamp = timestamp(core.now())
  if (rules.earlyWarnings !== undefined && call.warnings !== undefined)
    for (const text of rules.earlyWarnings(object)) warn(call, text)
  rules.prepareCreate?.(object)
  if (hasGeneration(storage)) object.metadata.generation = 1

  const isService = storage.prefix === 'core/services/'
  const reservation = isService ? core.services.create(object, call.dryRun === true) : undefined
  try {
    const found = problems(call, target, storage, object)
    const wrong = found instanceof Promise ? await found : found
    turn = breathe(call)
    if (turn !== undefined) await turn
    refuse(storage, object.metadata.name ?? '', wrong)
    // Those of many members came with what is wrong.
    if (call.many !== true) addWarnings(call, resource, object, undefined)
    const named = request.name === '' ? { ...request, name: object.metadata.name ?? '' } : request
    const validating = core.admission.validate(named)
    if (validating !== undefined) await validating
    rules.settle?.(object)
    seal(object)
    const form = formOf(object, storage)
    const made = form instanceof Promise ? await outside(call, form) : form
    if (call.many === true) await makeTexts(made, call.seat)
    return await write(core, request, target, made, reservation, resourceVersion)
  } catch (error) {
    reservation?.revert()
    throw error
  }
}

function problems(
  call: Call,
  target: Target,
  storage: ServedResource,
  made: KubeObject,
): FieldError[] | Promise<FieldError[]> {
  if (call.many === true) return problemsOfMany(call, target, made, undefined, { content: true, warns: true })
  const rules = writtenRules(target.resource, storage)
  const object = withEmptied(made, call.emptied, 'all')
  const wrong = validateMetadata(object.metadata, metadataRules(storage, rules, object))
  const found =
    storage.custom === undefined
      ? contentErrors(call, storage, rules, object)
      : customErrors(call, storage.custom, object, undefined)
  return found instanceof Promise ? found.then((more) => wrong.concat(more)) : wrong.concat(found)
}

/**
 * What is done to the metadata of every new object, also of one that is an answer only.
 *
 * @throws StatusError 400
 */
export async function prepareReview(core: Core, call: Call, target: Target, object: KubeObject): Promise<void> {
  checkNamespace(target.resource, target.namespace, object.metadata)
  const { managedFields: written, resourceVersion } = object.metadata
  wipe(object.metadata)
  if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion
  dedupeOwners(call, object)
  const tracked = trackWrite(core, call, target, object, undefined, {
    written,
    stored: undefined,
    emptied: call.emptied,
  })
  setManagers(object.metadata, tracked instanceof Promise ? await outside(call, tracked) : tracked)
  object.metadata = orderedMeta(object.metadata)
}

async function write(
  core: Core,
  request: AdmissionRequest,
  target: Target,
  object: KubeObject,
  reservation: Reservation | undefined,
  /** As it was sent. */
  version: string,
): Promise<Written> {
  const { call, resource: storage } = request
  const { name: given = '', namespace = '' } = object.metadata
  const key = keyOf(storage, namespace, given)
  const existing = core.range.latest(key)
  if (existing !== undefined) throw taken(target.resource, objectOf(existing))
  if (call.dryRun !== true && version !== '' && version !== '0') {
    throw errors.unknown('resourceVersion should not be set on objects to be created')
  }
  const others = core.admission.reserve(request)
  if (call.dryRun === true) {
    reservation?.revert()
    if (version === '') delete object.metadata.resourceVersion
    else object.metadata.resourceVersion = version
    const { entry } = synthetic(object, key, core.range.revision, core.range.revision)
    return created(await viewed(call, entry, target.resource))
  }
  try {
    const [entry] = await core.range.write([
      { type: 'put', key, expect: 0, encode: encoder(object) },
      ...sideWrites(others),
    ])
    reservation?.commit()
    if (storage.prefix === 'core/events/') countEvent(core)
    return created(await viewed(call, entry!, target.resource))
  } catch (error) {
    if (error instanceof RevisionMismatch) throw taken(target.resource, undefined, given)
    throw error
  }
}

function created(entry: Parameters<typeof stored>[0]): Written {
  return { entry, object: objectOf(entry), created: true }
}

function taken(resource: ServedResource, existing: KubeObject | undefined, given = ''): Error {
  const meta = existing?.metadata
  const error = errors.alreadyExists(groupResource(resource), meta?.name ?? given)
  return meta?.deletionTimestamp === undefined ? error : reworded(error, `object is being deleted: ${error.message}`)
}

/** A definition that is being deleted gets no new objects, which its deletion would have to wait for. */
function refuseTerminating(core: Core, resource: ServedResource): void {
  const { group, resource: plural } = resource.info
  const definition = stateOf(core).find('apiextensions.k8s.io', 'customresourcedefinitions', '', `${plural}.${group}`)
  if (definition?.metadata.deletionTimestamp === undefined) return
  const text = 'create not allowed while custom resource definition is terminating'
  throw reworded(errors.methodNotAllowed(groupResource(resource), 'create'), text)
}

/** The body's namespace is the URL's, or empty; what lives in no namespace loses it. */
export function checkNamespace(resource: ServedResource, namespace: string, meta: ObjectMeta): void {
  const expected = resource.info.namespaced ? namespace : ''
  if (resource.info.namespaced && namespace === '') throw errors.badRequest('Namespace parameter required.')
  if (expected === '') delete meta.namespace
  else if ((meta.namespace ?? '') === '') meta.namespace = expected
  else if (meta.namespace !== expected) {
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

/** Takes away what only the server sets. */
function wipe(meta: ObjectMeta): void {
  delete meta.uid
  delete meta.creationTimestamp
  wipeDeletion(meta)
  delete meta.selfLink
  delete meta.managedFields
  delete meta.resourceVersion
}

function wipeDeletion(meta: ObjectMeta): void {
  delete meta.deletionTimestamp
  delete meta.deletionGracePeriodSeconds
}

function name(
  core: Core,
  resource: ServedResource,
  storage: ServedResource,
  namespace: string,
  meta: ObjectMeta,
): void {
  const base = meta.generateName ?? ''
  if ((meta.name ?? '') !== '' || base === '') return
  for (let attempt = 0; attempt < NAME_ATTEMPTS; attempt++) {
    meta.name = rulesOf(storage).suffixedNames === false ? base : generateName(base, core.random)
    // A name that cannot be a key is refused by validation.
    if (meta.name.includes('/') || core.range.latest(keyOf(storage, namespace, meta.name)) === undefined) return
  }
  const error = errors.alreadyExists(groupResource(resource), meta.name!)
  throw reworded(error, `${error.message}, the server was not able to generate a unique name for the object`)
}

/** The last step before it is written. */
function seal(object: KubeObject): void {
  const { metadata } = object
  // The place of the revision; the write puts the number in.
  metadata.resourceVersion = ''
  object.metadata = orderedMeta(metadata)
}
