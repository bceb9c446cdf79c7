/** Puts what a policy made of an object back into the request. */
import { DecodeError } from '../../../machinery/codec/error.ts'
import { normalize } from '../../../machinery/codec/normalize.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import { errors } from '../../../machinery/status.ts'
import { typeTable } from '../../../machinery/types/index.ts'
import { equalJson } from '../../../machinery/equality.ts'
import type { ServedResource } from '../../contract.ts'
import { keepMetadata } from '../../registry/change-metadata.ts'
import { convert, versionOf } from '../../registry/convert.ts'
import { outside } from '../../registry/core.ts'
import { convertObject } from '../../registry/custom-views.ts'
import { copyJson } from '../../registry/json.ts'
import { setManagers } from '../../registry/managers.ts'
import { ordered } from '../../registry/stored.ts'
import { defaulted, reshape } from '../../registry/strategy.ts'
import { scale } from '../../subresources/scale.ts'
import type { View } from '../match/view.ts'
import { kindOf } from '../match/view.ts'
import { awaited, type Pause } from './slices.ts'

/**
 * Decodes `made`, in the version of `served`, as strictly as a body; gives it defaults, and makes it the object of the
 * request; answers whether that changed anything. What the server keeps for itself stays. @throws StatusError 500 for what is no object of the kind, as
 * upstream has it; 400 for another namespace
 */
export function* replaceObject(view: View, served: ServedResource, made: unknown): Generator<Pause, boolean> {
  const { request, subresource } = view
  const own = decoded(made, served, subresource)
  const parent = subresource === 'scale' ? withScale(view, served, own) : own
  const { object } = request
  const stored = request.resource
  const version = versionOf(stored)
  const { custom } = stored
  let next: KubeObject
  if (custom === undefined) next = defaulted(stored, parent, () => request.state.now())
  else {
    const back =
      custom.conversion === undefined || parent.apiVersion === version
        ? convert(parent, version)
        : yield* awaited(outside(request.call, convertObject(parent, custom, version)))
    next = ordered(back, stored.info.kind, version)
    reshape(stored, next)
  }
  const { managedFields, namespace } = object.metadata
  if ((next.metadata.namespace ?? '') !== (namespace ?? '')) {
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (request.operation === 'UPDATE' && request.old !== undefined) keepMetadata(next.metadata, request.old.metadata)
  else {
    delete next.metadata.deletionTimestamp
    delete next.metadata.deletionGracePeriodSeconds
  }
  setManagers(next.metadata, managedFields)
  if (equalJson(next, object)) return false
  for (const key of Object.keys(object)) delete object[key]
  for (const [key, value] of Object.entries(next)) setMember(object, key, value)
  view.changed()
  return true
}

function decoded(made: unknown, served: ServedResource, subresource: string): KubeObject {
  const { group, version, kind } = kindOf(served, subresource)
  const type = typeTable.kind(group, version, kind)
  if (type === undefined) return copyJson(made) as KubeObject
  try {
    const { object, unknown } = normalize(copyJson(made), type)
    if (unknown.length > 0) {
      const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`)
      throw errors.internal(`strict decoding error: ${texts.join(', ')}`)
    }
    object['metadata'] ??= {}
    return object as unknown as KubeObject
  } catch (error) {
    if (error instanceof DecodeError) throw errors.internal(error.message)
    throw error
  }
}

function withScale(
  { request, name, namespace, subresource }: View,
  served: ServedResource,
  made: KubeObject,
): KubeObject {
  const parent = copyJson(convert(request.object, versionOf(served)))
  return scale.merge!(parent, made, { resource: served, name, namespace, subresource })
}

function setMember(object: KubeObject, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
}
