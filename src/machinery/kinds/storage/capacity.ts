/** CSIStorageCapacity. */
import { invalid } from '../../field.ts'
import { parseQuantity, signOf } from '../../quantity.ts'
import { dnsSubdomain } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, same } from '../json.ts'
import type { Json } from '../json.ts'
import { validateLabelSelector } from '../labels.ts'
import { selectorWarnings } from '../node-labels.ts'

export const storageCapacityRules: KindRules = {
  validate: (object, old) => {
    const allowInvalidValues = validateLabelSelector(old?.['nodeTopology'], '').length > 0
    const out: Errors = [...validateLabelSelector(object['nodeTopology'], 'nodeTopology', { allowInvalidValues })]
    dnsSubdomain(object['storageClassName'], 'storageClassName', out)
    const capacity: Json = object['capacity']
    const quantity = isSet(capacity) ? parseQuantity(String(capacity)) : undefined
    if (quantity !== undefined && signOf(quantity) < 0) {
      out.push(invalid('capacity', capacity, 'must be greater than or equal to 0'))
    }
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    const [topology, before] = [now['nodeTopology'], old['nodeTopology']]
    // No selector and an empty one are not the same.
    if (isSet(topology) !== isSet(before) || !same(topology, before)) {
      out.push(invalid('nodeTopology', topology ?? null, 'field is immutable'))
    }
    const name: Json = now['storageClassName'] ?? ''
    if (name !== (old['storageClassName'] ?? '')) out.push(invalid('storageClassName', name, 'field is immutable'))
    return out
  },
  warnings: (object) => selectorWarnings(object['nodeTopology'], 'nodeTopology'),
  unconditionalUpdate: false,
  generation: false,
}
