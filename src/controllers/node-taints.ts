/** Taints that follow from a node's conditions and from its cordon: what is not fit for pods keeps them away. */
import { resources } from '../client/resources.ts'
import type { Controller, ControllerContext } from './contract.ts'
import { sameValue } from './meta.ts'
import type { Condition, Node, Taint } from './objects.ts'

const PREFIX = 'node.kubernetes.io/'

/** Taint by condition and the status that calls for it. */
const BY_CONDITION: readonly [condition: string, status: string, taint: string][] = [
  ['Ready', 'False', 'not-ready'],
  ['Ready', 'Unknown', 'unreachable'],
  ['MemoryPressure', 'True', 'memory-pressure'],
  ['DiskPressure', 'True', 'disk-pressure'],
  ['PIDPressure', 'True', 'pid-pressure'],
  ['NetworkUnavailable', 'True', 'network-unavailable'],
]
const OWN: ReadonlySet<string> = new Set([
  ...BY_CONDITION.map(([, , taint]) => PREFIX + taint),
  `${PREFIX}unschedulable`,
])

/** Keys are nodes. */
export function nodeTaintController(context: ControllerContext): Controller {
  const nodes = context.client.informer<Node>(resources.nodes)
  return {
    name: 'node-taints',
    start() {
      nodes.onEvent(({ type, object }) => {
        if (type !== 'delete') context.enqueue(object.metadata.name!)
      })
    },
    async reconcile(name) {
      const node = nodes.get('', name)
      if (node === undefined || node.metadata.deletionTimestamp !== undefined) return
      const taints = taintsOf(node)
      if (sameValue(taints, node.spec?.taints)) return
      await context.client.update(resources.nodes, { ...node, spec: { ...node.spec, taints } })
    },
  }
}

/** The node's taints as they should be. A node that has not told its conditions yet keeps what it has. */
export function taintsOf(node: Node): Taint[] {
  const before = node.spec?.taints ?? []
  const conditions: readonly Condition[] = node.status?.conditions ?? []
  const wanted = new Set<string>()
  if (node.spec?.unschedulable === true) wanted.add(`${PREFIX}unschedulable`)
  for (const [type, status, taint] of BY_CONDITION) {
    if (conditions.some((one) => one.type === type && one.status === status)) wanted.add(PREFIX + taint)
  }
  const silent = !conditions.some(({ type }) => type === 'Ready')
  const isOwn = ({ key, effect }: Taint): boolean => effect === 'NoSchedule' && OWN.has(key)
  const kept = before.filter(
    (taint) => !isOwn(taint) || wanted.has(taint.key) || (silent && taint.key === `${PREFIX}not-ready`),
  )
  const missing = [...wanted].filter((key) => !kept.some((taint) => taint.key === key && taint.effect === 'NoSchedule'))
  return [...kept, ...missing.map((key): Taint => ({ key, effect: 'NoSchedule' }))]
}
