/** A pod's status, written by kubelets and controllers. */
import { child, duplicate, forbidden, index, invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isIp, parseAddress } from '../../ip.ts'
import { isDns1123Subdomain, isQualifiedName } from '../../names.ts'
import { dnsLabel, dnsSubdomain, each, immutable, isUnixId } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { podAnnotations, podAnnotationsUpdate } from './annotations.ts'
import { containerResources, STATUSES } from './status-resources.ts'

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized']
const KEPT = ['resourceClaimStatuses', 'extendedResourceClaimStatus', 'nodeAllocatableResourceClaimStatuses']

/** Restores what a write of the status may not change, and keeps what old clients do not know. */
export function prepareStatus(pod: Json, old: Json): void {
  pod.spec = old.spec
  // Removing a member makes objects slow: it is done where there is one only.
  const { deletionTimestamp: _time, ownerReferences: _owners, ...metadata } = pod.metadata
  for (const field of ['deletionTimestamp', 'ownerReferences'])
    if (isSet(old.metadata[field])) metadata[field] = old.metadata[field]
  pod.metadata = metadata
  const status: Json = (pod.status = { ...pod.status })
  if (!status.qosClass && old.status?.qosClass) status.qosClass = old.status.qosClass
  for (const field of KEPT) if (!isSet(status[field]) && isSet(old.status?.[field])) status[field] = old.status[field]
  if (!status.observedGeneration && old.status?.observedGeneration)
    status.observedGeneration = old.status.observedGeneration
  // ImageVolumeWithDigest is off.
  if (!mounts(old.status).some((mount) => isSet(mount.volumeStatus))) {
    for (const mount of mounts(status)) if (isSet(mount.volumeStatus)) delete mount.volumeStatus
  }
  const before = new Map<string, Json[]>()
  for (const condition of listOf(old.status?.conditions)) {
    const list = before.get(condition.type) ?? []
    list.push(condition.observedGeneration)
    before.set(condition.type, list)
  }
  if (listOf(status.conditions).length === 0) return
  status.conditions = listOf(status.conditions).map((condition) => {
    const generation: Json = before.get(condition.type)?.shift()
    return condition.observedGeneration || !generation ? condition : { ...condition, observedGeneration: generation }
  })
}

function mounts(status: Json): Json[] {
  return STATUSES.flatMap(([field]) => listOf(status?.[field]).flatMap(({ volumeMounts }) => listOf(volumeMounts)))
}

/** Everything wrong with a write of the status. */
export function validateStatus(pod: Json, old: Json): FieldError[] {
  const out: Errors = []
  const status: Json = pod.status ?? {}
  const before: Json = old.status ?? {}
  podAnnotationsUpdate(pod.metadata.annotations, old.metadata.annotations, 'metadata.annotations', out)
  podAnnotations(pod.metadata.annotations, pod.spec, 'metadata.annotations', out)
  listOf(status.conditions).forEach((condition, i) => {
    const at = index('status.conditions', i)
    notNegative(condition.observedGeneration, child(at, 'observedGeneration'), out)
    const type: string = condition.type ?? ''
    if (!SYSTEM_CONDITIONS.includes(type)) each(isQualifiedName(type), child(at, 'Type'), type, out)
  })
  if ((pod.spec.nodeName ?? '') !== (old.spec.nodeName ?? '')) {
    out.push(forbidden('status.nodeName', 'may not be changed directly'))
  }
  const nominated: string = status.nominatedNodeName ?? ''
  if (nominated !== '' && nominated !== (before.nominatedNodeName ?? '')) {
    each(isDns1123Subdomain(nominated), 'status.nominatedNodeName', nominated, out)
    if (old.spec.nodeName) {
      out.push(forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'))
    }
  }
  notNegative(status.observedGeneration, 'status.observedGeneration', out)
  immutable(status.qosClass, before.qosClass, 'status.qosClass', out, status.qosClass ?? '')
  transitions(status, before, 'containerStatuses', old.spec, listOf(old.spec.containers), out)
  transitions(status, before, 'initContainerStatuses', old.spec, listOf(old.spec.initContainers), out)
  transitions(status, before, 'ephemeralContainerStatuses', undefined, [], out)
  claimStatuses(status, pod.spec, out)
  podIps(status, before, out)
  hostIps(status, before, out)
  for (const field of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']) {
    users(status[field], pod.spec.os?.name ?? 'linux', child('status', field), out)
  }
  containerResources(pod, out)
  return out
}

function notNegative(value: Json, path: string, out: Errors): void {
  if ((value ?? 0) < 0) out.push(invalid(path, value, 'must be a non-negative integer'))
}

/** A terminated container does not come back, unless its restart policy says so. */
function transitions(
  status: Json,
  before: Json,
  field: string,
  spec: Json,
  containers: readonly Json[],
  out: Errors,
): void {
  if (spec !== undefined && restartsAll(spec)) return
  listOf(before[field]).forEach((old, i) => {
    if (!isSet(old.state?.terminated)) return
    const now: Json = listOf(status[field]).find((s) => s.name === old.name && !isSet(s.state?.terminated))
    if (now === undefined) return
    const container: Json = containers.find((c) => c.name === old.name)
    if (container !== undefined && shouldRestart(container, spec, old.state.terminated.exitCode ?? 0)) return
    out.push(forbidden(`status.${field}[${i}].state`, 'may not be transitioned to non-terminated state'))
  })
}

function restartsAll(spec: Json): boolean {
  return [...listOf(spec.initContainers), ...listOf(spec.containers)].some((container) =>
    listOf(container.restartPolicyRules).some((rule) => rule.action === 'RestartAllContainers'),
  )
}

function shouldRestart(container: Json, spec: Json, exitCode: number): boolean {
  if (isSet(container.restartPolicy)) {
    const matching = listOf(container.restartPolicyRules).some((rule) => {
      const listed = listOf(rule.exitCodes?.values).includes(exitCode)
      return isSet(rule.exitCodes) && (rule.exitCodes.operator === 'In' ? listed : !listed)
    })
    if (matching) return true
  }
  const policy: Json = container.restartPolicy ?? spec.restartPolicy
  return policy === 'OnFailure' ? exitCode !== 0 : policy !== 'Never'
}

function claimStatuses(status: Json, spec: Json, out: Errors): void {
  const seen = new Set<string>()
  listOf(status.resourceClaimStatuses).forEach((claim, i) => {
    const at = index('status.resourceClaimStatuses', i)
    const name: string = claim.name ?? ''
    if (!listOf(spec.resourceClaims).some((c) => c.name === name)) {
      out.push(invalid(child(at, 'name'), name, 'must match the name of an entry in `spec.resourceClaims`'))
    }
    if (seen.has(name)) out.push(duplicate(child(at, 'name'), name))
    seen.add(name)
    if (isSet(claim.resourceClaimName)) dnsSubdomain(claim.resourceClaimName, child(at, 'resourceClaimName'), out)
  })
  const extended: Json = status.extendedResourceClaimStatus
  if (!isSet(extended)) return
  const path = 'status.extendedResourceClaimStatus'
  const mappings = listOf(extended.requestMappings)
  if (mappings.length === 0) out.push(required(`${path}.requestMappings`, 'at least one request mapping is required'))
  const containers = new Map([...listOf(spec.initContainers), ...listOf(spec.containers)].map((c) => [c.name, c]))
  mappings.forEach((mapping, i) => {
    const at = index(`${path}.requestMappings`, i)
    const container: Json = containers.get(mapping.containerName)
    if (container === undefined) {
      const detail = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'
      out.push(invalid(child(at, 'containerName'), mapping.containerName ?? '', detail))
    } else if (entry(container.resources?.requests, mapping.resourceName) === undefined) {
      const detail =
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests'
      out.push(invalid(child(at, 'resourceName'), mapping.resourceName ?? '', detail))
    }
    dnsLabel(mapping.requestName, `${path}.requestName`, out)
  })
  if (!extended.resourceClaimName) out.push(required(`${path}.resourceClaimName`))
  else dnsSubdomain(extended.resourceClaimName, `${path}.resourceClaimName`, out)
}

function addresses(list: Json): string[] {
  return listOf(list).map((item) => item.ip ?? '')
}

/** At most one address of each family. */
function familyPair(ips: readonly string[], path: string, out: Errors): void {
  if (ips.length < 2) return
  const parsed = ips.map(parseAddress)
  const bad = parsed.indexOf(undefined)
  if (bad >= 0) {
    const message = `Internal error: failed to check for dual stack with error:invalid IP[${bad}]: ${ips[bad]!}`
    out.push({ type: 'InternalError', field: path, message })
  }
  const families = new Set(parsed.map((address) => address?.bytes.length))
  if (bad >= 0 || families.size < 2 || ips.length > 2) {
    const shown = ips.map((IP) => ({ IP }))
    out.push(invalid(path, shown, 'may specify no more than one IP for each IP family'))
  }
}

function podIps(status: Json, before: Json, out: Errors): void {
  const ips = addresses(status.podIPs)
  const known = addresses(before.podIPs)
  ips.forEach((ip, i) => {
    if (!known.includes(ip)) each(isIp(ip), index('status.podIPs', i), ip, out)
  })
  familyPair(ips, 'status.podIPs', out)
  const first: string = status.podIP ?? ''
  if ((first !== '') !== ips.length > 0) {
    const shown = ips.length === 0 ? null : ips.map((IP) => ({ IP }))
    out.push(invalid('status.podIPs', shown, 'podIP and podIPs must either both be set or both be unset'))
  } else if (ips.length > 0 && first !== ips[0]) {
    out.push(invalid('status.podIPs[0].ip', ips[0], 'must be equal to `podIP`'))
  }
}

function hostIps(status: Json, before: Json, out: Errors): void {
  const ips = addresses(status.hostIPs)
  if (ips.length === 0) return
  if ((status.hostIP ?? '') !== ips[0]) out.push(invalid('status.hostIPs[0].ip', ips[0], 'must be equal to `hostIP`'))
  const known = addresses(before.hostIPs)
  ips.forEach((ip, i) => {
    if (!known.includes(ip)) each(isIp(ip), index('status.hostIPs', i), ip, out)
  })
  familyPair(ips, 'status.hostIPs', out)
}

function users(list: Json, os: string, path: string, out: Errors): void {
  listOf(list).forEach((status, i) => {
    const linux: Json = status.user?.linux
    if (!isSet(linux)) return
    const at = `${index(path, i)}.user.linux`
    if (os === 'windows') {
      out.push(forbidden(at, 'cannot be set for a windows pod'))
      return
    }
    const uid: number = linux.uid ?? 0
    if (uid < 0 || uid > 4294967295) {
      out.push(invalid(child(at, 'uid'), uid, 'must be between 0 and 4294967295, inclusive'))
    }
    each(isUnixId(linux.gid ?? 0), child(at, 'gid'), linux.gid, out)
    listOf(linux.supplementalGroups).forEach((gid, j) => {
      each(isUnixId(gid), index(child(at, 'supplementalGroups'), j), gid, out)
    })
  })
}
