import assert from 'node:assert/strict'
import { test } from 'node:test'
import { volumePathWarnings } from './volume-paths.ts'

function warnings(volume: object): string[] {
  const out: string[] = []
  volumePathWarnings(volume, out)
  return out
}

test('files in one place, and places in each other', () => {
  // The first four are what a real kube-apiserver 1.37 warned of.
  const items = [{ path: 'p/q' }, { path: 'p/q' }]
  assert.deepEqual(warnings({ name: 'config', configMap: { name: 'c', items } }), [
    'volume "config" (ConfigMap "c"): overlapping paths: "p/q" with "p/q"',
  ])
  assert.deepEqual(warnings({ name: 'secret', secret: { secretName: 's', items: [{ path: 'p' }, { path: 'p' }] } }), [
    'volume "secret" (Secret "s"): overlapping paths: "p" with "p"',
  ])
  assert.deepEqual(
    warnings({ name: 'down', downwardAPI: { items: [{ path: 'n' }, { path: 'n/' }, { path: 'nn' }] } }),
    ['volume "down" (DownwardAPI): overlapping paths: "n" with "n"'],
  )
  assert.deepEqual(warnings({ name: 'projected', projected: { sources: [{}] } }), [
    'volume "projected" (Projected) has no sources provided',
  ])
  const sources = [
    { configMap: { name: 'c', items: [{ path: 'a' }] } },
    { secret: { name: 's', items: [{ path: 'a/b' }] } },
    { serviceAccountToken: { path: 'token' } },
    { clusterTrustBundle: { signerName: 'x.io/y', path: 'token' } },
    { podCertificate: { keyPath: 'token/k' } },
    { downwardAPI: { items: [{ path: 'z' }] } },
  ]
  assert.deepEqual(warnings({ name: 'p', projected: { sources } }), [
    'volume "p" (Projected): overlapping paths: "a/b" (Secret "s") with "a" (ConfigMap "c")',
    'volume "p" (Projected): overlapping paths: "token" (ClusterTrustBundle "x.io/y") with "token" (ServiceAccountToken)',
    'volume "p" (Projected): overlapping paths: "token/k" (PodCertificate key) with "token" (ServiceAccountToken)',
    'volume "p" (Projected): overlapping paths: "token/k" (PodCertificate key) with "token" (ClusterTrustBundle "x.io/y")',
  ])
  assert.deepEqual(warnings({ name: 'e', emptyDir: {} }), [])
})
