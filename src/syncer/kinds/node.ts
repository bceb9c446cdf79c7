/** Node views: the host nodes as a tenant sees them. */
import type { KubeObject } from '../../machinery/object.ts'
import { equalJson } from '../../machinery/equality.ts'
import { annotations } from '../identity.ts'

/** Labels of a host node that a tenant may know; the rest is the host operator's business. */
const PUBLIC_DOMAINS = ['kubernetes.io', 'k8s.io']

/** The tenant's Node for a host node. Taints and `unschedulable` of the tenant's own stay its own. */
export function nodeView(host: KubeObject): KubeObject {
  const labels: Record<string, string> = {}
  for (const [key, value] of Object.entries(host.metadata.labels ?? {})) if (isPublic(key)) labels[key] = value
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: host.metadata.name!, labels, annotations: { [annotations.view]: 'node' } },
    spec: {},
    status: nodeStatus(host),
  }
}

/** Whether a tenant's Node is a view; its own Nodes are left alone. */
export function isView(tenant: KubeObject): boolean {
  return tenant.metadata.annotations?.[annotations.view] !== undefined
}

function isPublic(key: string): boolean {
  const slash = key.indexOf('/')
  const domain = slash < 0 ? '' : key.slice(0, slash)
  return PUBLIC_DOMAINS.some((d) => domain === d || domain.endsWith(`.${d}`))
}

/** The status that a tenant sees: without image lists, volumes and the kubelet's address. Heartbeat times do not count as changes. */
export function nodeStatus(host: KubeObject): Record<string, unknown> {
  const { capacity, allocatable, conditions, addresses, nodeInfo } = host['status'] ?? {}
  const out: Record<string, unknown> = {}
  if (capacity !== undefined) out['capacity'] = capacity
  if (allocatable !== undefined) out['allocatable'] = allocatable
  if (conditions !== undefined) out['conditions'] = conditions
  if (addresses !== undefined) out['addresses'] = addresses
  if (nodeInfo !== undefined) out['nodeInfo'] = nodeInfo
  return out
}

/** Whether a tenant's Node has to be written again. */
export function nodeDiffers(view: KubeObject, tenant: KubeObject): boolean {
  return !equalJson(withoutHeartbeats(view['status']), withoutHeartbeats(pick(view['status'], tenant['status'])))
}

function pick(like: Record<string, unknown>, from: Record<string, unknown> | undefined): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(like)) out[key] = from?.[key]
  return out
}

function withoutHeartbeats(status: Record<string, unknown>): Record<string, unknown> {
  const conditions = status['conditions'] as { lastHeartbeatTime?: string }[] | undefined
  if (conditions === undefined) return status
  return { ...status, conditions: conditions.map((c) => ({ ...c, lastHeartbeatTime: undefined })) }
}
