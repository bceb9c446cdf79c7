/**
 * Cluster IPs and node ports of services, given out within the request: the answer to a create has them. IPv4 only;
 * dual-stack is refused as an upstream cluster with one family refuses it.
 */
import { index } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { objectOf } from '../contract.ts'
import type { Range } from '../../store/contract.ts'
import type { Pools, Reservation } from './service-draft.ts'
import { Draft } from './service-draft.ts'
import { setFamilies } from './service-families.ts'
import type { ServiceSpec } from './service-spec.ts'
import { hasIps, ipsOf, nodePortsOf, specOf, usesHealthPort, usesPorts } from './service-spec.ts'

export interface ServiceAllocator {
  /** Fills in clusterIP(s), families and node ports. @throws StatusError 422, 500 when a range is full */
  create(service: KubeObject, dryRun: boolean): Reservation
  /** As `create` for what an update adds. `trusted`: the writer may set another cluster IP than the stored one. */
  update(service: KubeObject, old: KubeObject, how: { trusted: boolean; dryRun: boolean }): Reservation
  /** The service is gone. */
  deleted(service: KubeObject): void
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
  const draft = (service: KubeObject, dryRun: boolean, fill: (d: Draft, pools: Pools) => void): Reservation => {
    const used = opened()
    const d = new Draft(used, service.metadata.name ?? '', dryRun)
    try {
      fill(d, used)
    } catch (error) {
      d.revert()
      throw error
    }
    return d
  }
  return {
    create: (service, dryRun) =>
      draft(service, dryRun, (d, { ips }) => {
        const spec = specOf(service)
        const { name, namespace } = service.metadata
        if (name === 'kubernetes' && namespace === 'default' && hasIps(spec) && ipsOf(spec).length === 0) {
          spec.clusterIP = ips.first
          spec.clusterIPs = [ips.first]
        }
        setFamilies(d, spec, undefined)
        if (hasIps(spec)) takeIps(d, spec)
        if (usesPorts(spec)) takePorts(d, spec, new Set())
        if (usesHealthPort(spec)) spec.healthCheckNodePort = d.healthPort(spec.healthCheckNodePort)
      }),
    update: (service, old, { trusted, dryRun }) =>
      draft(service, dryRun, (d) => {
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

function takeIps(d: Draft, spec: ServiceSpec): void {
  const wanted = spec.clusterIPs?.[0] ?? spec.clusterIP ?? ''
  const ip = d.ip(wanted, spec.clusterIPs ?? [wanted])
  spec.clusterIP = ip
  spec.clusterIPs = [ip]
}

function updateIps(d: Draft, spec: ServiceSpec, before: ServiceSpec, trusted: boolean): void {
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

function takePorts(d: Draft, spec: ServiceSpec, kept: ReadonlySet<number>): void {
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

function updatePorts(d: Draft, spec: ServiceSpec, before: ServiceSpec): void {
  const old = nodePortsOf(before)
  if (usesPorts(spec) && usesPorts(before)) keepPorts(spec, before)
  if (usesPorts(spec)) takePorts(d, spec, old)
  if (usesHealthPort(spec)) {
    if (usesHealthPort(before)) spec.healthCheckNodePort ??= before.healthCheckNodePort ?? 0
    if (!old.has(spec.healthCheckNodePort ?? 0)) {
      spec.healthCheckNodePort = d.healthPort(spec.healthCheckNodePort)
    }
  }
  const now = usesPorts(spec) ? nodePortsOf(spec) : new Set<number>()
  d.free(
    [],
    [...old].filter((port) => !now.has(port)),
  )
}

/** A port that an update names without its node port keeps the one it has. */
function keepPorts(spec: ServiceSpec, before: ServiceSpec): void {
  const used = nodePortsOf(spec)
  for (const port of spec.ports ?? []) {
    if ((port.nodePort ?? 0) !== 0) continue
    const same = (before.ports ?? []).find(
      (p) => p.port === port.port && (p.protocol ?? 'TCP') === (port.protocol ?? 'TCP'),
    )
    if (same?.nodePort !== undefined && !used.has(same.nodePort)) port.nodePort = same.nodePort
  }
}
