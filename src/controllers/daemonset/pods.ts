/** The pods of a DaemonSet: which nodes should have one, and what they are made of. Pure. */
import { REVISION_HASH } from '../history.ts'
import { annotation, controllerReference, label, parseTime } from '../meta.ts'
import type { Node, NodeSelectorTerm, Pod, PodSpec, Toleration } from '../objects.ts'
import { isTerminal } from '../pods.ts'
import { repellingTaint, selectsNode, tolerates } from '../scheduler/node-affinity.ts'
import type { DaemonSet } from './objects.ts'

const GENERATION_LABEL = 'pod-template-generation'
const GENERATION_ANNOTATION = 'deprecated.daemonset.template.generation'
const HOST_NAME = 'metadata.name'

/** The conditions of nodes that daemons live with. */
const TOLERATED: readonly (readonly [key: string, effect: string])[] = [
  ['not-ready', 'NoExecute'],
  ['unreachable', 'NoExecute'],
  ['disk-pressure', 'NoSchedule'],
  ['memory-pressure', 'NoSchedule'],
  ['pid-pressure', 'NoSchedule'],
  ['unschedulable', 'NoSchedule'],
]

/** The set's own tolerations and those of all daemons. */
export function daemonTolerations({ tolerations = [], hostNetwork }: PodSpec): Toleration[] {
  const wanted = [...TOLERATED, ...(hostNetwork === true ? [['network-unavailable', 'NoSchedule'] as const] : [])]
  const out = [...tolerations]
  for (const [name, effect] of wanted) {
    const key = `node.kubernetes.io/${name}`
    const own: Toleration = { key, operator: 'Exists', effect }
    const at = out.findIndex((one) => one.key === key && one.effect === effect && (one.value ?? '') === '')
    if (at < 0) out.push(own)
    else out[at] = own
  }
  return out
}

export interface Placement {
  /** A missing pod is to be made. */
  readonly run: boolean
  /** A pod that is there may stay. */
  readonly keep: boolean
}

/** Whether a node should have a pod of the set. */
export function placementOn(node: Node, set: DaemonSet): Placement {
  const { spec } = set.spec.template
  const elsewhere = (spec.nodeName ?? '') !== '' && spec.nodeName !== node.metadata.name
  if (elsewhere || !selectsNode(spec, node)) return { run: false, keep: false }
  const tolerations = daemonTolerations(spec)
  if (repellingTaint({ ...spec, tolerations }, node) === undefined) return { run: true, keep: true }
  const taints = node.spec?.taints ?? []
  return { run: false, keep: taints.every((taint) => taint.effect !== 'NoExecute' || tolerates(tolerations, taint)) }
}

export function daemonPod(set: DaemonSet, node: string, hash: string): Pod {
  const { metadata = {}, spec } = set.spec.template
  const generation = annotation(set, GENERATION_ANNOTATION)
  const term: NodeSelectorTerm = { matchFields: [{ key: HOST_NAME, operator: 'In', values: [node] }] }
  const nodeAffinity = {
    ...spec.affinity?.nodeAffinity,
    requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: `${set.metadata.name!}-`.slice(0, 248),
      namespace: set.metadata.namespace!,
      labels: {
        ...metadata.labels,
        [REVISION_HASH]: hash,
        ...(generation === undefined ? {} : { [GENERATION_LABEL]: generation }),
      },
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference('apps/v1', 'DaemonSet', set)],
    },
    spec: {
      ...spec,
      tolerations: daemonTolerations(spec),
      affinity: { ...spec.affinity, nodeAffinity },
    },
  }
}

/** Where the pod is, or is to be; '' when it says nothing. */
export function nodeOf({ spec }: Pod): string {
  if ((spec.nodeName ?? '') !== '') return spec.nodeName!
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []
  for (const { matchFields = [] } of terms) {
    const field = matchFields.find(({ key, operator }) => key === HOST_NAME && operator === 'In')
    if (field?.values?.length === 1) return field.values[0]!
  }
  return ''
}

export type ByNode = ReadonlyMap<string, readonly Pod[]>

/** Pods by node, the one that counts first: scheduled before not, older before younger. */
export function byNode(pods: readonly Pod[]): ByNode {
  const out = new Map<string, Pod[]>()
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined && isTerminal(pod)) continue
    const node = nodeOf(pod)
    const list = out.get(node)
    if (list === undefined) out.set(node, [pod])
    else list.push(pod)
  }
  for (const list of out.values()) list.sort(compare)
  return out
}

function compare(a: Pod, b: Pod): number {
  const [here, there] = [(a.spec.nodeName ?? '') !== '', (b.spec.nodeName ?? '') !== '']
  if (here !== there) return here ? -1 : 1
  const age = parseTime(a.metadata.creationTimestamp) - parseTime(b.metadata.creationTimestamp)
  return age !== 0 ? age : a.metadata.name! < b.metadata.name! ? -1 : 1
}

/** Whether the pod is made from the set's template as it is now. */
export function isUpdated(pod: Pod, set: DaemonSet, hash: string): boolean {
  const generation = annotation(set, GENERATION_ANNOTATION)
  return label(pod, REVISION_HASH) === hash || (generation !== undefined && label(pod, GENERATION_LABEL) === generation)
}
