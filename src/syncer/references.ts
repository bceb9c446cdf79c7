/** Which ConfigMaps and Secrets a pod needs: the only ones that go to the host. */
import type { KubeObject } from '../machinery/object.ts'

export interface References {
  readonly configMaps: ReadonlySet<string>
  readonly secrets: ReadonlySet<string>
}

/** Calls `visit` for every place in a pod spec that names a ConfigMap or Secret; the result replaces the name. */
export function renameReferences(
  spec: KubeObject['spec'],
  visit: (kind: 'ConfigMap' | 'Secret', name: string) => string,
): void {
  for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) {
    for (const container of list ?? []) {
      for (const from of container.envFrom ?? []) {
        rename(from.configMapRef, 'name', 'ConfigMap', visit)
        rename(from.secretRef, 'name', 'Secret', visit)
      }
      for (const env of container.env ?? []) {
        rename(env.valueFrom?.configMapKeyRef, 'name', 'ConfigMap', visit)
        rename(env.valueFrom?.secretKeyRef, 'name', 'Secret', visit)
      }
    }
  }
  for (const volume of spec.volumes ?? []) {
    rename(volume.configMap, 'name', 'ConfigMap', visit)
    rename(volume.secret, 'secretName', 'Secret', visit)
    for (const source of volume.projected?.sources ?? []) {
      rename(source.configMap, 'name', 'ConfigMap', visit)
      rename(source.secret, 'name', 'Secret', visit)
    }
    for (const plugin of SECRET_PLUGINS) rename(volume[plugin]?.secretRef, 'name', 'Secret', visit)
    rename(volume.azureFile, 'secretName', 'Secret', visit)
    rename(volume.csi?.nodePublishSecretRef, 'name', 'Secret', visit)
  }
  for (const pull of spec.imagePullSecrets ?? []) rename(pull, 'name', 'Secret', visit)
}

const SECRET_PLUGINS = ['rbd', 'cephfs', 'iscsi', 'flexVolume', 'cinder', 'scaleIO', 'storageos'] as const

function rename(
  holder: Record<string, unknown> | undefined,
  field: string,
  kind: 'ConfigMap' | 'Secret',
  visit: (kind: 'ConfigMap' | 'Secret', name: string) => string,
): void {
  const name = holder?.[field]
  if (typeof name !== 'string' || name === '') return
  const renamed = visit(kind, name)
  if (renamed !== name) holder![field] = renamed
}

/** The references of a pod. Does not change it. */
export function referencesOf(pod: KubeObject): References {
  const configMaps = new Set<string>()
  const secrets = new Set<string>()
  renameReferences(pod['spec'], (kind, name) => {
    ;(kind === 'ConfigMap' ? configMaps : secrets).add(name)
    return name
  })
  return { configMaps, secrets }
}
