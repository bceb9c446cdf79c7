/** What a pod lets its node read. */
import type { KubeObject } from '../../../machinery/object.ts'

type Json = Readonly<Record<string, unknown>>

/** Set on pods that a node makes of its own files: they let it read nothing. */
const MIRROR = 'kubernetes.io/config.mirror'

/** Keys of objects: `<resource>/<namespace>/<name>`, the pod itself among them. */
export function referencesOf(pod: KubeObject): string[] {
  const { name = '', namespace = '', annotations } = pod.metadata
  const keys = new Set([`pods/${namespace}/${name}`])
  if (annotations?.[MIRROR] !== undefined) return [...keys]
  const add = (resource: string, found: unknown): void => {
    if (typeof found === 'string' && found !== '') keys.add(`${resource}/${namespace}/${found}`)
  }
  const spec = map(pod['spec'])
  add('serviceaccounts', spec['serviceAccountName'])
  for (const each of list(spec['imagePullSecrets'])) add('secrets', each['name'])
  for (const kind of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const container of list(spec[kind])) {
      for (const { valueFrom } of list(container['env'])) {
        add('secrets', map(map(valueFrom)['secretKeyRef'])['name'])
        add('configmaps', map(map(valueFrom)['configMapKeyRef'])['name'])
      }
      for (const from of list(container['envFrom'])) {
        add('secrets', map(from['secretRef'])['name'])
        add('configmaps', map(from['configMapRef'])['name'])
      }
    }
  }
  for (const volume of list(spec['volumes'])) volumeReferences(volume, name, add)
  for (const claim of list(spec['resourceClaims'])) add('resourceclaims', claim['resourceClaimName'])
  for (const claim of list(map(pod['status'])['resourceClaimStatuses']))
    add('resourceclaims', claim['resourceClaimName'])
  return [...keys]
}

function volumeReferences(volume: Json, pod: string, add: (resource: string, name: unknown) => void): void {
  add('secrets', map(volume['secret'])['secretName'])
  add('configmaps', map(volume['configMap'])['name'])
  add('secrets', map(volume['azureFile'])['secretName'])
  for (const kind of ['cephfs', 'cinder', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos'])
    add('secrets', map(map(volume[kind])['secretRef'])['name'])
  add('secrets', map(map(volume['csi'])['nodePublishSecretRef'])['name'])
  add('persistentvolumeclaims', map(volume['persistentVolumeClaim'])['claimName'])
  if (volume['ephemeral'] !== undefined) add('persistentvolumeclaims', `${pod}-${String(volume['name'])}`)
  for (const source of list(map(volume['projected'])['sources'])) {
    add('secrets', map(source['secret'])['name'])
    add('configmaps', map(source['configMap'])['name'])
  }
}

/** Secrets that a persistent volume names: `secrets/<namespace>/<name>`. */
export function volumeSecrets(volume: KubeObject): string[] {
  const spec = map(volume['spec'])
  const { namespace: home } = map(spec['claimRef'])
  const keys: string[] = []
  const add = (reference: Json, name: unknown): void => {
    const namespace = typeof reference['namespace'] === 'string' ? reference['namespace'] : home
    if (typeof name === 'string' && typeof namespace === 'string') keys.push(`secrets/${namespace}/${name}`)
  }
  for (const kind of ['cephfs', 'cinder', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos']) {
    const reference = map(map(spec[kind])['secretRef'])
    add(reference, reference['name'])
  }
  const azure = map(spec['azureFile'])
  add({ namespace: azure['secretNamespace'] }, azure['secretName'])
  for (const use of ['nodePublishSecretRef', 'nodeStageSecretRef', 'nodeExpandSecretRef']) {
    const reference = map(map(spec['csi'])[use])
    add(reference, reference['name'])
  }
  return keys
}

const nothing: Json = {}

function map(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : nothing
}

function list(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.map(map) : []
}
