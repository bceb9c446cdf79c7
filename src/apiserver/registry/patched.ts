/** What comes out of a patch is decoded as strictly as what comes over the wire. */
import type { Call, Target } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { decodeObject } from '../../machinery/codec/index.ts'
import { warn } from './core.ts'

/**
 * The patched object in canonical form. @throws StatusError 400 for values of a wrong type, and for unknown fields
 * when the call wants them refused
 */
export function checkPatched(call: Call, target: Target, object: KubeObject, typeName: string | undefined): KubeObject {
  const { object: own, unknown } =
    typeName === undefined
      ? { object, unknown: target.resource.custom?.unknownFields(object) ?? [] }
      : decodeObject(object, typeName)
  if (own.metadata === null || typeof own.metadata !== 'object') own.metadata = {}
  if (unknown.length === 0 || call.fieldValidation === 'Ignore') return own
  const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`)
  if (call.fieldValidation === 'Strict') throw errors.badRequest(`strict decoding error: ${texts.join(', ')}`)
  for (const text of texts) warn(call, text)
  return own
}
