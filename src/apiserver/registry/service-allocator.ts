/**
 * Cluster IPs and node ports of services, given out within the request: the answer to a create has them. IPv4 only;
 * dual-stack is refused as an upstream cluster with one family refuses it.
 */
import type { FieldError } from '../../machinery/field.ts'
import { index, invalid } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { parseAddress } from '../../machinery/ip.ts'
import { objectOf } from '../contract.ts'
import type { Range } from '../../store/contract.ts'
import type { PortPool, ServiceIps } from './ip-pool.ts'
import { equalJson } from './json.ts'

/** What was taken for one write. Exactly one of both functions is called. */
export interface Reservation {
  /** The write happened: what it no longer needs is free. */
  commit(): void
  /** The write did not happen: what it took is free. */
  revert(): void
}

export interface ServiceAllocator {
  /** Fills in clusterIP(s), families and node ports. @throws StatusError 422, 500 when a range is full */
  create(service: KubeObject): Reservation
  /** As `create` for what an update adds. `trusted`: the writer may set another cluster IP than the stored one. */
  update(service: KubeObject, old: KubeObject, trusted: boolean): Reservation
  /** The service is gone. */
  deleted(service: KubeObject): void
}

interface Port {
  name?: string
  protocol?: string
  port: number
  nodePort?: number
}
interface Spec {
  type?: string
  clusterIP?: string
  clusterIPs?: string[]
  ipFamilies?: string[]
  ipFamilyPolicy?: string
  selector?: Record<string, string>
  ports?: Port[]
  allocateLoadBalancerNodePorts?: boolean
  externalTrafficPolicy?: string
  healthCheckNodePort?: number
}

const specOf = (service: KubeObject): Spec => (service['spec'] ??= {}) as Spec
const usesPorts = ({ type }: Spec): boolean => type === 'NodePort' || type === 'LoadBalancer'
const usesHealthPort = (spec: Spec): boolean => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'
const isHeadless = (spec: Spec): boolean => spec.clusterIPs?.[0] === 'None' || spec.clusterIP === 'None'
const hasIps = (spec: Spec): boolean => spec.type !== 'ExternalName' && !isHeadless(spec)

/** Addresses of a stored service. */
const ipsOf = (spec: Spec): string[] =>
  hasIps(spec) ? (spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP])).filter((ip) => ip !== '') : []

/** Node ports of a service, each once: the same port number may serve TCP and UDP. */
function nodePortsOf(spec: Spec): Set<number> {
  const out = new Set<number>()
  for (const { nodePort } of spec.ports ?? []) if (nodePort !== undefined && nodePort !== 0) out.add(nodePort)
  if (spec.healthCheckNodePort !== undefined && spec.healthCheckNodePort !== 0) out.add(spec.healthCheckNodePort)
  return out
}

interface Pools {
  readonly ips: ServiceIps
  readonly ports: PortPool
}

/** Takes from the pools and remembers what it took. */
class Draft implements Reservation {
  readonly #pools: Pools
  readonly #name: string
  readonly #ips: string[] = []
  readonly #ports = new Set<number>()
  readonly #freeIps: string[] = []
  readonly #freePorts: number[] = []

  constructor(pools: Pools, name: string) {
    this.#pools = pools
    this.#name = name
  }

  invalid(list: readonly FieldError[]): never {
    throw errors.invalid({ group: '', kind: 'Service' }, this.#name, list)
  }

  ip(wanted: string, shown: readonly string[]): string {
    if (wanted === '') {
      const ip = this.#pools.ips.allocate()
      if (ip === undefined) {
        throw errors.internal(`failed to allocate a serviceIP for Service ${JSON.stringify(this.#name)}: range is full`)
      }
      this.#ips.push(ip)
      return ip
    }
    const why = this.#pools.ips.claim(wanted)
    if (why !== undefined) this.invalid([invalid('spec.clusterIPs', shown, `failed to allocate IP ${wanted}: ${why}`)])
    this.#ips.push(wanted)
    return wanted
  }

  port(wanted: number | undefined, path: string): number {
    if (wanted === undefined || wanted === 0) {
      const port = this.#pools.ports.allocate()
      if (port === undefined) throw errors.internal('failed to allocate a nodePort: range is full')
      this.#ports.add(port)
      return port
    }
    if (this.#ports.has(wanted)) return wanted
    const why = this.#pools.ports.claim(wanted)
    if (why !== undefined) this.invalid([invalid(path, wanted, why)])
    this.#ports.add(wanted)
    return wanted
  }

  free(ips: Iterable<string>, ports: Iterable<number>): void {
    this.#freeIps.push(...ips)
    this.#freePorts.push(...ports)
  }

  commit(): void {
    for (const ip of this.#freeIps) this.#pools.ips.release(ip)
    for (const port of this.#freePorts) this.#pools.ports.release(port)
  }

  revert(): void {
    for (const ip of this.#ips) this.#pools.ips.release(ip)
    for (const port of this.#ports) this.#pools.ports.release(port)
  }
}

/** The pools are built from the stored services when the first service is written, not before. */
export function createServiceAllocator(range: Range, makePools: () => Pools): ServiceAllocator {
  let pools: Pools | undefined
  const opened = (): Pools => {
    if (pools !== undefined) return pools
    const fresh = makePools()
    for (const entry of range.list('core/services/').entries) {
      const spec = specOf(objectOf(entry))
      for (const ip of ipsOf(spec)) fresh.ips.claim(ip)
      for (const port of nodePortsOf(spec)) fresh.ports.claim(port)
    }
    return (pools = fresh)
  }
  /** Runs the steps; what was taken before a failure is given back. */
  const draft = (service: KubeObject, fill: (d: Draft, pools: Pools) => void): Reservation => {
    const used = opened()
    const d = new Draft(used, service.metadata.name ?? '')
    try {
      fill(d, used)
    } catch (error) {
      d.revert()
      throw error
    }
    return d
  }
  return {
    create: (service) =>
      draft(service, (d, { ips }) => {
        const spec = specOf(service)
        const { name, namespace } = service.metadata
        if (name === 'kubernetes' && namespace === 'default' && hasIps(spec) && ipsOf(spec).length === 0) {
          spec.clusterIP = ips.first
          spec.clusterIPs = [ips.first]
        }
        setFamilies(d, spec, undefined)
        if (hasIps(spec)) takeIps(d, spec)
        if (usesPorts(spec)) takePorts(d, spec, new Set())
        if (usesHealthPort(spec)) spec.healthCheckNodePort = d.port(spec.healthCheckNodePort, 'spec.healthCheckNodePort')
      }),
    update: (service, old, trusted) =>
      draft(service, (d) => {
        const spec = specOf(service)
        const before = specOf(old)
        setFamilies(d, spec, before)
        updateIps(d, spec, before, trusted)
        updatePorts(d, spec, before)
      }),
    deleted(service) {
      if (pools === undefined) return
      const spec = specOf(service)
      for (const ip of ipsOf(spec)) pools.ips.release(ip)
      for (const port of nodePortsOf(spec)) pools.ports.release(port)
    },
  }
}

function setFamilies(d: Draft, spec: Spec, before: Spec | undefined): void {
  if (spec.type === 'ExternalName') return
  const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (selectorless ? 'RequireDualStack' : 'SingleStack')
  const wrong: FieldError[] = []
  if (spec.ipFamilyPolicy === 'SingleStack') {
    const detail = (what: string): string =>
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`
    if ((spec.clusterIPs ?? []).length === 2) {
      wrong.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail('cluster IPs')))
    }
    if ((spec.ipFamilies ?? []).length === 2) {
      wrong.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail('IP families')))
    }
  }
  const families = [...(spec.ipFamilies ?? [])]
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None' || i < families.length) break
    if (parseAddress(ip)?.bytes.length === 16) {
      wrong.push(invalid(index('spec.clusterIPs', i), spec.clusterIPs, 'IPv6 is not configured on this cluster'))
    } else {
      families.push('IPv4')
    }
  }
  if (wrong.length > 0) d.invalid(wrong)
  if (families.length === 0) families.push('IPv4')
  if (selectorless) {
    if (families.length < 2 && spec.ipFamilyPolicy !== 'SingleStack') {
      families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4')
    }
    spec.ipFamilies = families
    return
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    wrong.push(
      invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'),
    )
  }
  for (const [i, family] of families.entries()) {
    if (family !== 'IPv4') wrong.push(invalid(index('spec.ipFamilies', i), family, 'not configured on this cluster'))
  }
  if (wrong.length > 0) d.invalid(wrong)
  spec.ipFamilies = families
}

function takeIps(d: Draft, spec: Spec): void {
  const wanted = spec.clusterIPs?.[0] ?? spec.clusterIP ?? ''
  const ip = d.ip(wanted, spec.clusterIPs ?? [wanted])
  spec.clusterIP = ip
  spec.clusterIPs = [ip]
}

function updateIps(d: Draft, spec: Spec, before: Spec, trusted: boolean): void {
  if (hasIps(before) && spec.type === 'ExternalName') {
    d.free(ipsOf(before), [])
    return
  }
  if (!hasIps(spec)) return
  const old = ipsOf(before)
  if (old.length === 0) {
    if (before.type === 'ExternalName') takeIps(d, spec)
    return
  }
  const ip = (spec.clusterIP ??= '') === '' ? old[0]! : spec.clusterIP
  spec.clusterIP = ip
  if ((spec.clusterIPs ?? []).length === 0) spec.clusterIPs = ip === old[0] ? old : [ip]
  // Another address: validation refuses it for everybody but the one that mirrors the host's.
  if (trusted && ip !== old[0]) {
    spec.clusterIPs = [ip]
    takeIps(d, spec)
    d.free(old, [])
  }
}

function takePorts(d: Draft, spec: Spec, kept: ReadonlySet<number>): void {
  const byPort = new Map<number, number>()
  for (const { port, nodePort } of spec.ports ?? []) {
    if (nodePort !== undefined && nodePort !== 0 && !byPort.has(port)) byPort.set(port, nodePort)
  }
  for (const [i, port] of (spec.ports ?? []).entries()) {
    const path = `${index('spec.ports', i)}.nodePort`
    if ((port.nodePort ?? 0) === 0) {
      if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false) continue
      // TCP and UDP of one port share a node port.
      const shared = byPort.get(port.port)
      if (shared !== undefined) {
        port.nodePort = shared
        continue
      }
      port.nodePort = d.port(undefined, path)
      byPort.set(port.port, port.nodePort)
    } else if (!kept.has(port.nodePort!)) {
      d.port(port.nodePort, path)
    }
  }
}

function updatePorts(d: Draft, spec: Spec, before: Spec): void {
  const old = nodePortsOf(before)
  if (usesPorts(spec) && usesPorts(before)) keepPorts(spec, before)
  if (usesPorts(spec)) takePorts(d, spec, old)
  if (usesHealthPort(spec)) {
    if (usesHealthPort(before)) spec.healthCheckNodePort ??= before.healthCheckNodePort ?? 0
    if (!old.has(spec.healthCheckNodePort ?? 0)) {
      spec.healthCheckNodePort = d.port(spec.healthCheckNodePort, 'spec.healthCheckNodePort')
    }
  }
  const now = usesPorts(spec) ? nodePortsOf(spec) : new Set<number>()
  d.free([], [...old].filter((port) => !now.has(port)))
}

/** A port that an update names without its node port keeps the one it has. */
function keepPorts(spec: Spec, before: Spec): void {
  const used = nodePortsOf(spec)
  for (const port of spec.ports ?? []) {
    if ((port.nodePort ?? 0) !== 0) continue
    const same = (before.ports ?? []).find(
      (p) => p.port === port.port && equalJson(p.protocol ?? 'TCP', port.protocol ?? 'TCP'),
    )
    if (same?.nodePort !== undefined && !used.has(same.nodePort)) port.nodePort = same.nodePort
  }
}
