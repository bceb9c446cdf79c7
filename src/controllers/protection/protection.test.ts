import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { loopCluster } from '../fixture.ts'
import { workloads } from '../resources.ts'
import { attributesClassProtection } from './attributes-classes.ts'
import { claimProtection } from './claims.ts'
import { volumeProtection } from './volumes.ts'

const { persistentvolumeclaims: claims, persistentvolumes: volumes, volumeattributesclasses: classes } = workloads

const claim = (name: string): object => ({
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
})
const pod = (name: string, uses: string, more: object = {}): object => ({
  metadata: { name },
  spec: {
    serviceAccountName: 'x',
    containers: [{ name: 'a', image: 'a' }],
    volumes: [{ name: 'v', persistentVolumeClaim: { claimName: uses } }],
    ...more,
  },
})

test('claims stay while pods are there that use them; unused ones go at once', async () => {
  await using cluster = await loopCluster([claimProtection, volumeProtection])
  await cluster.create(resources.serviceaccounts, { metadata: { name: 'x' } })
  const isKept = (name: string) => async () =>
    (await cluster.find(claims, 'default', name))?.metadata.finalizers?.includes('kubernetes.io/pvc-protection')
  const isGone = (name: string) => async () => (await cluster.find(claims, 'default', name)) === undefined
  for (const name of ['free', 'used', 'waited-for']) {
    await cluster.create(claims, claim(name))
    await cluster.until(`${name} is protected`, isKept(name))
  }
  await cluster.create(resources.pods, pod('user', 'used', { nodeName: 'n' }))
  await cluster.create(resources.pods, pod('waiting', 'waited-for'))
  for (const name of ['free', 'used', 'waited-for']) await cluster.client.delete(claims, name, { namespace: 'default' })
  await cluster.until('free is gone', isGone('free'))
  await cluster.until('waited-for is gone', isGone('waited-for'))
  assert.equal((await cluster.find(claims, 'default', 'used'))?.metadata.deletionTimestamp !== undefined, true)
  await cluster.client.delete(resources.pods, 'user', { namespace: 'default', gracePeriodSeconds: 0 })
  await cluster.until('used is gone', isGone('used'))
  assert.deepEqual(cluster.complaints, [])
})

test('volumes stay while they are bound', async () => {
  await using cluster = await loopCluster([volumeProtection])
  const volume = (name: string): object => ({
    metadata: { name },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
  })
  for (const name of ['bound', 'free']) {
    await cluster.create(volumes, volume(name))
    await cluster.until('protected', async () => (await cluster.find(volumes, '', name))?.metadata.finalizers)
  }
  const phase = (text: string) =>
    cluster.client.patch(
      volumes,
      'bound',
      { type: 'merge', body: { status: { phase: text } } },
      { subresource: 'status' },
    )
  await phase('Bound')
  for (const name of ['bound', 'free']) await cluster.client.delete(volumes, name)
  await cluster.until('free is gone', async () => (await cluster.find(volumes, '', 'free')) === undefined)
  assert.notEqual(await cluster.find(volumes, '', 'bound'), undefined)
  await phase('Released')
  await cluster.until('bound is gone', async () => (await cluster.find(volumes, '', 'bound')) === undefined)
  assert.deepEqual(cluster.complaints, [])
})

test('classes of volume attributes stay while a claim names them', async () => {
  await using cluster = await loopCluster([attributesClassProtection])
  for (const name of ['used', 'free']) {
    await cluster.create(classes, { metadata: { name }, driverName: 'csi.example.com', parameters: { a: 'b' } })
    await cluster.until(`${name} is protected`, async () =>
      (await cluster.find(classes, '', name))?.metadata.finalizers?.includes('kubernetes.io/vac-protection'),
    )
  }
  await cluster.create(claims, {
    metadata: { name: 'c' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      volumeAttributesClassName: 'used',
    },
  })
  for (const name of ['used', 'free']) await cluster.client.delete(classes, name)
  await cluster.until('free is gone', async () => (await cluster.find(classes, '', 'free')) === undefined)
  assert.notEqual((await cluster.find(classes, '', 'used'))?.metadata.deletionTimestamp, undefined)
  await cluster.client.patch(
    claims,
    'c',
    { type: 'merge', body: { metadata: { finalizers: null } } },
    { namespace: 'default' },
  )
  await cluster.client.delete(claims, 'c', { namespace: 'default' })
  await cluster.until('used is gone', async () => (await cluster.find(classes, '', 'used')) === undefined)
  assert.deepEqual(cluster.complaints, [])
})
