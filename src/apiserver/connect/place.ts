/** Where a connection to a pod, a Service or a node goes: found by look-up, never put together from what a client wrote. */
import type { KubeObject } from '../../machinery/object.ts'
import { parseAddress } from '../../machinery/ip.ts'
import { errors } from '../../machinery/status.ts'
import { type Ready, type ServiceSource, readyEndpoints } from '../dial/services.ts'

/** Objects of a cluster by name. */
export interface Objects extends ServiceSource {
  pod(namespace: string, name: string): KubeObject | undefined
  node(name: string): KubeObject | undefined
}

/** One end of a connection. */
export interface Place {
  readonly scheme: 'http' | 'https'
  /** An address or a name. */
  readonly host: string
  /** '' for the scheme's own. A text that is no number is no port. */
  readonly port: string
  /** Whether this server shows its certificate for kubelets. */
  readonly kubelet: boolean
  /** Whether the host must be resolved to addresses that a proxy may reach: see {@link isProxyable}. */
  readonly vetted: boolean
}

/** A place, and the name of the node it is on. */
export interface OnNode {
  readonly place: Place
  readonly node: string
}

interface Container {
  readonly name: string
  readonly ports?: readonly { readonly containerPort?: number }[]
}

interface PodSpec {
  readonly nodeName?: string
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly ephemeralContainers?: readonly Container[]
}

interface NodeStatus {
  readonly addresses?: readonly { readonly type: string; readonly address: string }[]
  readonly daemonEndpoints?: { readonly kubeletEndpoint?: { readonly Port?: number } }
  readonly declaredFeatures?: readonly string[]
}

/** In this order, as kubeadm configures it. */
const PREFERRED = ['InternalIP', 'ExternalIP', 'Hostname']
const KUBELET_PORT = 10_250

/** A kubelet that says so speaks WebSocket itself. */
export const speaksWebSocket = (node: KubeObject): boolean =>
  ((node['status'] as NodeStatus | undefined)?.declaredFeatures ?? []).includes('ExtendWebSocketsToKubelet')

/** @throws StatusError 500 for a node without an address */
export function kubeletOf(node: KubeObject): Place {
  const { addresses = [], daemonEndpoints } = (node['status'] ?? {}) as NodeStatus
  const port = daemonEndpoints?.kubeletEndpoint?.Port ?? 0
  for (const type of PREFERRED) {
    const found = addresses.find((each) => each.type === type)
    if (found === undefined) continue
    const at = String(port > 0 ? port : KUBELET_PORT)
    return { scheme: 'https', host: found.address, port: at, kubelet: true, vetted: false }
  }
  const known = addresses.map(({ type, address }) => `{${type} ${address}}`).join(' ')
  throw errors.unknown(`no preferred addresses found; known addresses: [${known}]`)
}

export const nodeNameOf = (pod: KubeObject): string => (pod['spec'] as PodSpec | undefined)?.nodeName ?? ''

/**
 * The container that is meant: the only one when none is named.
 * @throws StatusError 400
 */
export function containerOf(pod: KubeObject, asked: string | undefined): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = (pod['spec'] ?? {}) as PodSpec
  const names = [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name)
  const pod_ = pod.metadata.name!
  if (asked !== undefined && asked !== '') {
    if (names.includes(asked)) return asked
    throw errors.badRequest(`container ${asked} is not valid for pod ${pod_}`)
  }
  if (containers.length === 1) return containers[0]!.name
  const choice = containers.length === 0 ? '' : `, choose one of: [${names.join(' ')}]`
  throw errors.badRequest(`a container name must be specified for pod ${pod_}${choice}`)
}

/** `name`, `name:port` or `scheme:name:port`; undefined for anything else. */
export function splitName(
  id: string,
): { readonly scheme: '' | 'http' | 'https'; readonly name: string; readonly port: string } | undefined {
  const parts = id.split(':')
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts]
  if (parts.length > 3 || name === '') return undefined
  return scheme === '' || scheme === 'http' || scheme === 'https' ? { scheme, name, port } : undefined
}

/** The pod's first address, at the asked port or the first one that its containers name. @throws StatusError 400 */
export function podPlace(pod: KubeObject, scheme: Place['scheme'], port: string): Place {
  const { containers = [] } = (pod['spec'] ?? {}) as PodSpec
  const first = containers.find(({ ports = [] }) => ports.length > 0)?.ports?.[0]?.containerPort
  const ip = ((pod['status'] ?? {}) as { podIPs?: { ip?: string }[] }).podIPs?.[0]?.ip ?? ''
  if (!isProxyable(ip)) throw errors.badRequest('address not allowed')
  const at = port === '' && first !== undefined ? String(first) : port
  return { scheme, host: ip, port: at, kubelet: false, vetted: true }
}

interface Port {
  readonly name?: string
  readonly port?: number
}

/**
 * A ready endpoint of a Service that is one of its namespace's pods, by the name or number of a port.
 * @param random a number in [0, 1)
 * @throws StatusError 404, 503
 */
export function servicePlace(
  objects: Objects,
  namespace: string,
  { scheme, name, port }: { readonly scheme: Place['scheme']; readonly name: string; readonly port: string },
  random: () => number,
): OnNode {
  const none = errors.serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`)
  let portName = port
  if (/^[+-]?[0-9]+$/.test(port)) {
    const service = objects.service(namespace, name)
    if (service === undefined) throw errors.notFound({ group: '', resource: 'services' }, name)
    const number = Number(port)
    const ports = ((service['spec'] ?? {}) as { ports?: Port[] }).ports ?? []
    const found = ports.find((each) => each.port === number)
    if (found === undefined) {
      throw errors.serviceUnavailable(`no service port ${number} found for service ${JSON.stringify(name)}`)
    }
    portName = found.name ?? ''
  }
  const ready: OnNode[] = []
  for (const endpoint of readyEndpoints(objects.slices(namespace), name, portName)) {
    const pod = podAt(objects, namespace, endpoint)
    if (pod === undefined) continue
    const place: Place = { scheme, host: endpoint.host, port: String(endpoint.port), kubelet: false, vetted: true }
    ready.push({ place, node: nodeNameOf(pod) })
  }
  if (ready.length === 0) throw none
  return ready[Math.floor(random() * ready.length)]!
}

/** Only pods are proxied to: an address alone could be anybody's. */
function podAt(objects: Objects, namespace: string, { targetRef, host }: Ready): KubeObject | undefined {
  if (targetRef === undefined || targetRef.namespace !== namespace || targetRef.name === undefined) return undefined
  const pod = objects.pod(namespace, targetRef.name)
  const { podIPs = [] } = (pod?.['status'] ?? {}) as { podIPs?: { ip?: string }[] }
  return podIPs.some(({ ip }) => ip === host) ? pod : undefined
}

/** Go's `IsGlobalUnicast`: no loopback, link-local, multicast, unspecified or broadcast address. */
export function isProxyable(address: string): boolean {
  const bytes = parseAddress(address)?.bytes
  if (bytes === undefined) return false
  const [a = 0, b = 0] = bytes
  if (bytes.length === 4) {
    if (bytes.every((byte) => byte === 0) || bytes.every((byte) => byte === 255)) return false
    return a !== 127 && (a < 224 || a > 239) && !(a === 169 && b === 254)
  }
  const head = bytes.subarray(0, 15).every((byte) => byte === 0)
  if (head && bytes[15]! <= 1) return false
  return a !== 0xff && !(a === 0xfe && (b & 0xc0) === 0x80)
}
