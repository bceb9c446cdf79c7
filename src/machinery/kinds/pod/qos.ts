/** Quality of service: how a node treats a pod when memory is short. */
import { compareQuantities, signOf } from '../../quantity.ts'
import { entriesOf, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { isHugePages, quantityIn } from '../resources.ts'

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** The class that a pod's spec gives it. */
export function qosClass(spec: Json): QosClass {
  const pod: Json = spec.resources
  const podLevel = [...entriesOf(pod?.requests), ...entriesOf(pod?.limits)].some(
    ([name]) => name === 'cpu' || name === 'memory' || isHugePages(name),
  )
  if (podLevel) return requirementsClass(pod)
  let result: QosClass | undefined
  for (const container of [...listOf(spec.initContainers), ...listOf(spec.containers)]) {
    const own = requirementsClass(container.resources)
    if (own === 'Burstable' || (result !== undefined && own !== result)) return 'Burstable'
    result = own
  }
  return result ?? 'BestEffort'
}

function requirementsClass(resources: Json): QosClass {
  if (!isSet(resources)) return 'BestEffort'
  const [cpu, memory] = [resourceClass(resources, 'cpu'), resourceClass(resources, 'memory')]
  return cpu === memory ? cpu : 'Burstable'
}

function resourceClass(resources: Json, name: string): QosClass {
  const request = quantityIn(resources.requests, name)
  const limit = quantityIn(resources.limits, name)
  const asked = request !== undefined && signOf(request) !== 0
  const capped = limit !== undefined && signOf(limit) !== 0
  if (!asked && !capped) return 'BestEffort'
  return asked && capped && compareQuantities(request, limit) === 0 ? 'Guaranteed' : 'Burstable'
}
