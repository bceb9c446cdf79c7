/** The pods of a StatefulSet: their names, what they are made of, and which of them there should be. Pure. */
import { REVISION_HASH } from '../history.ts'
import { controllerReference, label } from '../meta.ts'
import type { Pod, PodSpec, PodTemplate } from '../objects.ts'
import { isAvailable } from '../pods.ts'
import type { Claim, StatefulSet } from './objects.ts'

export const POD_NAME = 'statefulset.kubernetes.io/pod-name'
const POD_INDEX = 'apps.kubernetes.io/pod-index'

/** Volumes pass through untouched. */
interface SpecWithVolumes extends PodSpec {
  volumes?: { name: string; persistentVolumeClaim?: { claimName: string } }[]
}

/** The number in the pod's name, if the rest is the set's; undefined for other names. */
export function ordinalOf(pod: Pod, set: StatefulSet): number | undefined {
  const prefix = `${set.metadata.name!}-`
  const name = pod.metadata.name!
  const number = name.slice(prefix.length)
  return name.startsWith(prefix) && /^[0-9]{1,9}$/.test(number) ? Number(number) : undefined
}

export function replicasOf(set: StatefulSet): number {
  return set.spec.replicas ?? 1
}

export function startOf(set: StatefulSet): number {
  return set.spec.ordinals?.start ?? 0
}

export function isWanted(ordinal: number, set: StatefulSet): boolean {
  return ordinal >= startOf(set) && ordinal < startOf(set) + replicasOf(set)
}

export function isParallel(set: StatefulSet): boolean {
  return set.spec.podManagementPolicy === 'Parallel'
}

/** A pod that is made up and not on the server yet has no phase. */
export function isCreated(pod: Pod): boolean {
  return (pod.status?.phase ?? '') !== ''
}

export function isTerminating(pod: Pod): boolean {
  return pod.metadata.deletionTimestamp !== undefined
}

export function isUnavailable(pod: Pod, set: StatefulSet, now: number): boolean {
  return isTerminating(pod) || !isAvailable(pod, set.spec.minReadySeconds ?? 0, now)
}

export function revisionOf(pod: Pod): string {
  return label(pod, REVISION_HASH) ?? ''
}

/** A template by the name of its revision. */
export interface Version {
  readonly name: string
  readonly template: PodTemplate
}

export interface Layout {
  /** By ordinal from the start; what is missing is made up, without a phase. */
  readonly replicas: Pod[]
  /** Beyond the wanted ordinals, highest first. */
  readonly condemned: Pod[]
}

export function layoutOf(set: StatefulSet, pods: readonly Pod[], current: Version, update: Version): Layout {
  const byOrdinal = new Map<number, Pod>()
  const beyond: [number, Pod][] = []
  for (const pod of pods) {
    const ordinal = ordinalOf(pod, set)
    if (ordinal === undefined) continue
    if (isWanted(ordinal, set)) byOrdinal.set(ordinal, pod)
    else beyond.push([ordinal, pod])
  }
  const replicas = Array.from({ length: replicasOf(set) }, (_, i) => {
    const ordinal = startOf(set) + i
    return byOrdinal.get(ordinal) ?? newPod(set, ordinal, isOfCurrent(set, ordinal) ? current : update)
  })
  return { replicas, condemned: beyond.toSorted(([a], [b]) => b - a).map(([, pod]) => pod) }
}

/** Whether a missing pod is still made from the old template. */
function isOfCurrent(set: StatefulSet, ordinal: number): boolean {
  const { type, rollingUpdate } = set.spec.updateStrategy ?? {}
  if (rollingUpdate !== undefined) return ordinal < startOf(set) + (rollingUpdate.partition ?? 0)
  return type === 'RollingUpdate' && ordinal < startOf(set) + (set.status?.currentReplicas ?? 0)
}

export function newPod(set: StatefulSet, ordinal: number, version: Version): Pod {
  const { metadata = {}, spec } = version.template
  const name = `${set.metadata.name!}-${ordinal}`
  const identity = { ...identityLabels(name, ordinal), [REVISION_HASH]: version.name }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: set.metadata.namespace!,
      labels: { ...metadata.labels, ...identity },
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(metadata.finalizers === undefined ? {} : { finalizers: metadata.finalizers }),
      ownerReferences: [controllerReference('apps/v1', 'StatefulSet', set)],
    },
    spec: withClaims(set, ordinal, {
      ...spec,
      hostname: name,
      ...(set.spec.serviceName === undefined ? {} : { subdomain: set.spec.serviceName }),
    }),
  }
}

/** What tells a pod's place in the set. */
export function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [POD_NAME]: name, [POD_INDEX]: String(ordinal) }
}

function withClaims(set: StatefulSet, ordinal: number, spec: SpecWithVolumes): PodSpec {
  const claims = claimsOf(set, ordinal)
  if (claims.length === 0) return spec
  const own = new Set((set.spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name!))
  const volumes = claims.map(({ metadata }, i) => ({
    name: set.spec.volumeClaimTemplates![i]!.metadata.name!,
    persistentVolumeClaim: { claimName: metadata.name! },
  }))
  const claimed: SpecWithVolumes = {
    ...spec,
    volumes: [...volumes, ...(spec.volumes ?? []).filter(({ name }) => !own.has(name))],
  }
  return claimed
}

/** The claims of an ordinal. They outlive its pods. */
export function claimsOf(set: StatefulSet, ordinal: number): Claim[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec = {} }) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...metadata,
      name: `${metadata.name!}-${set.metadata.name!}-${ordinal}`,
      namespace: set.metadata.namespace!,
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
    },
    spec,
  }))
}
