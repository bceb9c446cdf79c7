/** What a pod refers to in the API. A mirror pod stands for files on a node and must refer to nothing. */
import type { KubeObject } from '../../../machinery/object.ts'

/** Volume sources that need nothing but the node. */
const LOCAL: ReadonlySet<string> = new Set(
  'awsElasticBlockStore azureDisk cephfs cinder downwardAPI emptyDir fc flexVolume flocker gcePersistentDisk gitRepo hostPath image iscsi nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume'.split(
    ' ',
  ),
)
const REMOTE: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via configmap volumes)',
  secret: 'secrets (via secret volumes)',
  csi: 'csidrivers (via CSI volumes)',
  glusterfs: 'endpoints (via glusterFS volumes)',
  persistentVolumeClaim: 'persistentvolumeclaims',
  ephemeral: 'persistentvolumeclaims (via ephemeral volumes)',
  azureFile: 'secrets (via azureFile volumes)',
}
const PROJECTED: Readonly<Record<string, string>> = {
  configMap: 'configmaps (via projected volumes)',
  secret: 'secrets (via projected volumes)',
  serviceAccountToken: 'serviceaccounts (via projected volumes)',
  clusterTrustBundle: 'clustertrustbundles',
  podCertificate: 'podcertificates',
}

interface Reference {
  readonly name?: string
}
interface Container {
  readonly env?: readonly {
    readonly valueFrom?: { readonly secretKeyRef?: Reference; readonly configMapKeyRef?: Reference }
  }[]
  readonly envFrom?: readonly { readonly secretRef?: Reference; readonly configMapRef?: Reference }[]
}
type Volume = Readonly<Record<string, unknown>>

/** The first kind that a pod refers to, in upstream's order and words. */
export function apiReference(pod: KubeObject): string | undefined {
  const spec = pod['spec'] ?? {}
  const volumes = (spec.volumes ?? []) as readonly Volume[]
  if ((spec.serviceAccountName ?? '') !== '') return 'serviceaccounts'
  if ((spec.imagePullSecrets ?? []).length > 0 || usesSecrets(spec, volumes)) return 'secrets'
  if (usesConfigMaps(spec, volumes)) return 'configmaps'
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims'
  for (const volume of volumes) {
    const found = volumeReference(volume)
    if (found !== undefined) return found
  }
  return undefined
}

function containersOf(spec: Record<string, unknown>): readonly Container[] {
  return ['containers', 'initContainers', 'ephemeralContainers'].flatMap(
    (list) => (spec[list] ?? []) as readonly Container[],
  )
}

function sourcesOf(volumes: readonly Volume[]): readonly Volume[] {
  return volumes.flatMap(({ projected }) => (projected as { sources?: readonly Volume[] } | undefined)?.sources ?? [])
}

/** Sources that hold the name of a secret in a field of their own. */
const SECRET_REFS = ['cephfs', 'cinder', 'flexVolume', 'iscsi', 'rbd', 'scaleIO', 'storageos'] as const

function usesSecrets(spec: Record<string, unknown>, volumes: readonly Volume[]): boolean {
  const inEnv = containersOf(spec).some(
    ({ env = [], envFrom = [] }) =>
      env.some(({ valueFrom }) => valueFrom?.secretKeyRef !== undefined) ||
      envFrom.some(({ secretRef }) => secretRef !== undefined),
  )
  if (inEnv || sourcesOf(volumes).some(({ secret }) => secret !== undefined)) return true
  return volumes.some((volume) => {
    if (volume['secret'] !== undefined || volume['azureFile'] !== undefined) return true
    const csi = volume['csi'] as { nodePublishSecretRef?: Reference } | undefined
    if (csi?.nodePublishSecretRef !== undefined) return true
    return SECRET_REFS.some((name) => (volume[name] as { secretRef?: Reference } | undefined)?.secretRef !== undefined)
  })
}

function usesConfigMaps(spec: Record<string, unknown>, volumes: readonly Volume[]): boolean {
  const inEnv = containersOf(spec).some(
    ({ env = [], envFrom = [] }) =>
      env.some(({ valueFrom }) => valueFrom?.configMapKeyRef !== undefined) ||
      envFrom.some(({ configMapRef }) => configMapRef !== undefined),
  )
  return inEnv || [...volumes, ...sourcesOf(volumes)].some(({ configMap }) => configMap !== undefined)
}

function volumeReference(volume: Volume): string | undefined {
  if (Object.keys(volume).some((name) => LOCAL.has(name))) return undefined
  for (const [name, text] of Object.entries(REMOTE)) if (volume[name] !== undefined) return text
  for (const source of sourcesOf([volume])) {
    for (const [name, text] of Object.entries(PROJECTED)) if (source[name] !== undefined) return text
  }
  return undefined
}
