/** Mutations of policies: what their expressions evaluate to, put into the object. */
import type { Schema } from '../../../machinery/apply/index.ts'
import { TypedError, builtinSchema, checkTyped, fieldSchema, merge } from '../../../machinery/apply/index.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import { PatchError } from '../../../machinery/patch/error.ts'
import { applyJsonPatch } from '../../../machinery/patch/json.ts'
import type { JsonPatchOperation } from '../../../machinery/policy/mutation.ts'
import { MutationError } from '../../../machinery/policy/mutation.ts'
import { typeTable } from '../../../machinery/types/index.ts'
import type { ServedResource } from '../../contract.ts'
import { schemaOf } from '../../registry/managers.ts'
import { kindOf } from '../match/view.ts'

/** The object with an apply configuration merged into it. Shares parts with both. @throws MutationError */
export function applyConfiguration(
  object: KubeObject,
  config: Readonly<Record<string, unknown>>,
  served: ServedResource,
  subresource: string,
): KubeObject {
  const schema = schemaFor(served, subresource)
  const typed = { ...config, kind: object.kind, apiVersion: object.apiVersion }
  try {
    checkTyped(typed, schema)
  } catch (error) {
    if (!(error instanceof TypedError)) throw error
    throw new MutationError(`error applying patch: failed to convert patch object to typed object: ${error.message}`)
  }
  const atomic: string[] = []
  findAtomic(typed, schema, '', atomic)
  if (atomic.length > 0) {
    const text = `may not mutate atomic arrays, maps or structs: ${atomic.join(', ')}`
    throw new MutationError(`error applying patch: invalid ApplyConfiguration: ${text}`)
  }
  try {
    return merge(object, typed, schema) as KubeObject
  } catch (error) {
    if (!(error instanceof TypedError)) throw error
    throw new MutationError(`error applying patch: failed to merge patch: ${error.message}`)
  }
}

/** Upstream knows the types of a kind's own group only: not the Scale of a Deployment. */
function schemaFor(served: ServedResource, subresource: string): Schema {
  const { group, version, kind } = kindOf(served, subresource)
  if (kind === served.info.kind && group === served.info.group) return schemaOf(served)
  const type = group === served.info.group ? typeTable.kind(group, version, kind) : undefined
  if (type !== undefined) return builtinSchema(type.name)
  const shown = `${group}/${version}, Kind=${kind}`
  throw new MutationError(
    `error applying patch: failed to convert patch object to typed object: no corresponding type for ${shown}`,
  )
}

/** What is owned as a whole could only be replaced, and with it what the expression did not mean to touch. */
function findAtomic(value: unknown, schema: Schema, path: string, out: string[]): void {
  if (Array.isArray(value)) {
    const { list } = schema
    if (list === undefined) return
    if (list.atomic) out.push(path)
    value.forEach((item, i) => findAtomic(item, list.item, `${path}[${i}]`, out))
  } else if (typeof value === 'object' && value !== null) {
    const { map } = schema
    if (map === undefined) return
    if (map.atomic) out.push(path)
    for (const [name, item] of Object.entries(value)) {
      if (map.field(name) !== undefined) findAtomic(item, fieldSchema(map, name)!, `${path}.${name}`, out)
    }
  }
}

const TEST_FAILED = /^testing value .* failed: test failed$/s

/** The object after a JSON patch; itself when a `test` fails. @throws MutationError */
export function applyOperations(object: KubeObject, operations: readonly JsonPatchOperation[]): unknown {
  try {
    return applyJsonPatch(object, operations)
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    if (TEST_FAILED.test(error.message)) return object
    throw new MutationError(`JSON Patch: ${error.message}`)
  }
}
