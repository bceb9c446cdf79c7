/** What a node may say about itself: nothing that would draw pods to it that are not meant for it. */
import type { KubeObject } from '../../../machinery/object.ts'
import { equalJson } from '../../../machinery/equality.ts'
import type { AdmissionRequest } from '../contract.ts'
import { refusal } from '../refusal.ts'

/** Labels under Kubernetes' own domains that kubelets set. */
const OWN: ReadonlySet<string> = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
])

export function checkNode(request: AdmissionRequest, node: string): void {
  const { operation, name, object, old } = request
  const self = JSON.stringify(node)
  const no = (why: string): Error => refusal(request, why)
  if (name !== node) throw no(`node ${self} is not allowed to modify node ${JSON.stringify(name)}`)
  const configSource: unknown = object['spec']?.configSource
  if (operation === 'CREATE') {
    if (configSource !== undefined) throw no(`node ${self} is not allowed to create pods with a non-nil configSource`)
    const wrong = forbiddenLabels(object, undefined)
    if (wrong.length > 0) throw no(`node ${self} is not allowed to set the following labels: ${wrong.join(', ')}`)
  }
  if (operation !== 'UPDATE' || old === undefined) return
  if (configSource !== undefined && !equalJson(configSource, old['spec']?.configSource)) {
    throw no(`node ${self} is not allowed to update configSource to a new non-nil configSource`)
  }
  if (!equalJson(object['spec']?.taints ?? [], old['spec']?.taints ?? [])) {
    throw no(`node ${self} is not allowed to modify taints`)
  }
  if (!equalJson(object.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? [])) {
    throw no(`node ${self} is not allowed to modify ownerReferences`)
  }
  const wrong = forbiddenLabels(object, old)
  if (wrong.length > 0) throw no(`is not allowed to modify labels: ${wrong.join(', ')}`)
}

/** Labels that change and that a node may not change, sorted. */
function forbiddenLabels(object: KubeObject, old: KubeObject | undefined): string[] {
  const now = new Map(Object.entries(object.metadata.labels ?? {}))
  const before = new Map(Object.entries(old?.metadata.labels ?? {}))
  const names = new Set([...now.keys(), ...before.keys()])
  return [...names].filter((name) => now.get(name) !== before.get(name) && !isAllowed(name)).sort()
}

function isAllowed(label: string): boolean {
  const slash = label.indexOf('/')
  const domain = slash < 0 ? '' : label.slice(0, slash)
  const within = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`)
  if (within('node-restriction.kubernetes.io')) return false
  if (!within('kubernetes.io') && !within('k8s.io')) return true
  return OWN.has(label) || within('kubelet.kubernetes.io') || within('node.kubernetes.io')
}
