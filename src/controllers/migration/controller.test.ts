import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import type { Resource } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import { workloads } from '../resources.ts'
import { storageVersionMigrator } from './controller.ts'
import { runningMessage } from './status.ts'

const GAUGES: Resource = { group: 'example.com', version: 'v1', resource: 'gauges', kind: 'Gauge', namespaced: true }

const version = (name: string, storage: boolean) => ({
  name,
  served: true,
  storage,
  schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
})

const migration = (name: string, resource: string, group = 'example.com') => ({
  metadata: { name },
  spec: { resource: { group, resource } },
})

const texts = (object: KubeObject): string[] =>
  (object['status']?.conditions ?? []).map(
    (c: { type: string; status: string; reason: string; message: string }) =>
      `${c.type} ${c.status} ${c.reason}: ${c.message}`,
  )

async function over(cluster: LoopCluster, name: string): Promise<KubeObject> {
  return cluster.until(name, async () => {
    const found = await cluster.find(workloads.storageversionmigrations, '', name)
    return found !== undefined && texts(found).some((text) => text.startsWith('Running False')) && found
  })
}

test('objects are stored in the version of today, and the definition forgets the old one', async () => {
  await using cluster = await loopCluster([storageVersionMigrator])
  await cluster.create(resources.customresourcedefinitions, {
    metadata: { name: 'gauges.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'gauges', kind: 'Gauge' },
      versions: [version('v1', true), version('v2', false)],
    },
  })
  await cluster.until('the resource', () => cluster.client.list(GAUGES).catch(() => undefined))
  for (let i = 0; i < 20; i++) await cluster.create(GAUGES, { metadata: { name: `g${i}` }, spec: { i } })
  const before = await cluster.client.get(resources.customresourcedefinitions, 'gauges.example.com')
  const changed = structuredClone(before)
  changed['spec'].versions = [version('v1', false), version('v2', true)]
  await cluster.client.update(resources.customresourcedefinitions, changed)
  const definition = () => cluster.client.get(resources.customresourcedefinitions, 'gauges.example.com')
  await cluster.until('two versions', async () => (await definition())['status'].storedVersions.length === 2)
  const revisions = async () =>
    new Map((await cluster.client.list(GAUGES)).items.map((o) => [o.metadata.name, o.metadata.resourceVersion]))
  const old = await revisions()
  await cluster.create(GAUGES, { metadata: { name: 'new' } })

  await cluster.create(workloads.storageversionmigrations, migration('first', 'gauges'))
  await cluster.create(workloads.storageversionmigrations, migration('second', 'gauges'))
  assert.deepEqual(texts(await over(cluster, 'first')), [
    'Succeeded True StorageVersionMigrationSucceeded: Migration completed',
    'Running False MigrationCompleted: Migration completed',
  ])
  await over(cluster, 'second')
  const now = await revisions()
  for (const [name, revision] of old) assert.notEqual(now.get(name), revision)
  const { status } = await cluster.until('one version', async () => {
    const found = await definition()
    return found['status'].storedVersions.length === 1 && found
  })
  assert.deepEqual(status.storedVersions, ['v2'])
  const said = (status.conditions as { type: string; message: string }[]).find((c) => c.type === 'StorageMigrating')
  assert.equal(said?.message, 'The migration has succeeded and the stored versions have been updated')
})

test('what cannot be migrated fails and says why', async () => {
  await using cluster = await loopCluster([storageVersionMigrator])
  await cluster.create(
    workloads.storageversionmigrations,
    migration('reviews', 'tokenreviews', 'authentication.k8s.io'),
  )
  const found = await over(cluster, 'reviews')
  assert.match(texts(found)[0]!, /^Failed True .*does not support discovery operations: \[update patch list\]$/)
})

test('the progress is told', () => {
  assert.equal(runningMessage(), 'The migration is running')
  assert.equal(runningMessage({ left: 3, total: 5 }), 'The migration is running, 3/5 objects not yet migrated')
  assert.equal(
    runningMessage({ left: 0, total: 5 }, 'slow'),
    'The migration is running, 5 objects verified migrated; transient error: slow',
  )
})
