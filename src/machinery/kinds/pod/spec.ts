/** A pod's spec, alone or inside a template: the order is upstream's. */
import { child, duplicate, forbidden, index, invalid, notFound, required, tooLong } from '../../field.ts'
import { isIp } from '../../ip.ts'
import { isDns1123Subdomain, isInRange, isQualifiedName } from '../../names.ts'
import { dnsLabel, dnsSubdomain, each, isDnsSubdomainWithUnderscore, requiredOneOf, unique } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { labels } from '../labels.ts'
import { containerResourceName, resourceRequirements } from '../resources.ts'
import { containers, ephemeralContainers, initContainers } from './containers.ts'
import { affinity, tolerations, topologySpread } from './placement.ts'
import { podResources } from './pod-resources.ts'
import { eachContainer, hostProcess, operatingSystem, podSecurity } from './security.ts'
import { shownAs } from '../internal.ts'
import { volumes } from './volumes.ts'

/** What the check of a spec depends on. */
export interface SpecRules {
  /** A pod itself, not a template. */
  readonly isPod: boolean
  /** The pod's name; empty for templates and while it is not known. */
  readonly name: string
  /** The pod's annotations, where it is a pod. */
  readonly mirror: boolean
}

/** Rules for a template's spec. */
export const TEMPLATE_RULES: SpecRules = { isPod: false, name: '', mirror: false }

const RESTART = ['Always', 'OnFailure', 'Never']
const DNS = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']

/** Everything wrong with a spec. */
export function podSpec(spec: Json, rules: SpecRules, path: string, out: Errors): void {
  if (!isSet(spec.terminationGracePeriodSeconds)) out.push(required(child(path, 'terminationGracePeriodSeconds')))
  const byName = volumes(spec.volumes, rules.name, child(path, 'volumes'), out)
  const claims = new Set<string>(listOf(spec.resourceClaims).flatMap((claim) => (claim.name ? [claim.name] : [])))
  resourceClaims(spec.resourceClaims, rules, child(path, 'resourceClaims'), out)
  const context = { spec, volumes: byName, claims }
  containers(context, child(path, 'containers'), out)
  initContainers(context, child(path, 'initContainers'), out)
  ephemeralContainers(context, child(path, 'ephemeralContainers'), out)
  podResources(spec, claims, path, out)
  hostNetworkPorts(spec, rules, path, out)
  requiredOneOf(spec.restartPolicy, RESTART, child(path, 'restartPolicy'), out)
  requiredOneOf(spec.dnsPolicy, DNS, child(path, 'dnsPolicy'), out)
  labels(spec.nodeSelector, child(path, 'nodeSelector'), out)
  podSecurity(spec, child(path, 'securityContext'), out)
  if (spec.hostPID && spec.shareProcessNamespace === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled'
    out.push(invalid(child(path, 'shareProcessNamespace'), true, detail))
  }
  affinity(spec.affinity, child(path, 'affinity'), out)
  dnsConfig(spec, child(path, 'dnsConfig'), out)
  listOf(spec.readinessGates).forEach((gate, i) => {
    const type: string = gate.conditionType ?? ''
    each(isQualifiedName(type), `${path}.readinessGates[${i}].conditionType`, type, out)
  })
  schedulingGates(spec.schedulingGates, child(path, 'schedulingGates'), out)
  topologySpread(spec.topologySpreadConstraints, child(path, 'topologySpreadConstraints'), out)
  hostProcess(spec, path, out)
  hostUsers(spec, path, out)
  hostnameOverride(spec, path, out)
  names(spec, path, out)
  const deadline: Json = spec.activeDeadlineSeconds
  if (isSet(deadline)) each(isInRange(deadline, 1, 2147483647), child(path, 'activeDeadlineSeconds'), deadline, out)
  if (spec.hostname) dnsLabel(spec.hostname, child(path, 'hostname'), out)
  if (spec.subdomain) dnsLabel(spec.subdomain, child(path, 'subdomain'), out)
  tolerations(spec.tolerations, child(path, 'tolerations'), out)
  hostAliases(spec.hostAliases, child(path, 'hostAliases'), out)
  if (spec.priorityClassName) dnsSubdomain(spec.priorityClassName, child(path, 'priorityClassName'), out)
  if (isSet(spec.runtimeClassName)) dnsSubdomain(spec.runtimeClassName, child(path, 'runtimeClassName'), out)
  if (isSet(spec.preemptionPolicy)) {
    requiredOneOf(spec.preemptionPolicy, ['PreemptLowerPriority', 'Never'], child(path, 'preemptionPolicy'), out)
  }
  if (isSet(spec.overhead)) {
    const none = { name: containerResourceName, claims: new Set<string>() }
    resourceRequirements({ limits: spec.overhead }, none, child(path, 'overhead'), out)
  }
  operatingSystem(spec, path, out)
  fileReferences(spec, path, out)
}

function resourceClaims(list: Json, rules: SpecRules, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((claim, i) => {
    if (rules.mirror) {
      out.push(forbidden('', 'static pods do not support resource claims'))
      return
    }
    const at = index(path, i)
    if (!claim.name) out.push(required(child(at, 'name')))
    else if (seen.has(claim.name)) out.push(duplicate(child(at, 'name'), claim.name))
    else {
      dnsLabel(claim.name, child(at, 'name'), out)
      seen.add(claim.name)
    }
    const direct = isSet(claim.resourceClaimName)
    const template = isSet(claim.resourceClaimTemplateName)
    if (direct && template) {
      const detail = 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'
      out.push(invalid(at, shownAs('io.k8s.api.core.v1.PodResourceClaim', claim), detail))
    } else if (!direct && !template) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'
      out.push(invalid(at, shownAs('io.k8s.api.core.v1.PodResourceClaim', claim), detail))
    }
    if (direct) dnsSubdomain(claim.resourceClaimName, child(at, 'resourceClaimName'), out)
    if (template) dnsSubdomain(claim.resourceClaimTemplateName, child(at, 'resourceClaimTemplateName'), out)
  })
}

function hostNetworkPorts(spec: Json, rules: SpecRules, path: string, out: Errors): void {
  if (!spec.hostNetwork) return
  listOf(spec.containers).forEach((container, i) => {
    listOf(container.ports).forEach((port, j) => {
      const hostPort: number = port.hostPort ?? 0
      if (hostPort === (port.containerPort ?? 0) || (!rules.isPod && hostPort === 0)) return
      const detail = 'must match `containerPort` when `hostNetwork` is true'
      out.push(invalid(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, detail))
    })
  })
}

function dnsConfig(spec: Json, path: string, out: Errors): void {
  const config: Json = spec.dnsConfig
  if (spec.dnsPolicy === 'None') {
    if (!isSet(config)) {
      out.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'))
      return
    }
    if (listOf(config.nameservers).length === 0) {
      const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
      out.push(required(child(path, 'nameservers'), detail))
      return
    }
  }
  if (!isSet(config)) return
  const servers = listOf(config.nameservers)
  if (servers.length > 3)
    out.push(invalid(child(path, 'nameservers'), servers, 'must not have more than 3 nameservers'))
  servers.forEach((server, i) => each(isIp(String(server)), index(child(path, 'nameservers'), i), server, out))
  const searches = listOf(config.searches)
  const at = child(path, 'searches')
  if (searches.length > 32) out.push(invalid(at, searches, 'must not have more than 32 search paths'))
  if (Buffer.byteLength(searches.join(' ')) > 2048) {
    const detail = 'must not have more than 2048 characters (including spaces) in the search list'
    out.push(invalid(at, searches, detail))
  }
  searches.forEach((search, i) => {
    if (search === '.') return
    const name = String(search).replace(/\.$/, '')
    each(isDnsSubdomainWithUnderscore(name), index(at, i), name, out)
  })
  listOf(config.options).forEach((option, i) => {
    if (!option.name) out.push(required(index(child(path, 'options'), i), 'must not be empty'))
  })
}

/** Names are unique; also checked when a gated pod changes. */
function schedulingGates(list: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((gate, i) => {
    const name: string = gate.name ?? ''
    each(isQualifiedName(name), index(path, i), name, out)
    unique(seen, name, index(path, i), out)
  })
}

function hostUsers(spec: Json, path: string, out: Errors): void {
  if (spec.hostUsers !== false) return
  const detail = 'when `hostUsers` is false'
  if (spec.hostNetwork) out.push(forbidden(child(path, 'hostNetwork'), detail))
  if (spec.hostPID) out.push(forbidden(child(path, 'HostPID'), detail))
  if (spec.hostIPC) out.push(forbidden(child(path, 'HostIPC'), detail))
  eachContainer(spec, path, (container, at) => {
    if (listOf(container.volumeDevices).length > 0) out.push(forbidden(child(at, 'volumeDevices'), detail))
  })
}

function hostnameOverride(spec: Json, path: string, out: Errors): void {
  const name: Json = spec.hostnameOverride
  if (!isSet(name)) return
  const at = child(path, 'hostnameOverride')
  if (spec.setHostnameAsFQDN === true) {
    out.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'))
  }
  if (spec.hostNetwork) out.push(forbidden(at, 'may not be specified when hostNetwork is true'))
  if (Buffer.byteLength(name) > 64) out.push(tooLong(at, 64))
  each(isDns1123Subdomain(name), at, name, out)
}

function names(spec: Json, path: string, out: Errors): void {
  const account: string = spec.serviceAccountName ?? ''
  const alias: string = spec.serviceAccount ?? ''
  if (account !== '') dnsSubdomain(account, child(path, 'serviceAccountName'), out)
  if (alias !== account) {
    const detail = `must be the same as serviceAccountName: ${JSON.stringify(account)}`
    out.push(invalid(child(path, 'deprecatedServiceAccount'), alias, detail))
  }
  if (spec.nodeName) dnsSubdomain(spec.nodeName, child(path, 'nodeName'), out)
}

function hostAliases(list: Json, path: string, out: Errors): void {
  listOf(list).forEach((alias, i) => {
    const at = index(path, i)
    each(isIp(String(alias.ip ?? '')), child(at, 'ip'), alias.ip ?? '', out)
    listOf(alias.hostnames).forEach((name, j) => dnsSubdomain(name, index(child(at, 'hostnames'), j), out))
  })
}

/** Variables read from files need an emptyDir. */
function fileReferences(spec: Json, path: string, out: Errors): void {
  const sources = new Map<string, Json>(listOf(spec.volumes).map((volume) => [volume.name ?? '', volume]))
  eachContainer(spec, path, (container, at) => {
    listOf(container.env).forEach((variable, i) => {
      const ref: Json = variable.valueFrom?.fileKeyRef
      if (!isSet(ref)) return
      const namePath = `${at}.env[${i}].valueFrom.fileKeyRef.volumeName`
      const volume: Json = sources.get(ref.volumeName ?? '')
      if (volume === undefined) out.push(notFound(namePath, ref.volumeName ?? ''))
      else if (!isSet(volume.emptyDir)) {
        out.push(invalid(namePath, ref.volumeName, 'referenced volume must be of type emptyDir'))
      }
    })
  })
}
