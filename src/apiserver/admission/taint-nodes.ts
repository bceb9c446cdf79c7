/** TaintNodesByCondition: no pod is placed on a new node before it has said that it is ready. */
import type { AdmissionPlugin } from './contract.ts'

const NOT_READY = 'node.kubernetes.io/not-ready'
const EFFECT = 'NoSchedule'

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  handles: (operation, info, subresource) =>
    operation === 'CREATE' && subresource === '' && info.group === '' && info.resource === 'nodes',
  mutate({ object }) {
    const spec = (object['spec'] ??= {}) as { taints?: { key: string; effect: string }[] }
    if ((spec.taints ?? []).some((t) => t.key === NOT_READY && t.effect === EFFECT)) return
    ;(spec.taints ??= []).push({ key: NOT_READY, effect: EFFECT })
  },
}
