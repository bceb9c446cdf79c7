/** Priority: a pod's priority and preemption policy come from its class; only one class may be the default. */
import type { KubeObject } from '../../machinery/object.ts'
import type { AdmissionPlugin, AdmissionRequest, ClusterState } from './contract.ts'
import { refusal } from './refusal.ts'

const GROUP = 'scheduling.k8s.io'
const CLASSES = 'priorityclasses'

/** The classes that every cluster has, also before their objects are written. */
const SYSTEM: ReadonlyMap<string, number> = new Map([
  ['system-cluster-critical', 2_000_000_000],
  ['system-node-critical', 2_000_001_000],
])

interface Resolved {
  readonly name: string
  readonly value: number
  readonly policy: string
}

const LOWER = 'PreemptLowerPriority'

export const priority: AdmissionPlugin = {
  name: 'Priority',
  handles: (operation, info, subresource) =>
    operation !== 'DELETE' &&
    subresource === '' &&
    ((info.group === '' && info.resource === 'pods') || (info.group === GROUP && info.resource === CLASSES)),
  mutate(request) {
    if (request.resource.info.resource === 'pods') admitPod(request)
  },
  validate(request) {
    if (request.resource.info.resource === CLASSES && request.object['globalDefault'] === true) onlyDefault(request)
  },
}

function admitPod(request: AdmissionRequest): void {
  const spec = request.object['spec']
  if (spec === undefined) return
  if (request.operation === 'UPDATE') {
    const old = request.old?.['spec']
    spec.priority ??= old?.priority
    spec.preemptionPolicy ??= old?.preemptionPolicy
    return
  }
  const { name, value, policy } = resolve(request, spec.priorityClassName ?? '')
  if (name !== '') spec.priorityClassName = name
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refusal(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    )
  }
  spec.priority = value
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refusal(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    )
  }
  spec.preemptionPolicy = policy
}

function resolve(request: AdmissionRequest, name: string): Resolved {
  if (name === '') return resolved(defaultClass(request.state), '')
  const found = request.state.find(GROUP, CLASSES, '', name)
  if (found !== undefined) return resolved(found, name)
  const system = SYSTEM.get(name)
  if (system === undefined) throw refusal(request, `no PriorityClass with name ${name} was found`)
  return { name, value: system, policy: LOWER }
}

function resolved(found: KubeObject | undefined, name: string): Resolved {
  if (found === undefined) return { name, value: 0, policy: LOWER }
  return { name: found.metadata.name ?? name, value: found['value'] ?? 0, policy: found['preemptionPolicy'] ?? LOWER }
}

/** Of several defaults, as a race may leave them, the one of the lowest value counts. */
function defaultClass(state: ClusterState): KubeObject | undefined {
  let chosen: KubeObject | undefined
  for (const candidate of state.list(GROUP, CLASSES, '')) {
    if (candidate['globalDefault'] !== true) continue
    if (chosen === undefined || (candidate['value'] ?? 0) < (chosen['value'] ?? 0)) chosen = candidate
  }
  return chosen
}

function onlyDefault(request: AdmissionRequest): void {
  const current = defaultClass(request.state)
  if (current === undefined) return
  const { name } = current.metadata
  if (request.operation === 'UPDATE' && name === request.object.metadata.name) return
  throw refusal(request, `PriorityClass ${name} is already marked as default. Only one default can exist`)
}
