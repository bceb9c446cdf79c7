/** DefaultTolerationSeconds: a pod stays for five minutes on a node that is not ready or unreachable. */
import type { AdmissionPlugin } from './contract.ts'

const SECONDS = 300
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']

interface Toleration {
  key?: string
  operator?: string
  effect?: string
  tolerationSeconds?: number
}

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: (operation, info, subresource) =>
    operation !== 'DELETE' && subresource === '' && info.group === '' && info.resource === 'pods',
  mutate({ object }) {
    const spec = object['spec'] as { tolerations?: Toleration[] } | undefined
    if (spec === undefined) return
    for (const key of TAINTS) {
      if ((spec.tolerations ?? []).some((t) => tolerates(t, key))) continue
      ;(spec.tolerations ??= []).push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS })
    }
  },
}

function tolerates({ key = '', effect = '' }: Toleration, taint: string): boolean {
  return (key === taint || key === '') && (effect === 'NoExecute' || effect === '')
}
