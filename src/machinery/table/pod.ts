/** `kubectl get pods`: the state of a pod in one word. */
import { ageOf } from '../duration.ts'
import type { KubeObject } from '../object.ts'
import { age, int, isTrue, list, nameOf, orNone } from './cells.ts'
import type { Condition } from './cells.ts'
import { columns, wide } from './contract.ts'
import type { RowCondition, TableDefinition } from './contract.ts'

interface Terminated {
  readonly exitCode?: number
  readonly signal?: number
  readonly reason?: string
  readonly finishedAt?: string
}

interface ContainerStatus {
  readonly name?: string
  readonly ready?: boolean
  readonly started?: boolean
  readonly restartCount?: number
  readonly state?: {
    readonly waiting?: { readonly reason?: string }
    readonly running?: object
    readonly terminated?: Terminated
  }
  readonly lastState?: { readonly terminated?: Terminated }
}

interface Container {
  readonly name?: string
  readonly restartPolicy?: string
}

const FAILED: readonly RowCondition[] = [
  { type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' },
]
const SUCCEEDED: readonly RowCondition[] = [
  { type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' },
]

/** How often containers were restarted, and when last. */
class Restarts {
  count = 0
  last = ''

  add({ restartCount, lastState }: ContainerStatus): void {
    this.count += int(restartCount)
    const finished = lastState?.terminated?.finishedAt ?? ''
    if (finished !== '' && (this.last === '' || Date.parse(finished) > Date.parse(this.last))) this.last = finished
  }
}

function ending({ reason, signal, exitCode }: Terminated): string {
  if (reason !== undefined && reason !== '') return reason
  return int(signal) !== 0 ? `Signal:${signal}` : `ExitCode:${int(exitCode)}`
}

const isSidecar = (container: Container | undefined): boolean => container?.restartPolicy === 'Always'

interface Summary {
  readonly ready: number
  readonly total: number
  readonly reason: string
  readonly restarts: Restarts
}

/** What the init containers say: a reason while they are not through. */
function initState(status: ContainerStatus, sidecar: boolean, index: number, total: number): string | undefined {
  const { terminated, waiting } = status.state ?? {}
  if (terminated !== undefined && int(terminated.exitCode) === 0) return undefined
  if (sidecar && status.started === true) return undefined
  if (terminated !== undefined) return `Init:${ending(terminated)}`
  const reason = waiting?.reason ?? ''
  return reason !== '' && reason !== 'PodInitializing' ? `Init:${reason}` : `Init:${index}/${total}`
}

/** READY, STATUS and RESTARTS of a pod. */
export function summarize(pod: KubeObject): Summary {
  const spec = pod['spec'] as { containers?: Container[]; initContainers?: Container[] } | undefined
  const status = pod['status'] as
    | {
        phase?: string
        reason?: string
        conditions?: Condition[]
        containerStatuses?: ContainerStatus[]
        initContainerStatuses?: ContainerStatus[]
      }
    | undefined
  const conditions = list(status?.conditions)
  const initContainers = list(spec?.initContainers)
  const byName = new Map(initContainers.map((one) => [one.name, one]))
  const total = list(spec?.containers).length + initContainers.filter(isSidecar).length
  const phase = status?.phase ?? ''
  let reason = status?.reason !== undefined && status.reason !== '' ? status.reason : phase
  if (conditions.some((one) => one.type === 'PodScheduled' && one.reason === 'SchedulingGated')) {
    reason = 'SchedulingGated'
  }

  let ready = 0
  let restarts = new Restarts()
  const sidecarRestarts = new Restarts()
  let initializing = false
  for (const [i, one] of list(status?.initContainerStatuses).entries()) {
    const sidecar = isSidecar(byName.get(one.name))
    restarts.add(one)
    if (sidecar) sidecarRestarts.add(one)
    const state = initState(one, sidecar, i, initContainers.length)
    if (state !== undefined) {
      reason = state
      initializing = true
      break
    }
    const done = one.state?.terminated !== undefined && int(one.state.terminated.exitCode) === 0
    if (sidecar && !done && one.ready === true) ready++
  }

  if (!initializing || isTrue(conditions, 'Initialized')) {
    restarts = sidecarRestarts
    let running = false
    let failure = ''
    for (const one of list(status?.containerStatuses).toReversed()) {
      restarts.add(one)
      const { waiting, terminated } = one.state ?? {}
      if (waiting?.reason !== undefined && waiting.reason !== '') reason = waiting.reason
      else if (terminated !== undefined) {
        reason = ending(terminated)
        if (int(terminated.exitCode) !== 0) failure = reason
      } else if (one.ready === true && one.state?.running !== undefined) {
        running = true
        ready++
      }
    }
    if (reason === 'Completed') {
      if (running && conditions.some((one) => one.type === 'Ready' && one.status === 'True')) reason = 'Running'
      else if (failure !== '') reason = failure
      else if (running) reason = 'NotReady'
    }
  }

  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') reason = 'Unknown'
    else if (phase !== 'Succeeded' && phase !== 'Failed') reason = 'Terminating'
  }
  return { ready, total, reason, restarts }
}

function readinessGates(pod: KubeObject): string {
  const gates = list(pod['spec']?.readinessGates as { conditionType: string }[] | undefined)
  if (gates.length === 0) return '<none>'
  const met = gates.filter((gate) => isTrue(pod['status']?.conditions, gate.conditionType))
  return `${met.length}/${gates.length}`
}

export const podTable: TableDefinition = {
  columns: columns(
    'Name',
    'Ready',
    'Status',
    'Restarts',
    'Age',
    ...wide('IP', 'Node', 'Nominated Node', 'Readiness Gates'),
  ),
  cells(pod, now) {
    const { ready, total, reason, restarts } = summarize(pod)
    const { count, last } = restarts
    return [
      nameOf(pod),
      `${ready}/${total}`,
      reason,
      count !== 0 && last !== '' ? `${count} (${ageOf(last, now)} ago)` : String(count),
      age(pod, now),
      orNone((pod['status']?.podIPs?.[0]?.ip ?? pod['status']?.podIP) as string | undefined),
      orNone(pod['spec']?.nodeName as string | undefined),
      orNone(pod['status']?.nominatedNodeName as string | undefined),
      readinessGates(pod),
    ]
  },
  conditions(pod) {
    const phase = pod['status']?.phase as string | undefined
    return phase === 'Succeeded' ? SUCCEEDED : phase === 'Failed' ? FAILED : []
  },
}
