/** What the API fills into pods and pod templates. */
import { entriesOf, entry, isSet, listOf, setEntry } from '../json.ts'
import type { Json } from '../json.ts'
import { roundList } from '../resources.ts'
import { defaultClaimSpec } from '../storage/defaults.ts'
import { VOLUME_SOURCES } from './volume-sources.ts'

/** Sets a field that is absent or empty. */
export function fill(object: Json, field: string, value: Json): void {
  if (object[field] === undefined || object[field] === null || object[field] === '') object[field] = value
}

/** Fills in a template's spec, which every workload shares. Pods get more: {@link defaultPod}. */
export function defaultPodSpec(spec: Json): void {
  if (!spec.serviceAccountName && spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName
  fill(spec, 'dnsPolicy', 'ClusterFirst')
  fill(spec, 'restartPolicy', 'Always')
  fill(spec, 'securityContext', {})
  fill(spec, 'terminationGracePeriodSeconds', 30)
  fill(spec, 'schedulerName', 'default-scheduler')
  for (const volume of listOf(spec.volumes)) defaultVolume(volume)
  for (const field of ['initContainers', 'containers', 'ephemeralContainers']) {
    for (const container of listOf(spec[field])) defaultContainer(container)
  }
  roundList(spec.overhead)
}

/** Fills in a pod. */
export function defaultPod(pod: Json): void {
  const spec: Json = (pod.spec ??= {})
  defaultPodSpec(spec)
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1
  for (const container of [...listOf(spec.containers), ...listOf(spec.initContainers)]) {
    requestsFromLimits(container)
    if (!spec.hostNetwork) continue
    for (const port of listOf(container.ports))
      if (!port.hostPort && port.containerPort) port.hostPort = port.containerPort
  }
  fill(spec, 'enableServiceLinks', true)
  const status: Json = pod.status
  if (!isSet(status)) return
  if (status.podIP && listOf(status.podIPs)[0]?.ip !== status.podIP) status.podIPs = [{ ip: status.podIP }]
  else if (!status.podIP && listOf(status.podIPs).length > 0) status.podIP = status.podIPs[0].ip
}

/** A template without a spec gets one, as typed objects always have one. */
export function defaultTemplate(owner: Json): void {
  const template: Json = (owner.template ??= {})
  defaultPodSpec((template.spec ??= {}))
}

function requestsFromLimits(container: Json): void {
  const limits: Json = container.resources?.limits
  if (!isSet(limits)) return
  const requests: Json = (container.resources.requests ??= {})
  for (const [name, text] of entriesOf(limits)) {
    if (entry(requests, name) === undefined) setEntry(requests, name, text)
  }
}

function defaultContainer(container: Json): void {
  fill(container, 'imagePullPolicy', pullPolicy(container.image ?? ''))
  fill(container, 'terminationMessagePath', '/dev/termination-log')
  fill(container, 'terminationMessagePolicy', 'File')
  for (const port of listOf(container.ports)) fill(port, 'protocol', 'TCP')
  for (const variable of listOf(container.env)) {
    const from: Json = variable.valueFrom
    if (isSet(from?.fieldRef)) fill(from.fieldRef, 'apiVersion', 'v1')
    if (isSet(from?.fileKeyRef)) fill(from.fileKeyRef, 'optional', false)
    if (isSet(from?.resourceFieldRef)) fill(from.resourceFieldRef, 'divisor', '0')
  }
  for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe']) defaultProbe(container[field])
  for (const hook of ['postStart', 'preStop']) defaultHttp(container.lifecycle?.[hook]?.httpGet)
  roundList(container.resources?.limits)
  roundList(container.resources?.requests)
}

function defaultProbe(probe: Json): void {
  if (!isSet(probe)) return
  defaultHttp(probe.httpGet)
  if (isSet(probe.grpc)) fill(probe.grpc, 'service', '')
  for (const [field, value] of [
    ['timeoutSeconds', 1],
    ['periodSeconds', 10],
    ['successThreshold', 1],
    ['failureThreshold', 3],
  ] as const) {
    if (!probe[field]) probe[field] = value
  }
}

function defaultHttp(action: Json): void {
  if (!isSet(action)) return
  fill(action, 'path', '/')
  fill(action, 'scheme', 'HTTP')
}

/** Always for the moving tag, which is also the tag of an image without tag and digest. */
function pullPolicy(image: string): string {
  return imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent'
}

/** Characters of an image's name without tag and digest. */
const MOST_NAME = 255
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const PATH_PART = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/

/** The tag of an image reference; empty when it cannot be read or has a digest alone. */
export function imageTag(image: string): string {
  if (image.length > 4096) return ''
  const at = image.indexOf('@')
  const digest = at < 0 ? '' : image.slice(at + 1)
  if (at >= 0 && !DIGEST.test(digest)) return ''
  const named = at < 0 ? image : image.slice(0, at)
  const colon = named.lastIndexOf(':')
  const tagged = colon > named.lastIndexOf('/')
  const name = tagged ? named.slice(0, colon) : named
  const tag = tagged ? named.slice(colon + 1) : ''
  if (name.length > MOST_NAME || (tagged && !TAG.test(tag))) return ''
  const parts = name.split('/')
  const host = parts[0]!
  const isHost = parts.length > 1 && (/[.:]/.test(host) || host === 'localhost' || host !== host.toLowerCase())
  if (!(isHost ? parts.slice(1) : parts).every((part) => PATH_PART.test(part))) return ''
  if (tag !== '') return tag
  return digest === '' ? 'latest' : ''
}

function defaultVolume(volume: Json): void {
  if (!VOLUME_SOURCES.some((field) => isSet(volume[field]))) volume.emptyDir = {}
  if (isSet(volume.image)) fill(volume.image, 'pullPolicy', pullPolicy(volume.image.reference ?? ''))
  for (const field of ['secret', 'configMap', 'downwardAPI', 'projected']) {
    if (isSet(volume[field])) fill(volume[field], 'defaultMode', 0o644)
  }
  for (const file of listOf(volume.downwardAPI?.items)) defaultFile(file)
  for (const source of listOf(volume.projected?.sources)) {
    for (const file of listOf(source.downwardAPI?.items)) defaultFile(file)
    if (isSet(source.serviceAccountToken)) fill(source.serviceAccountToken, 'expirationSeconds', 3600)
  }
  if (isSet(volume.hostPath) && !isSet(volume.hostPath.type)) volume.hostPath.type = ''
  defaultPlugins(volume)
  const template: Json = volume.ephemeral?.volumeClaimTemplate
  if (isSet(template)) defaultClaimSpec((template.spec ??= {}))
}

function defaultFile(file: Json): void {
  if (isSet(file.fieldRef)) fill(file.fieldRef, 'apiVersion', 'v1')
  if (isSet(file.resourceFieldRef)) fill(file.resourceFieldRef, 'divisor', '0')
}

const PLUGIN_DEFAULTS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  iscsi: { iscsiInterface: 'default' },
  rbd: { pool: 'rbd', user: 'admin', keyring: '/etc/ceph/keyring' },
  azureDisk: { cachingMode: 'ReadWrite', fsType: 'ext4', readOnly: false, kind: 'Shared' },
  scaleIO: { storageMode: 'ThinProvisioned', fsType: 'xfs' },
}

/** Defaults of older plugins, in volumes and persistent volumes. */
export function defaultPlugins(volume: Json): void {
  for (const [plugin, values] of Object.entries(PLUGIN_DEFAULTS)) {
    if (!isSet(volume[plugin])) continue
    for (const [field, value] of Object.entries(values)) fill(volume[plugin], field, value)
  }
}
