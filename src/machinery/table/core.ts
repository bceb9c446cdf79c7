/** Tables of the core group beside pods, and of discovery. */
import { keysOf } from '../codec/wide.ts'
import { ageOf } from '../duration.ts'
import type { KubeObject } from '../object.ts'
import { quantityText } from './quantity-cell.ts'
import { age, firstOf, int, isTrue, labelsText, list, nameOf, orNone, containerCells, simple, text } from './cells.ts'
import type { Condition } from './cells.ts'
import { columns, wide } from './contract.ts'
import type { TableDefinition } from './contract.ts'

interface ServicePort {
  readonly port?: number
  readonly nodePort?: number
  readonly protocol?: string
}

interface Ingress {
  readonly ip?: string
  readonly hostname?: string
}

/** Addresses of a load balancer, sorted. */
export function ingressText(status: { readonly ingress?: readonly Ingress[] } | undefined): string {
  const names = list(status?.ingress).map((one) => (text(one.ip) === '' ? text(one.hostname) : text(one.ip)))
  return [...new Set(names.filter((name) => name !== ''))].sort().join(',')
}

function externalIp(service: KubeObject): string {
  const external = list(service['spec']?.externalIPs as string[] | undefined)
  switch (service['spec']?.type as string | undefined) {
    case 'ClusterIP':
    case 'NodePort':
      return external.length > 0 ? external.join(',') : '<none>'
    case 'LoadBalancer': {
      const balancer = ingressText(service['status']?.loadBalancer)
      const all = [...(balancer === '' ? [] : [balancer]), ...external].join(',')
      return all === '' ? '<pending>' : all
    }
    case 'ExternalName':
      return text(service['spec']?.externalName as string | undefined)
    default:
      return '<unknown>'
  }
}

function portText({ port, nodePort, protocol }: ServicePort): string {
  return int(nodePort) > 0 ? `${port}:${nodePort}/${text(protocol)}` : `${port}/${text(protocol)}`
}

export const serviceTable: TableDefinition = {
  columns: columns('Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', ...wide('Selector')),
  cells: (service, now) => [
    nameOf(service),
    text(service['spec']?.type as string | undefined),
    orNone((service['spec']?.clusterIPs?.[0] ?? service['spec']?.clusterIP) as string | undefined),
    externalIp(service),
    orNone(
      list(service['spec']?.ports as ServicePort[] | undefined)
        .map(portText)
        .join(','),
    ),
    age(service, now),
    labelsText(service['spec']?.selector),
  ],
}

interface Subset {
  readonly addresses?: readonly { readonly ip?: string }[]
  readonly ports?: readonly { readonly port?: number }[]
}

function subsetText({ addresses, ports }: Subset): string[] {
  const ips = list(addresses).map((one) => text(one.ip))
  if (list(ports).length === 0) return ips
  return list(ports).flatMap(({ port }) => ips.map((ip) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)))
}

export const endpointsTable: TableDefinition = {
  columns: columns('Name', 'Endpoints', 'Age'),
  cells(object, now) {
    const subsets = list(object['subsets'] as Subset[] | undefined)
    const none = subsets.length === 0 ? '<none>' : ''
    return [nameOf(object), firstOf(subsets.flatMap(subsetText), 3, none), age(object, now)]
  },
}

export const endpointSliceTable: TableDefinition = {
  columns: columns('Name', 'AddressType', 'Ports', 'Endpoints', 'Age'),
  cells(slice, now) {
    const ports = list(slice['ports'] as { port?: number; name?: string }[] | undefined)
    const endpoints = list(slice['endpoints'] as { addresses?: string[] }[] | undefined)
    return [
      nameOf(slice),
      text(slice['addressType'] as string | undefined),
      firstOf(
        ports.map(({ port, name }) => (port === undefined ? (name ?? '*') : String(port))),
        3,
        '<unset>',
      ),
      firstOf(
        endpoints.flatMap((one) => list(one.addresses)),
        3,
        '<unset>',
      ),
      age(slice, now),
    ]
  },
}

const sizeOf = (map: object | null | undefined): number => keysOf(map ?? {}).length

export const configMapTable: TableDefinition = {
  columns: columns('Name', 'Data', 'Age'),
  cells: simple((object) => sizeOf(object['data']) + sizeOf(object['binaryData'])),
}

export const secretTable: TableDefinition = {
  columns: columns('Name', 'Type', 'Data', 'Age'),
  cells: simple(
    (object) => text(object['type'] as string | undefined),
    (object) => sizeOf(object['data']),
  ),
}

/** Name and age alone. */
export const nameAndAge: TableDefinition = { columns: columns('Name', 'Age'), cells: simple() }

export const namespaceTable: TableDefinition = {
  columns: columns('Name', 'Status', 'Age'),
  cells: simple((object) => text(object['status']?.phase as string | undefined)),
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function rolesOf(node: KubeObject): string {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(node.metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX)) roles.add(key.slice(ROLE_PREFIX.length))
    else if (key === 'kubernetes.io/role') roles.add(value)
  }
  roles.delete('')
  return orNone([...roles].sort().join(','))
}

function nodeStatus(node: KubeObject): string {
  const ready = list(node['status']?.conditions as Condition[] | undefined).findLast((one) => one.type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node['spec']?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

export const nodeTable: TableDefinition = {
  columns: columns(
    'Name',
    'Status',
    'Roles',
    'Age',
    'Version',
    ...wide('Internal-IP', 'External-IP', 'OS-Image', 'Kernel-Version', 'Container-Runtime'),
  ),
  cells(node, now) {
    const info = (node['status']?.nodeInfo ?? {}) as Record<string, string | undefined>
    const addresses = list(node['status']?.addresses as { type: string; address: string }[] | undefined)
    const address = (type: string) => addresses.find((one) => one.type === type)?.address ?? '<none>'
    const known = (value: string | undefined) => (text(value) === '' ? '<unknown>' : value!)
    const kernel = known(info['kernelVersion'])
    return [
      nameOf(node),
      nodeStatus(node),
      rolesOf(node),
      age(node, now),
      text(info['kubeletVersion']),
      address('InternalIP'),
      address('ExternalIP'),
      known(info['osImage']),
      text(info['architecture']) === '' ? kernel : `${kernel} (${info['architecture']})`,
      known(info['containerRuntimeVersion']),
    ]
  },
}

export const eventTable: TableDefinition = {
  columns: columns(
    'Last Seen',
    'Type',
    'Reason',
    'Object',
    ...wide('Subobject', 'Source'),
    'Message',
    ...wide('First Seen', 'Count', 'Name'),
  ).map((column) => (column.name === 'Name' ? { ...column, format: 'name' } : column)),
  cells(event, now) {
    const first = text((event['firstTimestamp'] ?? event['eventTime']) as string | null | undefined)
    const series = event['series'] as { count?: number; lastObservedTime?: string } | null | undefined
    const last = text((series?.lastObservedTime ?? event['lastTimestamp'] ?? first) as string | null)
    const object = (event['involvedObject'] ?? event['regarding'] ?? {}) as Record<string, string | undefined>
    const source = (event['source'] ?? event['deprecatedSource'] ?? {}) as { component?: string; host?: string }
    const component =
      text(source.component) ||
      text((event['reportingComponent'] ?? event['reportingController']) as string | undefined)
    const instance = text(source.host) || text(event['reportingInstance'] as string | undefined)
    const kind = text(object['kind']).toLowerCase()
    const count = int((event['count'] ?? event['deprecatedCount']) as number | undefined)
    return [
      ageOf(last, now),
      text(event['type'] as string | undefined),
      text(event['reason'] as string | undefined),
      text(object['name']) === '' ? kind : `${kind}/${object['name']}`,
      text(object['fieldPath']),
      instance === '' ? component : `${component}, ${instance}`,
      text((event['message'] ?? event['note']) as string | undefined).trim(),
      ageOf(first, now),
      series === null || series === undefined ? count || 1 : int(series.count),
      nameOf(event),
    ]
  },
}

export const podTemplateTable: TableDefinition = {
  columns: columns('Name', 'Containers', 'Images', 'Pod Labels'),
  cells: (object) => [
    nameOf(object),
    ...containerCells(object['template']?.spec),
    labelsText(object['template']?.metadata?.labels),
  ],
}

export const resourceQuotaTable: TableDefinition = {
  columns: columns('Name', 'Request', 'Limit', 'Age'),
  cells(quota, now) {
    const hard = (quota['status']?.hard ?? {}) as Record<string, string>
    const used = (quota['status']?.used ?? {}) as Record<string, string>
    const entry = (name: string) => `${name}: ${quantityText(used, name)}/${quantityText(hard, name)}`
    const names = Object.keys(hard).sort()
    const isLimit = (name: string) => name.startsWith('limits.')
    return [
      nameOf(quota),
      names
        .filter((name) => !isLimit(name))
        .map(entry)
        .join(', '),
      names.filter(isLimit).map(entry).join(', '),
      age(quota, now),
    ]
  },
}

export const componentStatusTable: TableDefinition = {
  columns: columns('Name', 'Status', 'Message', 'Error'),
  cells(object) {
    const conditions = list(object['conditions'] as Condition[] | undefined)
    const healthy = conditions.find((one) => one.type === 'Healthy')
    const status = healthy === undefined ? 'Unknown' : isTrue(conditions, 'Healthy') ? 'Healthy' : 'Unhealthy'
    return [nameOf(object), status, text(healthy?.message), text(healthy?.error)]
  },
}
