/** Server-side apply as a patch: makes the object that the applier wants, or creates it. */
import type { Call, Target, Written } from '../contract.ts'
import type { Managers, ReplicasPaths, Typed } from '../../machinery/apply/index.ts'
import {
  NO_MANAGERS,
  TypedError,
  applyConfig,
  builtinSchema,
  decodeManagers,
  parentManagers,
  scaleManagers,
} from '../../machinery/apply/index.ts'
import { type Emptied, normalize } from '../../machinery/codec/normalize.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { equalMembers } from '../../machinery/equality.ts'
import { authorize } from './authorize.ts'
import type { Change } from './change.ts'
import { changeObject } from './change.ts'
import { versionOf } from './convert.ts'
import { copied, holdsMany, noteShaped, parsed, placeOf, textOf } from '../large/many.ts'
import { onThread } from '../large/thread.ts'
import type { Core, Versioned } from './core.ts'
import { timestamp, warn } from './core.ts'
import { createObject } from './create.ts'
import { copyJson } from './json.ts'
import { emptyOf, inVersions, managedList, managersOfText, trackingOf, typedOf } from './managers.ts'
import { decodePatched } from './patched.ts'
import type { Subresource } from './subresource.ts'
import { changeOf, viewed } from './update.ts'

/** @throws StatusError 409 when somebody else manages what would change, unless forced; 400, 404, 422 */
export async function applyObject(
  core: Core,
  call: Call,
  target: Target,
  config: KubeObject,
  force: boolean,
  part: Subresource | undefined,
): Promise<Written> {
  const own = new Applier(core, call, target, config, force)
  let list: readonly unknown[] | undefined
  let emptied: readonly Emptied[] | undefined
  const change: Change = {
    ...changeOf(target, part, async (old, entry) => {
      const many = call.many !== true && holdsMany(entry)
      const applier = many ? new Applier(core, { ...call, many }, target, config, force) : own
      const before = part?.view === undefined ? old : part.view(old, target)
      const made = await (part?.view === undefined ? applier.toObject(old) : applier.toScale(before, old))
      ;({ list, emptied } = made)
      const { object } = made
      // A configuration that does not name a state fits any: it was applied to the newest one.
      if (object.metadata.resourceVersion === before.metadata.resourceVersion) delete object.metadata.resourceVersion
      if (part?.merge === undefined) return object
      return part.merge(holdsMany(entry) ? await copied(old, call.seat) : copyJson(old), object, target)
    }),
    fresh: true,
    managed: () => list,
    emptied: () => emptied,
  }
  const written = await changeObject(core, call, target, {
    ...change,
    ...(part === undefined ? { create: () => create(core, call, target, own) } : {}),
  })
  return viewed(part, target, written)
}

async function create(core: Core, call: Call, target: Target, applier: Applier): Promise<Written> {
  const { object, list, emptied } = await applier.toObject(undefined)
  authorize(core.authorizer, call, 'create', target)
  const { metadata } = object
  if ((metadata.name ?? '') === '') metadata.name = target.name
  if (metadata.name !== target.name) {
    throw errors.badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${target.name})`,
    )
  }
  if ((metadata.uid ?? '') !== '') {
    const { group, resource } = target.resource.info
    throw errors.conflict(
      { group, resource },
      target.name,
      `uid mismatch: the provided object specified uid ${metadata.uid}, and no existing object was found`,
    )
  }
  const own = emptied === undefined ? call : { ...call, emptied }
  return createObject(core, own, { ...target, name: '' }, object, list ?? [])
}

/** What an apply makes of an object, or without `old` of nothing. @throws StatusError */
export function appliedObject(
  core: Versioned,
  call: Call,
  target: Target,
  config: KubeObject,
  force: boolean,
  old: KubeObject | undefined,
): Promise<Made> {
  return new Applier(core, call, target, config, force).toObject(old)
}

interface Made {
  readonly object: KubeObject
  readonly list: readonly unknown[] | undefined
  readonly emptied?: readonly Emptied[] | undefined
}

interface Applied {
  readonly object: KubeObject
  readonly managers: Managers
}

const SCALE = 'io.k8s.api.autoscaling.v1.Scale'
const SCALE_VERSION = 'autoscaling/v1'

class Applier {
  readonly #core: Versioned
  readonly #call: Call
  readonly #target: Target
  readonly #config: KubeObject
  readonly #force: boolean

  constructor(core: Versioned, call: Call, target: Target, config: KubeObject, force: boolean) {
    this.#core = core
    this.#call = call
    this.#target = target
    this.#config = config
    this.#force = force
  }

  /** The object as it is after the apply; without `old` it is made. */
  async toObject(old: KubeObject | undefined): Promise<Made> {
    const { resource } = this.#target
    // A webhook that converts is asked from here.
    if (this.#call.many === true && resource.custom?.conversion === undefined) return this.#many(old)
    const empty = typedOf(resource, emptyOf(resource))
    const live = old === undefined ? empty : typedOf(resource, old)
    const applied = await this.#apply(live, empty, managersOf(old))
    // What an apply does not change stays as it is, byte for byte.
    if (old !== undefined && isUnchanged(applied.object as KubeObject, old))
      return { object: copyJson(old), list: managedList(applied.managers, old.metadata.managedFields) }
    const { object, emptied } = decodePatched(
      this.#call,
      this.#target,
      applied.object,
      undefined,
      resource.info.type,
      'apply',
      undefined,
    )
    return { object, list: managedList(applied.managers, old?.metadata.managedFields), emptied }
  }

  /** As {@link toObject}, on the helper thread. */
  async #many(old: KubeObject | undefined): Promise<Made> {
    const call = this.#call
    const { text, list, warnings } = await onThread(call.seat, 'apply', {
      place: placeOf(this.#target),
      before: old === undefined ? undefined : await textOf(old, call.seat),
      config: await textOf(this.#config, call.seat),
      force: this.#force,
      manager: call.fieldManager ?? '',
      now: this.#core.now(),
      validation: call.fieldValidation,
    })
    for (const warning of warnings) warn(call, warning)
    const object = await parsed<KubeObject>(text, call.seat)
    noteShaped(this.#target, object)
    return { object, list: list === undefined ? undefined : await managersOfText(list, call.seat) }
  }

  /** As {@link toObject} for a Scale; the list is the parent's. */
  async toScale(scale: KubeObject, parent: KubeObject): Promise<Made> {
    const { resource } = this.#target
    const schema = builtinSchema(SCALE)
    const typed = (object: KubeObject): Typed => ({ object, schema, apiVersion: SCALE_VERSION })
    const head = { kind: 'Scale', apiVersion: SCALE_VERSION }
    const empty = normalize(head, typeTable.type(SCALE)).object as unknown as KubeObject
    const before = managersOf(parent)
    const paths = this.#replicasPaths()
    const applied = await this.#apply(typed(scale), typed(empty), scaleManagers(before, paths))
    const { object } = decodePatched(this.#call, this.#target, applied.object, undefined, SCALE, 'apply', undefined)
    const managers = parentManagers(before, applied.managers, versionOf(resource), paths)
    return { object, list: managedList(managers, parent.metadata.managedFields) }
  }

  #apply(live: Typed, empty: Typed, managers: Managers): Applied | Promise<Applied> {
    return inVersions(this.#core, this.#target.resource, (versions) => {
      const now = timestamp(this.#core.now())
      const applying = { ...trackingOf(this.#core, this.#call, this.#target, versions), now, force: this.#force }
      try {
        return applyConfig(live, empty, this.#config, managers, applying)
      } catch (error) {
        if (error instanceof TypedError) throw errors.unknown(`failed to create typed live object: ${error.message}`)
        throw error
      }
    })
  }

  #replicasPaths(): ReplicasPaths {
    const { info } = this.#target.resource
    return (apiVersion) => {
      const slash = apiVersion.indexOf('/')
      const [group, version] = [apiVersion.slice(0, Math.max(slash, 0)), apiVersion.slice(slash + 1)]
      const found = this.#core.catalog.find(group, version, info.resource)
      if (found === undefined) return null
      if (found.custom === undefined) return ['spec', 'replicas']
      return found.custom.scale?.specReplicasPath.split('.').filter((name) => name !== '')
    }
  }
}

/** @throws StatusError 500 when what is stored cannot be read, as upstream has it */
function managersOf(object: KubeObject | undefined): Managers {
  try {
    return object === undefined ? NO_MANAGERS : decodeManagers(object.metadata.managedFields)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw errors.unknown(`failed to decode managed fields: ${error.message}`)
  }
}

const META: ReadonlySet<string> = new Set(['metadata'])
const MANAGERS: ReadonlySet<string> = new Set(['managedFields'])

/** Whether nothing but who manages what has changed. */
function isUnchanged(object: KubeObject, old: KubeObject): boolean {
  const fields = (of: KubeObject) => of.metadata as Record<string, unknown>
  return equalMembers(object, old, META) && equalMembers(fields(object), fields(old), MANAGERS)
}
