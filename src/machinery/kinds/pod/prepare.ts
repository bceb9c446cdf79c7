/** What the server sets on pods itself, and what it drops. */
import { entriesOf, entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { appArmorFromAnnotations } from './annotations.ts'
import { defaultPodResources } from './pod-resources.ts'
import { qosClass } from './qos.ts'
import { eachContainer } from './security.ts'

/**
 * Drops fields of features that are off by default in 1.37 (alpha). A field that the stored object has already is
 * kept, as it may have been written while the feature was on.
 */
export function dropDisabled(spec: Json, old?: Json): void {
  for (const field of ['schedulingGroup', 'evictionResponders']) if (!isSet(old?.[field])) delete spec[field]
  if (!usesStopSignal(old)) {
    eachContainer(spec, '', (container) => {
      if (isSet(container.lifecycle?.stopSignal)) delete container.lifecycle.stopSignal
    })
  }
  eachContainer(spec, '', (container) => {
    for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
      if (isSet(container[field]?.grpc?.mode)) delete container[field].grpc.mode
      if (isSet(container[field]?.httpGet?.protocol)) delete container[field].httpGet.protocol
    }
    for (const hook of ['postStart', 'preStop']) {
      const get: Json = container.lifecycle?.[hook]?.httpGet
      if (isSet(get?.protocol)) delete get.protocol
    }
    for (const mount of listOf(container.volumeMounts)) if (isSet(mount.bindMountOptions)) delete mount.bindMountOptions
  })
  for (const volume of listOf(spec.volumes)) {
    if (isSet(volume.emptyDir?.mode)) delete volume.emptyDir.mode
  }
  if (!fileOwners(old).some(([part, field]) => isSet(part[field]))) {
    for (const [part, field] of fileOwners(spec)) if (isSet(part[field])) delete part[field]
  }
}

/** Where a spec may say whose the files of a volume are. */
function fileOwners(spec: Json): [part: Json, field: string][] {
  const out: [Json, string][] = []
  const files = (list: Json): void => {
    for (const file of listOf(list)) out.push([file, 'user'])
  }
  for (const { secret, configMap, downwardAPI, projected } of listOf(spec?.volumes)) {
    for (const source of [secret, configMap, downwardAPI, projected].filter(isSet)) {
      out.push([source, 'defaultUser'])
      files(source.items)
    }
    for (const source of listOf(projected?.sources)) {
      for (const kind of ['secret', 'configMap', 'downwardAPI']) files(source[kind]?.items)
      for (const kind of ['serviceAccountToken', 'clusterTrustBundle', 'podCertificate']) {
        if (isSet(source[kind])) out.push([source[kind], 'user'])
      }
    }
  }
  return out
}

function usesStopSignal(spec: Json): boolean {
  let used = false
  if (isSet(spec)) {
    eachContainer(spec, '', (container) => {
      used ||= isSet(container.lifecycle?.stopSignal)
    })
  }
  return used
}

const INIT_ANNOTATIONS = ['pod.beta.kubernetes.io/init-containers', 'pod.alpha.kubernetes.io/init-containers']

/** A new pod: pending, with its QoS class, and the server's own additions to the spec. */
export function prepareCreate(pod: Json): void {
  pod.status = { phase: 'Pending' }
  const { spec } = pod
  dropDisabled(spec)
  for (const name of INIT_ANNOTATIONS) {
    if (entry(pod.metadata.annotations, name) !== undefined) delete pod.metadata.annotations[name]
  }
  if (listOf(spec.schedulingGates).length > 0) {
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        lastProbeTime: null,
        lastTransitionTime: pod.metadata.creationTimestamp ?? null,
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ]
  }
  matchLabelKeys(pod)
  appArmorFromAnnotations(pod)
  defaultPodResources(spec)
  pod.status.qosClass = qosClass(spec)
}

/** An update through the main endpoint: the status is the stored one. */
export function prepareUpdate(pod: Json, old: Json): void {
  pod.status = old.status
  if (!isSet(pod.spec.resources) && isSet(old.spec.resources)) pod.spec.resources = old.spec.resources
  dropDisabled(pod.spec, old.spec)
}

/** Turns `matchLabelKeys` into requirements with this pod's values. */
function matchLabelKeys(pod: Json): void {
  const { spec, metadata } = pod
  const terms: Json[] = []
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const affinity: Json = spec.affinity?.[kind]
    for (const weighted of listOf(affinity?.preferredDuringSchedulingIgnoredDuringExecution)) {
      if (isSet(weighted.podAffinityTerm)) terms.push(weighted.podAffinityTerm)
    }
    terms.push(...listOf(affinity?.requiredDuringSchedulingIgnoredDuringExecution))
  }
  terms.push(...listOf(spec.topologySpreadConstraints))
  const labels = new Map<string, Json>(entriesOf(metadata.labels))
  for (const term of terms) {
    if (!isSet(term.labelSelector)) continue
    const added = [
      ...requirements(term.matchLabelKeys, 'In', labels),
      ...requirements(term.mismatchLabelKeys, 'NotIn', labels),
    ]
    if (added.length > 0)
      term.labelSelector.matchExpressions = [...listOf(term.labelSelector.matchExpressions), ...added]
  }
}

function requirements(keys: Json, operator: string, labels: ReadonlyMap<string, Json>): Json[] {
  return listOf(keys).flatMap((key) => (labels.has(key) ? [{ key, operator, values: [labels.get(key)] }] : []))
}
