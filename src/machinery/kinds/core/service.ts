/** Services. Allocation of cluster IPs and node ports is not here. */
import { child, duplicate, forbidden, index, invalid, key as keyed, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isCidr, isIp, parseAddress } from '../../ip.ts'
import { isPortNumber } from '../../names.ts'
import { dnsLabel, dnsSubdomain, each, oneOf, qualifiedName, requiredOneOf, unique } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { fieldText } from '../fields.ts'
import { entry, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { labels } from '../labels.ts'
import { portNumberOrName } from '../pod/probes.ts'
import { endpointIp } from './endpoint-ip.ts'
import {
  defaultService,
  dropTypeDependent,
  isExternal,
  keepAllocated,
  needsHealthCheck,
  syncClusterIps,
} from './service-fields.ts'
import { clusterIps, isHeadless, primaryStays } from './service-ips.ts'
import { serviceWarnings } from './service-warnings.ts'

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const SOURCE_RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const HINTS = 'service.kubernetes.io/topology-aware-hints'
const MODE = 'service.kubernetes.io/topology-mode'
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']

function validate(service: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = service.spec ?? {}
  const annotations: Json = service.metadata.annotations
  const [hints, mode] = [entry(annotations, HINTS), entry(annotations, MODE)]
  if (isSet(hints) && isSet(mode) && hints !== mode) {
    const detail = `must match annotations[${HINTS}] when both are specified`
    out.push(invalid(keyed('metadata.annotations', MODE), mode, detail))
  }
  const headless = isHeadless(spec)
  const ports = listOf(spec.ports)
  if (ports.length === 0 && !headless && spec.type !== 'ExternalName') out.push(required('spec.ports'))
  if (headless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    out.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${String(spec.type)} services`))
  }
  if (spec.type === 'ExternalName') externalName(spec, out)
  const names = new Set<string>()
  ports.forEach((port, i) => servicePort(port, ports.length > 1, names, index('spec.ports', i), out))
  labels(spec.selector, 'spec.selector', out)
  requiredOneOf(spec.sessionAffinity, ['ClientIP', 'None'], 'spec.sessionAffinity', out)
  sessionAffinity(spec, out)
  if (spec.type !== 'ExternalName') out.push(...clusterIps(spec, old?.spec))
  const knownIps = listOf(old?.spec?.externalIPs)
  listOf(spec.externalIPs).forEach((ip, i) => {
    const at = index('spec.externalIPs', i)
    const messages = knownIps.includes(ip) ? [] : isIp(String(ip))
    if (messages.length > 0) each(messages, at, ip, out)
    else endpointIp(String(ip), at, out)
  })
  requiredOneOf(spec.type, TYPES, 'spec.type', out)
  portNumbers(spec, out)
  sourceRanges(service, old, out)
  const balancer = spec.type === 'LoadBalancer'
  if (isSet(spec.allocateLoadBalancerNodePorts) && !balancer) {
    out.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
  }
  if (balancer && !isSet(spec.allocateLoadBalancerNodePorts)) out.push(required('allocateLoadBalancerNodePorts'))
  loadBalancerClass(spec, out)
  traffic(spec, out)
  return out
}

function externalName(spec: Json, out: Errors): void {
  const detail = 'may not be set for ExternalName services'
  if (listOf(spec.clusterIPs).length > 0) out.push(forbidden('spec.clusterIPs', detail))
  if (listOf(spec.ipFamilies).length > 0) out.push(forbidden('spec.ipFamilies', detail))
  if (isSet(spec.ipFamilyPolicy)) out.push(forbidden('spec.ipFamilyPolicy', detail))
  const name = String(spec.externalName ?? '').replace(/\.$/, '')
  if (name === '') out.push(required('spec.externalName'))
  else dnsSubdomain(name, 'spec.externalName', out)
}

function servicePort(port: Json, named: boolean, names: Set<string>, path: string, out: Errors): void {
  if (named && !port.name) out.push(required(child(path, 'name')))
  else if (port.name) {
    dnsLabel(port.name, child(path, 'name'), out)
    unique(names, port.name, child(path, 'name'), out)
  }
  each(isPortNumber(port.port ?? 0), child(path, 'port'), port.port ?? 0, out)
  requiredOneOf(port.protocol, ['SCTP', 'TCP', 'UDP'], child(path, 'protocol'), out)
  portNumberOrName(port.targetPort, child(path, 'targetPort'), out)
  if (isSet(port.appProtocol)) qualifiedName(port.appProtocol, child(path, 'appProtocol'), out)
}

function sessionAffinity(spec: Json, out: Errors): void {
  const path = 'spec.sessionAffinityConfig'
  const config: Json = spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'None') {
    if (isSet(config)) out.push(forbidden(path, 'must not be set when session affinity is None'))
    return
  }
  if (spec.sessionAffinity !== 'ClientIP') return
  const detail = 'when session affinity type is ClientIP'
  if (!isSet(config)) out.push(required(path, detail))
  else if (!isSet(config.clientIP)) out.push(required(`${path}.clientIP`, detail))
  else {
    const timeout: Json = config.clientIP.timeoutSeconds
    const at = `${path}.clientIP.timeoutSeconds`
    if (!isSet(timeout)) out.push(required(at, detail))
    else if (timeout <= 0 || timeout > 86400)
      out.push(invalid(at, timeout, 'must be greater than 0 and less than 86400'))
  }
}

function portNumbers(spec: Json, out: Errors): void {
  const ports = listOf(spec.ports)
  if (spec.type === 'ClusterIP') {
    ports.forEach((port, i) => {
      if (port.nodePort) out.push(forbidden(`spec.ports[${i}].nodePort`, "may not be used when `type` is 'ClusterIP'"))
    })
  }
  const nodePorts = new Set<string>()
  ports.forEach((port, i) => {
    if (!port.nodePort) return
    const pair = `${String(port.protocol)}/${String(port.nodePort)}`
    if (nodePorts.has(pair)) out.push(duplicate(`spec.ports[${i}].nodePort`, port.nodePort))
    nodePorts.add(pair)
  })
  const numbers = new Set<string>()
  ports.forEach((port, i) => {
    const pair = `${String(port.protocol)}/${String(port.port)}`
    if (numbers.has(pair)) {
      const shown = {
        Name: '',
        Protocol: port.protocol ?? '',
        AppProtocol: null,
        Port: port.port ?? 0,
        TargetPort: 0,
        NodePort: 0,
      }
      out.push(duplicate(index('spec.ports', i), shown))
    }
    numbers.add(pair)
  })
}

function sourceRanges(service: Json, old: Json, out: Errors): void {
  const { spec } = service
  const detail = "may only be used when `type` is 'LoadBalancer'"
  const ranges: readonly string[] = listOf(spec.loadBalancerSourceRanges)
  const annotation: Json = entry(service.metadata.annotations, SOURCE_RANGES)
  if (ranges.length > 0) {
    const path = 'spec.LoadBalancerSourceRanges'
    if (spec.type !== 'LoadBalancer') out.push(forbidden(path, detail))
    const known = listOf(old?.spec?.loadBalancerSourceRanges).map((range) => String(range).trim())
    ranges.forEach((range, i) => {
      const text = range.trim()
      if (!known.includes(text)) each(isCidr(text), index(path, i), text, out)
    })
  } else if (annotation !== undefined) {
    const path = keyed('metadata.annotations', SOURCE_RANGES)
    if (spec.type !== 'LoadBalancer') out.push(forbidden(path, detail))
    const text = String(annotation).trim()
    if (text === '' || entry(old?.metadata.annotations, SOURCE_RANGES) === annotation) return
    for (const range of text.split(',')) each(isCidr(range.trim()), path, range.trim(), out)
  }
}

function loadBalancerClass(spec: Json, out: Errors): void {
  const path = 'spec.loadBalancerClass'
  if (!isSet(spec.loadBalancerClass)) return
  if (spec.type === 'LoadBalancer') qualifiedName(spec.loadBalancerClass, path, out)
  else out.push(forbidden(path, "may only be used when `type` is 'LoadBalancer'"))
}

function traffic(spec: Json, out: Errors): void {
  const external: string = spec.externalTrafficPolicy ?? ''
  if (isExternal(spec)) requiredOneOf(external, ['Cluster', 'Local'], 'spec.externalTrafficPolicy', out)
  else if (external !== '') {
    out.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'))
  }
  const health: number = spec.healthCheckNodePort ?? 0
  if (!needsHealthCheck(spec)) {
    if (health !== 0) {
      const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
      out.push(invalid('spec.healthCheckNodePort', health, detail))
    }
  } else if (health !== 0) each(isPortNumber(health), 'spec.healthCheckNodePort', health, out)
  const internal: Json = spec.internalTrafficPolicy
  if (isSet(internal)) oneOf(internal, ['Cluster', 'Local'], 'spec.internalTrafficPolicy', out)
  else if (['ClusterIP', 'NodePort', 'LoadBalancer'].includes(spec.type)) {
    out.push(required('spec.internalTrafficPolicy'))
  }
  if (isSet(spec.trafficDistribution)) oneOf(spec.trafficDistribution, DISTRIBUTIONS, 'spec.trafficDistribution', out)
}

function validateUpdate(service: Json, old: Json): FieldError[] {
  const out: Errors = []
  const [spec, before] = [service.spec, old.spec]
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const [headless, was] = [isHeadless(spec), isHeadless(before)]
    if (!(headless && was)) primaryStays('clusterIPs', spec, before, out)
    if (!headless && !was) primaryStays('ipFamilies', spec, before, out)
  }
  if (spec.type === 'LoadBalancer' && before.type === 'LoadBalancer') {
    if (!same(spec.loadBalancerClass, before.loadBalancerClass)) {
      out.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'))
    }
  }
  if (
    needsHealthCheck(before) &&
    needsHealthCheck(spec) &&
    !same(spec.healthCheckNodePort, before.healthCheckNodePort)
  ) {
    out.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
  }
  return out
}

function validateStatus(service: Json, old: Json): FieldError[] {
  const out: Errors = []
  loadBalancerStatus(service.status?.loadBalancer, old.status?.loadBalancer, service.spec.type, out)
  return out
}

function loadBalancerStatus(status: Json, old: Json, type: string, out: Errors): void {
  const path = 'status.loadBalancer.ingress'
  const list = listOf(status?.ingress)
  if (type !== 'LoadBalancer' && list.length > 0) {
    out.push(forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"))
    return
  }
  const known = listOf(old?.ingress).map((ingress) => ingress.ip)
  list.forEach((ingress, i) => {
    const at = index(path, i)
    if (ingress.ip && !known.includes(ingress.ip)) each(isIp(String(ingress.ip)), child(at, 'ip'), ingress.ip, out)
    if (!isSet(ingress.ipMode)) {
      if (ingress.ip) out.push(required(child(at, 'ipMode'), 'must be specified when `ip` is set'))
    } else if (!ingress.ip) out.push(forbidden(child(at, 'ipMode'), 'may not be specified when `ip` is not set'))
    else oneOf(ingress.ipMode, ['Proxy', 'VIP'], child(at, 'ipMode'), out)
    if (!ingress.hostname) return
    dnsSubdomain(ingress.hostname, child(at, 'hostname'), out)
    if (parseAddress(String(ingress.hostname)) !== undefined) {
      out.push(invalid(child(at, 'hostname'), ingress.hostname, 'must be a DNS name, not an IP address'))
    }
  })
}

/** What a name outside the cluster stands for has no endpoints to choose from. */
function dropInternalPolicy(spec: Json): void {
  if (spec.type === 'ExternalName') delete spec.internalTrafficPolicy
}

export const serviceRules: KindRules = {
  name: 'dns1123label',
  defaults: defaultService,
  prepareCreate: (service) => {
    service['status'] = { loadBalancer: {} }
    dropInternalPolicy(service['spec'])
    syncClusterIps(service['spec'], undefined)
  },
  prepareUpdate: (service, old) => {
    service['status'] = old['status']
    dropInternalPolicy(service['spec'])
    keepAllocated(service['spec'], old['spec'])
    syncClusterIps(service['spec'], old['spec'])
    dropTypeDependent(service['spec'], old['spec'])
    if ((service['spec'] as Json).type !== 'LoadBalancer')
      service['status'] = { ...(old['status'] as object), loadBalancer: {} }
  },
  validate,
  validateUpdate,
  validateStatus,
  generation: false,
  createOnUpdate: true,
  warnings: serviceWarnings,
  fields: { 'spec.clusterIP': fieldText('spec', 'clusterIP'), 'spec.type': fieldText('spec', 'type') },
}
