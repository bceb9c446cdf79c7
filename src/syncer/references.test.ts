import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tenantPod } from './fixture.ts'
import { referencesOf, renameReferences } from './references.ts'

const ref = (kind: 'ConfigMap' | 'Secret', name: string) => `${kind}:${name}`

/** Every place in a pod that can name one; the names say what they are. */
const spec = () => ({
  imagePullSecrets: [{ name: 's-pull' }, {}],
  initContainers: [{ name: 'i', image: 'x', envFrom: [{ configMapRef: { name: 'c-init' } }] }],
  ephemeralContainers: [{ name: 'e', image: 'x', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's-debug', key: 'k' } } }] }],
  containers: [
    {
      name: 'c',
      image: 'x',
      envFrom: [{ secretRef: { name: 's-from' } }],
      env: [{ name: 'A', value: 'plain' }, { name: 'B', valueFrom: { configMapKeyRef: { name: 'c-key', key: 'k' } } }],
    },
  ],
  volumes: [
    { name: '1', configMap: { name: 'c-volume' } },
    { name: '2', secret: { secretName: 's-volume' } },
    { name: '3', projected: { sources: [{ configMap: { name: 'c-projected' } }, { secret: { name: 's-projected' } }] } },
    { name: '4', csi: { nodePublishSecretRef: { name: 's-csi' } } },
    { name: '5', azureFile: { secretName: 's-azure' } },
    ...['rbd', 'cephfs', 'iscsi', 'flexVolume', 'cinder', 'scaleIO', 'storageos'].map((p) => ({ name: p, [p]: { secretRef: { name: `s-${p}` } } })),
    { name: '6', emptyDir: {} },
    { name: '7', configMap: { name: '' } },
  ],
}) // prettier-ignore

test('every place is found', () => {
  const found = referencesOf(tenantPod(spec()))
  assert.deepEqual([...found.configMaps].sort(), ['c-init', 'c-key', 'c-projected', 'c-volume'])
  assert.deepEqual(
    [...found.secrets].sort(),
    [
      's-azure', 's-cephfs', 's-cinder', 's-csi', 's-debug', 's-flexVolume', 's-from', 's-iscsi', 's-projected', 's-pull', 's-rbd',
      's-scaleIO', 's-storageos', 's-volume',
    ], // prettier-ignore
  )
})

test('looking changes nothing', () => {
  const pod = tenantPod(spec())
  const before = JSON.stringify(pod)
  referencesOf(pod)
  assert.equal(JSON.stringify(pod), before)
})

test('what is found is what is renamed, each by its kind', () => {
  const pod = tenantPod(spec())
  renameReferences(pod['spec'], ref)
  const now = referencesOf(pod)
  const before = referencesOf(tenantPod(spec()))
  assert.deepEqual([...now.configMaps], [...before.configMaps].map((n) => `ConfigMap:${n}`)) // prettier-ignore
  assert.deepEqual([...now.secrets], [...before.secrets].map((n) => `Secret:${n}`)) // prettier-ignore
})
