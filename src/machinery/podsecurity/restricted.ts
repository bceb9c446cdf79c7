/** The checks that the Pod Security Standard "restricted" adds to "baseline", or has in the place of one of it. */
import type { KubeObject } from '../object.ts'
import { hasGoodSeccomp, seccomp, type Check } from './baseline.ts'
import { names, offenders, plural, quoted, sorted, these } from './containers.ts'

/** Windows has none of what these are about. */
export function unlessWindows(check: Check): Check {
  return (pod) => (pod.spec.os?.name === 'windows' ? undefined : check(pod))
}

export const privilegeEscalation: Check = ({ containers }) => {
  const bad = containers.filter(({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
  if (bad.length === 0) return undefined
  return {
    reason: 'allowPrivilegeEscalation != false',
    detail: `${these(bad)} must set securityContext.allowPrivilegeEscalation=false`,
  }
}

export const restrictedCapabilities: Check = ({ containers }) => {
  const of = (container: KubeObject['container'], field: 'add' | 'drop'): string[] =>
    container.securityContext?.capabilities?.[field] ?? []
  const wrong = (container: KubeObject['container']): string[] =>
    of(container, 'add').filter((one) => one !== 'NET_BIND_SERVICE')
  const keeping = containers.filter((container) => !of(container, 'drop').includes('ALL'))
  const adding = containers.filter((container) => wrong(container).length > 0)
  const details: string[] = []
  if (keeping.length > 0) details.push(`${these(keeping)} must set securityContext.capabilities.drop=["ALL"]`)
  if (adding.length > 0) {
    const added = quoted(sorted(adding.flatMap(wrong)))
    details.push(`${these(adding)} must not include ${added} in securityContext.capabilities.add`)
  }
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') }
}

const VOLUMES = [
  'configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret',
] // prettier-ignore
const OTHER_VOLUMES = [
  'hostPath', 'gcePersistentDisk', 'awsElasticBlockStore', 'gitRepo', 'nfs', 'iscsi', 'glusterfs', 'rbd', 'flexVolume',
  'cinder', 'cephfs', 'flocker', 'fc', 'azureFile', 'vsphereVolume', 'quobyte', 'azureDisk', 'photonPersistentDisk',
  'portworxVolume', 'scaleIO', 'storageos',
] // prettier-ignore

export const volumes: Check = ({ spec }) => {
  const bad = ((spec.volumes ?? []) as KubeObject['volume'][]).filter(
    (volume) => !VOLUMES.some((type) => volume[type] !== undefined),
  )
  if (bad.length === 0) return undefined
  const types = sorted(bad.map((volume) => OTHER_VOLUMES.find((type) => volume[type] !== undefined) ?? 'unknown'))
  const who = `${plural('volume', bad.length)} ${quoted(names(bad))} ${plural('uses', bad.length, 'use')}`
  return {
    reason: 'restricted volume types',
    detail: `${who} ${plural('restricted volume type', types.length)} ${quoted(types)}`,
  }
}

export const runAsNonRoot: Check = (pod) => {
  const reason = 'runAsNonRoot != true'
  const who = offenders(pod, (context) => context.runAsNonRoot === false)
  if (who !== undefined) return { reason, detail: `${who} must not set securityContext.runAsNonRoot=false` }
  if (pod.spec.securityContext?.runAsNonRoot === true) return undefined
  const silent = pod.containers.filter(({ securityContext }) => securityContext?.runAsNonRoot !== true)
  if (silent.length === 0) return undefined
  return { reason, detail: `pod or ${these(silent)} must set securityContext.runAsNonRoot=true` }
}

export const runAsUser: Check = (pod) => {
  const who = offenders(pod, (context) => context.runAsUser === 0)
  return who === undefined ? undefined : { reason: 'runAsUser=0', detail: `${who} must not set runAsUser=0` }
}

export const restrictedSeccomp: Check = (pod) => {
  const wrong = seccomp(pod)
  if (wrong !== undefined || hasGoodSeccomp(pod.spec.securityContext)) return wrong
  const silent = pod.containers.filter(({ securityContext }) => !hasGoodSeccomp(securityContext))
  if (silent.length === 0) return undefined
  const must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
  return { reason: 'seccompProfile', detail: `pod or ${these(silent)} ${must}` }
}
