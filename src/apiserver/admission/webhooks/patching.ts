/** The JSON patch of a mutating webhook, applied to what it was sent and taken over into the request's object. */
import { DecodeError } from '../../../machinery/codec/error.ts'
import { decodeJsonBytes } from '../../../machinery/codec/json.ts'
import { normalize } from '../../../machinery/codec/normalize.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import { PatchError } from '../../../machinery/patch/error.ts'
import { applyJsonPatch } from '../../../machinery/patch/json.ts'
import { put } from '../../../machinery/patch/value.ts'
import { errors } from '../../../machinery/status.ts'
import { typeTable } from '../../../machinery/types/index.ts'
import { equalJson } from '../../../machinery/equality.ts'
import type { ServedResource } from '../../contract.ts'
import { noObject } from '../../dial/post.ts'
import { convert, versionOf } from '../../registry/convert.ts'
import { outside } from '../../registry/core.ts'
import { convertObject } from '../../registry/custom-views.ts'
import { copyJson } from '../../registry/json.ts'
import { defaulted, reshape } from '../../registry/strategy.ts'
import { scale } from '../../subresources/scale.ts'
import type { View } from '../match/view.ts'
import { kindOf } from '../match/view.ts'
import { CallFailure } from './failure.ts'
import type { Hook } from './hook.ts'

/** Bytes of a patch: as many as a request may have. */
const MAX_PATCH = 3 * 1024 * 1024

/** The operations. @throws CallFailure */
export function operationsOf(hook: Hook, patch: Buffer): readonly unknown[] {
  const undecodable = (why: string) =>
    new CallFailure(hook.name, `received undecodable patch in webhook response: ${why}`)
  if (patch.length > MAX_PATCH) throw undecodable(`it has more than ${MAX_PATCH} bytes`)
  let value: unknown
  try {
    ;({ value } = decodeJsonBytes(patch))
  } catch (error) {
    throw undecodable((error as Error).message)
  }
  if (value === null) return []
  if (!Array.isArray(value)) throw undecodable('json: cannot unmarshal object into Go value of type jsonpatch.Patch')
  return value as unknown[]
}

/**
 * Applies them to the object in the version that the webhook saw, sets defaults, and changes the request's object in
 * place. Whether anything is different.
 *
 * @throws StatusError 500 when the patch does not fit or makes something that is no object of its kind
 */
export async function applyOperations(
  view: View,
  matched: ServedResource,
  operations: readonly unknown[],
  /** Between two pieces of work of which each may be long. */
  pause: () => Promise<void> | undefined,
): Promise<boolean> {
  const before = view.in(matched).object!
  await pause()
  const made = patched(before, operations)
  await pause()
  const after = decoded(made, before, matched, view.subresource)
  await pause()
  if (equalJson(before, after)) return false
  await pause()
  await takeOver(view, matched, after)
  view.changed()
  return true
}

function patched(before: KubeObject, operations: readonly unknown[]): unknown {
  try {
    return applyJsonPatch(before, operations)
  } catch (error) {
    if (error instanceof PatchError) throw errors.internal(error.message)
    throw error
  }
}

function decoded(after: unknown, before: KubeObject, matched: ServedResource, subresource: string): KubeObject {
  if (after === null || typeof after !== 'object' || Array.isArray(after)) {
    throw errors.internal(noObject(after))
  }
  const { kind, apiVersion, metadata } = after as KubeObject
  if (kind !== before.kind || apiVersion !== before.apiVersion) {
    throw errors.internal(`unable to convert ${apiVersion}, Kind=${kind} to ${before.apiVersion}, Kind=${before.kind}`)
  }
  const type = typeOf(matched, subresource)
  if (type !== undefined) return typed(after, type) as KubeObject
  const object = copyJson(after as KubeObject)
  object.metadata = typed(metadata ?? {}, METADATA) as KubeObject['metadata']
  return object
}

const METADATA = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

function typed(value: unknown, type: string): unknown {
  try {
    return normalize(value, typeTable.type(type)).object
  } catch (error) {
    if (error instanceof DecodeError) throw errors.internal(error.message)
    throw error
  }
}

/** Of the object that the request carries; undefined for custom resources. */
function typeOf(served: ServedResource, subresource: string): string | undefined {
  const own = subresource === '' ? undefined : served.subresources.get(subresource)
  if (own === undefined || own.kind === served.info.kind) return served.info.type
  const { group, version, kind } = kindOf(served, subresource)
  return typeTable.kind(group, version, kind)?.name
}

async function takeOver(view: View, matched: ServedResource, after: KubeObject): Promise<void> {
  const { request, subresource, name, namespace } = view
  const { resource, object } = request
  if (subresource === 'scale') {
    const target = { resource: matched, namespace, name, subresource }
    const parent = convert(copyJson(object), versionOf(matched))
    replace(object, convert(scale.merge!(parent, after, target), versionOf(resource)))
    return
  }
  const own = kindOf(matched, subresource).kind === matched.info.kind
  if (!own) replace(object, after)
  else if (resource.custom === undefined)
    replace(
      object,
      defaulted(resource, after, () => request.state.now()),
    )
  else {
    const made = await back(view, after, versionOf(resource))
    reshape(resource, made)
    replace(object, made)
  }
}

/** What a webhook saw in a version of its own is again in that of the request. */
function back({ request }: View, after: KubeObject, version: string): KubeObject | Promise<KubeObject> {
  const { custom } = request.resource
  if (custom?.conversion === undefined || after.apiVersion === version) return convert(after, version)
  return outside(request.call, convertObject(after, custom, version))
}

/** Others hold the object: it stays the same one with another content. */
function replace(object: KubeObject, content: KubeObject): void {
  if (object === content) return
  for (const key of Object.keys(object)) delete object[key]
  for (const key of Object.keys(content)) put(object, key, content[key])
}
