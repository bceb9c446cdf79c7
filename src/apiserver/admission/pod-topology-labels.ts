/** PodTopologyLabels: a pod that is put on a node takes its zone and region along as labels. */
import type { KubeObject } from '../../machinery/object.ts'
import type { AdmissionPlugin } from './contract.ts'

const LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  handles: (operation, info, subresource) =>
    operation === 'CREATE' &&
    info.group === '' &&
    info.resource === 'pods' &&
    (subresource === '' || subresource === 'binding'),
  mutate({ object, state, subresource }) {
    const node = subresource === 'binding' ? boundTo(object) : ((object['spec']?.nodeName as string | undefined) ?? '')
    if (node === '') return
    const labels = state.find('', 'nodes', '', node)?.metadata.labels
    if (labels === undefined) return
    for (const name of LABELS) {
      if (Object.hasOwn(labels, name)) (object.metadata.labels ??= {})[name] = labels[name]!
    }
  },
}

function boundTo(binding: KubeObject): string {
  const target = binding['target'] as { kind?: string; name?: string } | undefined
  return target?.kind === 'Node' ? (target.name ?? '') : ''
}
