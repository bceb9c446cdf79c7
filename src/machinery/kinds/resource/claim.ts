/** ResourceClaim and ResourceClaimTemplate. */
import { invalid } from '../../field.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { sameAs } from '../equal.ts'
import { shownAs } from '../internal.ts'
import { listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'
import { templateMetadata } from '../template-metadata.ts'
import { defaultClaimSpec, dropDisabled, validateClaimSpec } from './requests.ts'
import { deviceKey, validateClaimStatus } from './status.ts'

const specOf = (object: Json): Json => object['spec'] ?? {}

/** Names devices' states that belong to what was allocated and is no more. */
function dropDeallocated(object: Json, old: Json): void {
  const gone = new Set(listOf(old.status?.allocation?.devices?.results).map(deviceKey))
  for (const result of listOf(object.status?.allocation?.devices?.results)) gone.delete(deviceKey(result))
  const devices = listOf(object.status?.devices)
  if (gone.size === 0 || devices.length === 0) return
  const kept = devices.filter((device) => !gone.has(deviceKey(device)))
  if (kept.length > 0) object.status.devices = kept
  else delete object.status.devices
}

export const resourceClaimRules: KindRules = {
  defaults: (claim) => {
    defaultClaimSpec(claim['spec'])
    for (const result of listOf((claim['status'] as Json)?.allocation?.devices?.results)) {
      for (const one of listOf(result.tolerations)) if (!one.operator) one.operator = 'Equal'
    }
  },
  prepareCreate: (claim) => {
    claim['status'] = {}
    dropDisabled(claim['spec'])
  },
  prepareUpdate: (claim, old) => {
    claim['status'] = old['status']
    dropDisabled(claim['spec'])
  },
  prepareStatus: (claim, old) => {
    keepMetadata(claim, old)
    // DRAOptionalNodeOperations is off.
    for (const result of listOf((claim['status'] as Json)?.allocation?.devices?.results)) {
      delete result.skipNodeOperations
    }
    dropDeallocated(claim, old)
  },
  *validateInSteps(claim, old) {
    const out: Errors = []
    if (old === undefined) yield* validateClaimSpec(claim['spec'], 'spec', out)
    return out
  },
  validateUpdate: (claim, old) =>
    same(specOf(claim), specOf(old)) ? [] : [invalid('spec', null, 'field is immutable')],
  validateStatus: validateClaimStatus,
  generation: false,
}

const TEMPLATE = 'io.k8s.api.resource.v1.ResourceClaimTemplateSpec'

export const resourceClaimTemplateRules: KindRules = {
  defaults: (template) => defaultClaimSpec((template['spec'] as Json)?.spec),
  prepareCreate: (template) => dropDisabled((template['spec'] as Json)?.spec),
  prepareUpdate: (template) => dropDisabled((template['spec'] as Json)?.spec),
  *validateInSteps(template) {
    const out: Errors = []
    const spec: Json = template['spec'] ?? {}
    templateMetadata(spec.metadata ?? {}, 'spec.metadata', out)
    yield* validateClaimSpec(spec.spec, 'spec.spec', out)
    return out
  },
  validateUpdate: (template, old) =>
    sameAs(TEMPLATE, template['spec'], old['spec'])
      ? []
      : [invalid('spec', shownAs(TEMPLATE, template['spec']), 'field is immutable')],
  generation: false,
}
