/** What objects use of what a ResourceQuota limits. Pure. */
import type { KubeObject } from '../object.ts'
import { podLimits, podRequests, quantities, type Quantities } from '../pod-resources.ts'
import type { Quantity } from '../quantity.ts'
import { addQuantities, parseQuantity, quantityOf, quantityValue, signOf } from '../quantity.ts'
import { claimFits, claimClass, podFits, type Scope } from './scopes.ts'

/** How the objects of one resource are counted. */
export interface Evaluator {
  /** The names, of those given, that this resource has to do with. */
  covers(name: string): boolean
  usage(object: KubeObject, now: number): Quantities
  fits(scope: Scope, object: KubeObject): boolean
  /** Whether a write can change the usage. `old` is absent for creates. */
  charges(subresource: string, object: KubeObject, old: KubeObject | undefined): boolean
  /** What a new object must say and does not, given the names that a quota limits. */
  missing?(names: ReadonlySet<string>, object: KubeObject): string | undefined
}

const ONE = quantityOf(1)
const ZERO = quantityOf(0)
const no = (): boolean => false

/** Names of before `count/<resource>`. */
const ALIASES = new Set(['configmaps', 'resourcequotas', 'replicationcontrollers', 'secrets'])
/** Resources that are never counted. */
const UNCOUNTED = new Set(['/events', 'events.k8s.io/events'])

/** undefined for what no quota counts. `group` is '' for core. */
export function evaluatorFor(group: string, resource: string): Evaluator | undefined {
  const id = `${group}/${resource}`
  if (id === '/pods') return PODS
  if (id === '/services') return SERVICES
  if (id === '/persistentvolumeclaims') return CLAIMS
  if (id === 'resource.k8s.io/resourceclaims') return DEVICES
  return UNCOUNTED.has(id) ? undefined : counter(group, resource)
}

/** `count/deployments.apps` → its resource; undefined for names that count nothing by that rule. */
export function countedBy(name: string): { group: string; resource: string } | undefined {
  if (ALIASES.has(name)) return { group: '', resource: name }
  if (!name.startsWith('count/')) return undefined
  const [resource = '', ...group] = name.slice('count/'.length).split('.')
  return { group: group.join('.'), resource }
}

/** Counts objects, whatever they are. */
function counter(group: string, resource: string): Evaluator {
  const name = group === '' ? `count/${resource}` : `count/${resource}.${group}`
  const names = group === '' && ALIASES.has(resource) ? [name, resource] : [name]
  const usage = new Map(names.map((one) => [one, ONE]))
  return {
    covers: (asked) => names.includes(asked),
    usage: () => usage,
    fits: no,
    charges: (subresource, _object, old) => subresource === '' && old === undefined,
  }
}

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage'] as const
const POD_NAMES = new Set([
  'count/pods',
  'pods',
  ...COMPUTE,
  ...COMPUTE.flatMap((name) => [`requests.${name}`, `limits.${name}`]),
])
/** Limited by a quota, these must be said by every container. */
const DEMANDED = ['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']

const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
/** Such as `example.com/gpu`. */
const isExtended = (name: string): boolean => name.includes('/') && !name.includes('kubernetes.io/')

const PODS: Evaluator = {
  covers: (name) => {
    const requested = name.startsWith('requests.') ? name.slice('requests.'.length) : undefined
    if (POD_NAMES.has(name) || isHugePages(name)) return true
    return requested !== undefined && (isHugePages(requested) || isExtended(requested))
  },
  usage(pod, now) {
    const out = new Map<string, Quantity>([['count/pods', ONE]])
    if (!isCharged(pod, now)) return out
    for (const [name, amount] of computeUsage(
      withOverhead(podRequests(pod), pod, false),
      withOverhead(podLimits(pod), pod, true),
    )) {
      out.set(name, amount)
    }
    return out
  },
  fits: podFits,
  charges(subresource, pod, old) {
    if (subresource === 'resize') return old !== undefined
    if (subresource !== '') return false
    const ends = (one: KubeObject): boolean => (one['spec']?.activeDeadlineSeconds ?? -1) >= 0
    return old === undefined || ends(old) !== ends(pod)
  },
  missing(names, pod) {
    const spec = pod['spec'] ?? {}
    if (hasAmounts(spec.resources)) return undefined
    const wanted = DEMANDED.filter((name) => names.has(name)).toSorted()
    const by = new Map<string, Set<string>>()
    for (const { name: container, resources } of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      const said = computeUsage(quantities(resources?.requests), quantities(resources?.limits))
      for (const name of wanted) {
        if (!said.has(name)) by.set(name, (by.get(name) ?? new Set<string>()).add(container as string))
      }
    }
    if (by.size === 0) return undefined
    const parts = wanted.flatMap((name) => {
      const containers = by.get(name)
      return containers === undefined ? [] : [`${name} for: ${[...containers].toSorted().join(',')}`]
    })
    return `must specify ${parts.join('; ')}`
  },
}

function hasAmounts(resources: { requests?: object; limits?: object } | undefined): boolean {
  return Object.keys({ ...resources?.requests, ...resources?.limits }).length > 0
}

/** A pod that has ended, or should have, uses nothing but its place in the store. */
function isCharged(pod: KubeObject, now: number): boolean {
  const phase = pod['status']?.phase
  if (phase === 'Succeeded' || phase === 'Failed') return false
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata
  if (deletionTimestamp === undefined || deletionGracePeriodSeconds === undefined) return true
  return now <= Date.parse(deletionTimestamp) + deletionGracePeriodSeconds * 1000
}

function withOverhead(amounts: Quantities, pod: KubeObject, onlyLimited: boolean): Quantities {
  const overhead = quantities(pod['spec']?.overhead)
  if (overhead.size === 0) return amounts
  const out = new Map(amounts)
  for (const [name, amount] of overhead) {
    const known = out.get(name)
    if (known !== undefined) out.set(name, addQuantities(known, amount))
    else if (!onlyLimited) out.set(name, amount)
  }
  return out
}

function computeUsage(requests: Quantities, limits: Quantities): Map<string, Quantity> {
  const out = new Map<string, Quantity>([['pods', ONE]])
  for (const name of COMPUTE) {
    const [request, limit] = [requests.get(name), limits.get(name)]
    if (request !== undefined) out.set(name, request).set(`requests.${name}`, request)
    if (limit !== undefined) out.set(`limits.${name}`, limit)
  }
  for (const [name, amount] of requests) {
    if (isHugePages(name)) out.set(name, amount)
    if (isHugePages(name) || isExtended(name)) out.set(`requests.${name}`, amount)
  }
  return out
}

const SERVICE_NAMES = new Set(['count/services', 'services', 'services.nodeports', 'services.loadbalancers'])

const SERVICES: Evaluator = {
  covers: (name) => SERVICE_NAMES.has(name),
  usage(service) {
    const { type, ports = [], allocateLoadBalancerNodePorts } = service['spec'] ?? {}
    const balanced = type === 'LoadBalancer'
    const given = (ports as { nodePort?: number }[]).filter(({ nodePort = 0 }) => nodePort !== 0)
    let nodePorts = 0
    if (type === 'NodePort' || balanced) nodePorts = ports.length
    if (balanced && allocateLoadBalancerNodePorts === false) nodePorts = given.length
    return new Map([
      ['count/services', ONE],
      ['services', ONE],
      ['services.loadbalancers', balanced ? ONE : ZERO],
      ['services.nodeports', quantityOf(nodePorts)],
    ])
  },
  fits: no,
  charges: (subresource) => subresource === '',
}

const CLASS_SUFFIX = '.storageclass.storage.k8s.io/'
const CLAIM_NAMES = ['persistentvolumeclaims', 'requests.storage']

const CLAIMS: Evaluator = {
  covers: (name) =>
    name === 'count/persistentvolumeclaims' ||
    CLAIM_NAMES.some((one) => name === one || name.endsWith(`${CLASS_SUFFIX}${one}`)),
  usage(claim) {
    const out = new Map<string, Quantity>([
      ['persistentvolumeclaims', ONE],
      ['count/persistentvolumeclaims', ONE],
    ])
    const storageClass = claimClass(claim)
    if (storageClass !== '') out.set(`${storageClass}${CLASS_SUFFIX}persistentvolumeclaims`, ONE)
    const storage = claimStorage(claim)
    if (storage === undefined) return out
    out.set('requests.storage', storage)
    if (storageClass !== '') out.set(`${storageClass}${CLASS_SUFFIX}requests.storage`, storage)
    return out
  },
  fits: claimFits,
  charges(subresource, claim, old) {
    if (subresource === '') return true
    const allocated = (one: KubeObject | undefined): unknown => one?.['status']?.allocatedResources?.storage
    return subresource === 'status' && allocated(claim) !== allocated(old)
  },
}

/** What is asked for, or what is allocated if that is more; in whole bytes. */
function claimStorage(claim: KubeObject): Quantity | undefined {
  const asked = parseQuantity(String(claim['spec']?.resources?.requests?.storage ?? ''))
  if (asked === undefined) return undefined
  const allocated = parseQuantity(String(claim['status']?.allocatedResources?.storage ?? ''))
  const most = allocated !== undefined && allocated.nanos > asked.nanos ? allocated : asked
  return most.nanos % 1_000_000_000n === 0n ? most : quantityOf(quantityValue(most), most.format)
}

const DEVICE_CLAIMS = 'count/resourceclaims.resource.k8s.io'
const DEVICE_SUFFIX = '.deviceclass.resource.k8s.io/devices'
/** What a request for all devices is charged: as many as one claim can be given. */
const MOST_DEVICES = 32

interface DeviceRequest {
  deviceClassName: string
  allocationMode?: string
  count?: number
}

/** Claims of devices, per class. What they make of extended resources is not charged. */
const DEVICES: Evaluator = {
  covers: (name) => name === DEVICE_CLAIMS || name.endsWith(DEVICE_SUFFIX),
  usage(claim) {
    const out = new Map<string, Quantity>([[DEVICE_CLAIMS, ONE]])
    const requests = (claim['spec']?.devices?.requests ?? []) as {
      exactly?: DeviceRequest
      firstAvailable?: DeviceRequest[]
    }[]
    for (const { exactly, firstAvailable = [] } of requests) {
      for (const [name, amount] of mostByClass(firstAvailable.length > 0 ? firstAvailable : [exactly])) {
        const quota = `${name}${DEVICE_SUFFIX}`
        out.set(quota, addQuantities(out.get(quota) ?? ZERO, quantityOf(amount)))
      }
    }
    return out
  },
  fits: no,
  charges: (subresource) => subresource === '',
}

/** Only one of the alternatives will be met; each class is charged its greatest. */
function mostByClass(alternatives: readonly (DeviceRequest | undefined)[]): Map<string, number> {
  const most = new Map<string, number>()
  for (const one of alternatives) {
    if (one === undefined) continue
    const { allocationMode = 'ExactCount', count = 1 } = one
    let amount = 0
    if (allocationMode === 'ExactCount') amount = count
    if (allocationMode === 'All') amount = MOST_DEVICES
    most.set(one.deviceClassName, Math.max(most.get(one.deviceClassName) ?? 0, amount))
  }
  return most
}

/** Names whose amount is below zero. */
export function negatives(usage: Quantities): string[] {
  return [...usage].filter(([, amount]) => signOf(amount) < 0).map(([name]) => name)
}
