/** PodResizeValidator: a pod on a node is not resized beyond what the node has, and only where nodes can do it. */
import type { KubeObject } from '../../machinery/object.ts'
import { podRequests, quantities } from '../../machinery/pod-resources.ts'
import { compareQuantities, quantityMilli, quantityOf, quantityValue } from '../../machinery/quantity.ts'
import type { AdmissionPlugin } from './contract.ts'
import { refusal } from './refusal.ts'

const OS = 'kubernetes.io/os'

export const podResizeValidator: AdmissionPlugin = {
  name: 'PodResizeValidator',
  handles: (operation, info, subresource) =>
    operation === 'UPDATE' && subresource === 'resize' && info.group === '' && info.resource === 'pods',
  validate(request) {
    const { object, old, state } = request
    const name: string = object['spec']?.nodeName ?? ''
    if (name === '' || old === undefined || old.metadata.generation === object.metadata.generation) return
    const node = state.find('', 'nodes', '', name)
    if (node === undefined) throw refusal(request, `node ${JSON.stringify(name)} not found`)
    const labels = node.metadata.labels ?? {}
    if (Object.hasOwn(labels, OS) && labels[OS] !== 'linux') {
      const text = `pod resize is only supported on linux nodes, node ${JSON.stringify(name)} is ${JSON.stringify(labels[OS])}`
      throw refusal(request, text, [{ reason: 'UnsupportedPlatform' }])
    }
    const lacking = beyond(object, node)
    if (lacking.length === 0) return
    const text = `node didn't have enough allocatable resources: ${lacking.join('; ')}`
    throw refusal(request, text, [{ reason: 'NodeCapacity' }])
  },
}

const UNITS = [
  ['cpu', quantityMilli],
  ['memory', quantityValue],
] as const

/** What the pod asks for more of than the node can give. */
function beyond(pod: KubeObject, node: KubeObject): string[] {
  const asked = podRequests(pod)
  const there = quantities(node['status']?.allocatable as Record<string, string> | undefined)
  return UNITS.flatMap(([name, unit]) => {
    const [requested, allocatable] = [asked.get(name) ?? quantityOf(0), there.get(name) ?? quantityOf(0)]
    if (compareQuantities(requested, allocatable) <= 0) return []
    return [`${name}, requested: ${unit(requested)}, allocatable: ${unit(allocatable)}`]
  })
}
