/** Simulated nodes: Node objects that look alive, with leases. Their pods are the simulated kubelet's. */
import { resources } from '../client/resources.ts'
import type { KubeObject, StringMap } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import { forEachLimited } from './batches.ts'
import type { ControllerFactory } from './contract.ts'
import { annotation, microTimestamp, parseTime, sameValue, timestamp } from './meta.ts'
import type { Condition, Node } from './objects.ts'
import { findCondition } from './conditions.ts'
import { nodeAddress, podCidr } from './simulation/addresses.ts'
import { NODE } from './simulation/annotations.ts'

export interface SimulatedNodesOptions {
  /** How many. Simulated nodes beyond this number are removed. */
  readonly count: number
  /** Names are this and a number from 1. @default 'node-' */
  readonly prefix?: string
  /** What each node has. @default 256 CPUs, 2 TiB of memory, 8000 pods */
  readonly capacity?: StringMap
  /** More labels for every node. @default none */
  readonly labels?: StringMap
  /** Zones, given to the nodes in turn. @default none */
  readonly zones?: readonly string[]
  /** Seconds between two renewals of the leases; all are renewed together. @default 15 */
  readonly leaseInterval?: number
  /** Version of the kubelet that nodes show. @default 'v1.37.1' */
  readonly version?: string
}

const CAPACITY: StringMap = {
  cpu: '256',
  memory: '2Ti',
  'ephemeral-storage': '10Ti',
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  pods: '8000',
}
const LEASES = 'kube-node-lease'
const HEARTBEAT = 'heartbeat'
const LEASE_SECONDS = 40
/** Milliseconds between two renewals of the conditions' heartbeat times. */
const STATUS_INTERVAL = 5 * 60_000

/** Keys: node names, and `heartbeat` for all leases. */
export function simulatedNodes(options: SimulatedNodesOptions): ControllerFactory {
  const { count, prefix = 'node-', leaseInterval = 15 } = options
  const names = new Map(Array.from({ length: count }, (_, index) => [`${prefix}${index + 1}`, index]))
  return (context) => {
    const { client } = context
    const nodes = client.informer<Node>(resources.nodes)
    const leases = new Map<string, KubeObject>()
    const simulated = (node: Node): boolean => annotation(node, NODE) === 'true'
    return {
      name: 'simulated-nodes',
      start() {
        for (const name of names.keys()) context.enqueue(name)
        if (count > 0) context.enqueue(HEARTBEAT)
        nodes.onEvent(({ object }) => {
          const name = object.metadata.name!
          if (names.has(name) || simulated(object)) context.enqueue(name)
        })
      },
      async reconcile(key) {
        if (!nodes.synced) await nodes.ready()
        if (key === HEARTBEAT) {
          context.enqueue(HEARTBEAT, leaseInterval * 1000)
          await forEachLimited([...names.keys()], beat)
          return
        }
        const index = names.get(key)
        const node = nodes.get('', key)
        if (index !== undefined) await ensure(key, index, node)
        else if (node !== undefined && simulated(node)) await remove(node)
      },
    }

    async function ensure(name: string, index: number, node: Node | undefined): Promise<void> {
      const planned = nodeObject(name, index, options)
      if (node === undefined) {
        try {
          const made = await client.create<Node>(resources.nodes, planned)
          await writeStatus(made, index)
        } catch (error) {
          if (!isReason(error, 'AlreadyExists')) throw error
        }
        return
      }
      if (!simulated(node)) throw new Error(`node ${name} exists and is not simulated`)
      await writeStatus(node, index)
    }

    async function writeStatus(node: Node, index: number): Promise<void> {
      const status = nodeStatus(node, index, options, context.now())
      if (sameValue(status, node.status)) return
      try {
        await client.update(resources.nodes, { ...node, status }, { subresource: 'status' })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    }

    async function remove(node: Node): Promise<void> {
      const { name, uid } = node.metadata
      try {
        await client.delete(resources.nodes, name!, { preconditions: { uid: uid! } })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    }

    async function beat(name: string): Promise<void> {
      const node = nodes.get('', name)
      if (node === undefined) return
      const ready = findCondition(node.status?.conditions, 'Ready')
      if (context.now() - parseTime(ready?.lastHeartbeatTime) >= STATUS_INTERVAL) context.enqueue(name)
      const renewTime = microTimestamp(context.now())
      try {
        leases.set(name, await renew(node, leases.get(name), renewTime))
      } catch (error) {
        leases.delete(name)
        // Somebody deleted or changed it: the next beat starts from what is there.
        if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
      }
    }

    async function renew(node: Node, known: KubeObject | undefined, renewTime: string): Promise<KubeObject> {
      const name = node.metadata.name!
      const where = { namespace: LEASES }
      let lease = known
      if (lease === undefined) {
        try {
          lease = await client.get(resources.leases, name, where)
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error
          return client.create(resources.leases, leaseObject(node, renewTime), where)
        }
      }
      const spec = { ...lease['spec'], holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime }
      return client.update(resources.leases, { ...lease, spec }, where)
    }
  }
}

function leaseObject(node: Node, renewTime: string): KubeObject {
  const { name, uid } = node.metadata
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: name!,
      namespace: LEASES,
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: name!, uid: uid! }],
    },
    spec: { holderIdentity: name!, leaseDurationSeconds: LEASE_SECONDS, renewTime },
  }
}

function nodeObject(name: string, index: number, { labels, zones }: SimulatedNodesOptions): Node {
  const cidr = podCidr(index)
  const zone = zones === undefined || zones.length === 0 ? undefined : zones[index % zones.length]!
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      annotations: { [NODE]: 'true' },
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...(zone === undefined ? {} : { 'topology.kubernetes.io/zone': zone }),
        ...labels,
      },
    },
    spec: { podCIDR: cidr, podCIDRs: [cidr], providerID: `simulated://${name}` },
  }
}

const HEALTHY: readonly [type: string, status: string, reason: string, message: string][] = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'simulated node is ready'],
]

/** Heartbeat times move only every few minutes: the leases say that the node lives. */
function nodeStatus(node: Node, index: number, options: SimulatedNodesOptions, now: number): Node['status'] {
  const version = options.version ?? 'v1.37.1'
  const capacity = options.capacity ?? CAPACITY
  const before = node.status?.conditions ?? []
  const own = new Set(HEALTHY.map(([type]) => type))
  const conditions = HEALTHY.map(([type, status, reason, message]): Condition => {
    const old = findCondition(before, type)
    const same = old?.status === status
    const fresh = same && now - parseTime(old.lastHeartbeatTime) < STATUS_INTERVAL
    return {
      type,
      status,
      lastHeartbeatTime: fresh ? old.lastHeartbeatTime! : timestamp(now),
      lastTransitionTime: (same ? old.lastTransitionTime : undefined) ?? timestamp(now),
      reason,
      message,
    }
  })
  return {
    ...node.status,
    // What others set (extended resources of a test, say) stays.
    capacity: { ...capacity, ...node.status?.capacity },
    allocatable: { ...capacity, ...node.status?.allocatable },
    conditions: [...conditions, ...before.filter(({ type }) => !own.has(type))],
    addresses: [
      { type: 'InternalIP', address: nodeAddress(index) },
      { type: 'Hostname', address: node.metadata.name! },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: 10_250 } },
    nodeInfo: {
      machineID: node.metadata.name!,
      systemUUID: node.metadata.name!,
      bootID: node.metadata.name!,
      kernelVersion: 'simulated',
      osImage: 'Tenantry simulated node',
      containerRuntimeVersion: 'simulated://0.1.0',
      kubeletVersion: version,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
  }
}
