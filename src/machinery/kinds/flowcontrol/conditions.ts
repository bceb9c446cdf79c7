/** Conditions of the kinds of flow control: a type each, once. */
import { child, duplicate, index, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import type { KubeObject } from '../../object.ts'
import type { Errors } from '../checks.ts'
import { listOf } from '../json.ts'
import type { Json } from '../json.ts'

export function statusErrors(object: KubeObject): FieldError[] {
  const out: Errors = []
  const seen = new Set<string>()
  listOf((object['status'] as Json)?.conditions).forEach(({ type = '' }, i) => {
    const at = child(index('status.conditions', i), 'type')
    if (seen.has(type)) out.push(duplicate(at, type))
    seen.add(type)
    if (!type) out.push(required(at))
  })
  return out
}

/** A write of the status leaves the metadata as it is. */
export function keepMetadata(object: KubeObject, old: KubeObject): void {
  const { resourceVersion, managedFields } = object.metadata
  object.metadata = { ...old.metadata }
  if (resourceVersion === undefined) delete object.metadata.resourceVersion
  else object.metadata.resourceVersion = resourceVersion
  if (managedFields === undefined) delete object.metadata.managedFields
  else object.metadata.managedFields = managedFields
}
