/** A request's object, from bytes to what the registry gets. */
import { type ExpectedKind, decodeBody } from '../../machinery/codec/body.ts'
import { unknownField } from '../../machinery/codec/error.ts'
import type { Emptied } from '../../machinery/codec/normalize.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { CustomResource, Target } from '../contract.ts'

/** What a body is expected to hold. */
export interface Expected {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** The kind that a create or update of this target sends. */
export function kindOf(target: Target): Expected {
  const { info, subresources } = target.resource
  const subresource = target.subresource === undefined ? undefined : subresources.get(target.subresource)
  return subresource ?? info
}

/** The custom resource whose object a target's body is; undefined for built-in kinds, those of subresources too. */
export function customOf({ resource }: Target, { group, kind }: Expected): CustomResource | undefined {
  return group === resource.info.group && kind === resource.info.kind ? resource.custom : undefined
}

/** An object that was sent. */
export interface Sent {
  readonly object: KubeObject
  /** What strict decoding says, and fields that the kind does not have. */
  readonly problems: readonly string[]
  readonly emptied: readonly Emptied[] | undefined
}

/**
 * Decodes an object.
 * @param unknown whether fields that the kind does not have are looked for
 * @throws StatusError 400, 415
 */
export function decodeObject(bytes: Buffer, mediaType: string, target: Target, unknown: boolean): Sent {
  const expected = kindOf(target)
  const custom = customOf(target, expected)
  const type = custom === undefined ? typeTable.kind(expected.group, expected.version, expected.kind) : undefined
  const wanted: ExpectedKind = { apiVersion: apiVersionOf(expected), kind: expected.kind }
  const { object, problems, unknownMetadata, emptied } = decodeBody(bytes, mediaType, type, wanted)
  checkMetadata(object)
  if (!unknown || custom === undefined) return { object, problems, emptied }
  const fields = [...custom.unknownFields(object), ...unknownMetadata]
  return { object, problems: fields.length === 0 ? problems : [...problems, ...fields.map(unknownField)], emptied }
}

/** metadata of a custom resource comes as it was sent: it must be an object before anybody reads it. */
function checkMetadata(object: KubeObject): void {
  const { metadata } = object as { metadata: unknown }
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata))
    throw errors.badRequest('metadata: Invalid value: must be an object')
}
