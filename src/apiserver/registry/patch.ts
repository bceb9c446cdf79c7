/** patch: applies a patch to the newest state and writes the result as an update. */
import { Unreadable } from '../contract.ts'
import type { Call, PatchType, Target, Written } from '../contract.ts'
import type { Emptied } from '../../machinery/codec/normalize.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { PatchError, patchStatus } from '../../machinery/patch/error.ts'
import { applyJsonPatch } from '../../machinery/patch/json.ts'
import { applyMergePatch } from '../../machinery/patch/merge.ts'
import { applyStrategicPatch } from '../../machinery/patch/strategic.ts'
import { errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { applyObject } from './apply.ts'
import { changeObject } from './change.ts'
import { versionOf } from './convert.ts'
import { copied, hasMany, holdsMany, noteShaped, parsed, placeOf, textOf } from '../large/many.ts'
import { onThread } from '../large/thread.ts'
import { type Core, type Versioned, warn } from './core.ts'
import { copyJson } from './json.ts'
import { decodePatched } from './patched.ts'
import type { Subresource } from './subresource.ts'
import { changeOf, viewed } from './update.ts'

const CUSTOM_MEDIA_TYPES = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/apply-patch+yaml',
] as const

/** @throws StatusError; 415 for strategic merge of custom resources */
export async function patchObject(
  core: Core,
  call: Call,
  target: Target,
  type: PatchType,
  body: unknown,
  part: Subresource | undefined,
  force = false,
): Promise<Written> {
  if (type === 'apply') return applyObject(core, call, target, body as KubeObject, force, part)
  const typeName = typeNameOf(target)
  if (type === 'strategic' && typeName === undefined) throw errors.unsupportedMediaType(CUSTOM_MEDIA_TYPES)
  let emptied: readonly Emptied[] | undefined
  let unversioned = false
  let large = false
  const written = await changeObject(core, call, target, {
    ...changeOf(target, part, (old, entry) => {
      const before = part?.view === undefined ? old : part.view(old, target)
      const many = call.many === true || holdsMany(entry) || (type === 'json' && copiesMuch(body))
      const built = ({
        object: own,
        emptied: empty,
        many: made = false,
      }: Patched): KubeObject | Promise<KubeObject> => {
        emptied = empty
        large = made
        checkType(target, own, before)
        // A patch that does not name a state fits any: it was applied to the newest one.
        const { resourceVersion = '' } = own.metadata
        unversioned = resourceVersion === ''
        if (resourceVersion === before.metadata.resourceVersion) delete own.metadata.resourceVersion
        if (part?.merge === undefined) return own
        const { merge } = part
        if (many) return copied(old, call.seat).then((copy) => merge(copy, own, target))
        return merge(copyJson(old), own, target)
      }
      if (many) return patchMany(core, call, target, type, before, body).then(built)
      return built(patchedObject(call, target, type, before, body))
    }),
    emptied: () => emptied,
    many: () => large,
    fresh: true,
    unversioned: () => unversioned,
  })
  return viewed(part, target, written)
}

interface Patched {
  readonly object: KubeObject
  readonly emptied: readonly Emptied[] | undefined
  /** Whether it has many members. @default false */
  readonly many?: boolean
}

/** Copies that a patch may hold before its work is the thread's: each looks at all that it copies. */
const MAX_COPIES = 8

function copiesMuch(body: unknown): boolean {
  if (!Array.isArray(body) || body.length <= MAX_COPIES) return false
  let copies = 0
  for (const operation of body as readonly { readonly op?: unknown }[]) if (operation?.op === 'copy') copies++
  return copies > MAX_COPIES
}

/** What a patch makes of an object. @throws StatusError */
export function patchedObject(
  call: Call,
  target: Target,
  type: Exclude<PatchType, 'apply'>,
  before: KubeObject,
  body: unknown,
): Patched {
  const typeName = typeNameOf(target)
  const after = apply(type, before, body, typeName)
  const { object, emptied } = decodePatched(call, target, after, before, typeName, type, body)
  // Upstream converts what a strategic patch made into the type that it expects, whatever it calls itself.
  if (type === 'strategic') Object.assign(object, { kind: before.kind, apiVersion: before.apiVersion })
  return { object, emptied }
}

/** As {@link patchedObject}, on the helper thread. */
async function patchMany(
  core: Versioned,
  call: Call,
  target: Target,
  type: Exclude<PatchType, 'apply'>,
  before: KubeObject,
  body: unknown,
): Promise<Patched> {
  if (body instanceof Unreadable) throw body.why
  const { text, emptied, warnings } = await onThread(call.seat, 'patch', {
    place: placeOf(target),
    now: core.now(),
    type,
    before: await textOf(before, call.seat),
    body: await textOf(body, call.seat),
    validation: call.fieldValidation,
  })
  for (const warning of warnings) warn(call, warning)
  const object = await parsed<KubeObject>(text, call.seat)
  noteShaped(target, object)
  return { object, emptied, many: hasMany(text) }
}

function typeNameOf({ resource, subresource }: Target): string | undefined {
  const own = subresource === undefined || subresource === '' ? undefined : resource.subresources.get(subresource)
  if (own === undefined || own.kind === resource.info.kind) return resource.info.type
  return typeTable.kind(own.group, own.version, own.kind)?.name
}

function apply(
  type: Exclude<PatchType, 'apply'>,
  before: KubeObject,
  body: unknown,
  typeName: string | undefined,
): unknown {
  if (body instanceof Unreadable) throw body.why
  try {
    if (type === 'json') return applyJsonPatch(before, body)
    if (type === 'merge') return applyMergePatch(before, body)
    return applyStrategicPatch(before, body, typeName!, typeTable)
  } catch (error) {
    if (error instanceof PatchError) throw patchStatus(error)
    throw error
  }
}

function checkType({ resource }: Target, after: KubeObject, before: KubeObject): void {
  if (after.kind === before.kind && after.apiVersion === before.apiVersion) return
  throw errors.badRequest(
    `the API version in the data (${after.apiVersion}) does not match the expected API version (${before.apiVersion ?? versionOf(resource)})`,
  )
}
