/** An object on its way in: a copy that the verb may keep, in the form that the wire's decoder would give it. */
import type { Target } from '../contract.ts'
import { DecodeError } from '../../machinery/codec/error.ts'
import { normalize } from '../../machinery/codec/normalize.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { TypeInfo } from '../../machinery/types/table.ts'
import { copyJson } from '../registry/json.ts'

/** @throws StatusError 400 for values that the kind's fields can not have */
export function own(object: KubeObject, target: Target): KubeObject {
  const type = typeOf(target)
  if (type === undefined) return copyJson(object)
  try {
    const { object: normal } = normalize(object, type)
    return normal as KubeObject
  } catch (error) {
    if (error instanceof DecodeError) throw errors.badRequest(error.message)
    throw error
  }
}

function typeOf({ resource, subresource }: Target): TypeInfo | undefined {
  const part = subresource === undefined ? undefined : resource.subresources.get(subresource)
  if (part !== undefined && part.kind !== resource.info.kind) return typeTable.kind(part.group, part.version, part.kind)
  return resource.info.type === undefined ? undefined : typeTable.type(resource.info.type)
}
