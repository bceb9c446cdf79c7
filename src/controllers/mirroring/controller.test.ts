import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import { controllerOf } from '../meta.ts'
import { hostControllers } from '../sets.ts'
import type { MirrorSlice } from './slices.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }

const slicesOf = async (cluster: LoopCluster, name: string): Promise<MirrorSlice[]> =>
  (
    await cluster.client.list<MirrorSlice>(resources.endpointslices, {
      namespace: 'default',
      labelSelector: `kubernetes.io/service-name=${name}`,
    })
  ).items

/** `IPv4 10.0.0.1,10.0.0.2! :80` */
const text = ({ addressType, endpoints, ports }: MirrorSlice): string =>
  `${addressType} ${(endpoints ?? []).map((one) => one.addresses[0]! + (one.conditions.ready ? '' : '!')).join()} ` +
  (ports ?? []).map((one) => `${one.name ?? ''}:${one.port}`).join()

const become = (cluster: LoopCluster, name: string, ...wanted: string[]): Promise<unknown> =>
  cluster.until(wanted.join('; '), async () => {
    const found = (await slicesOf(cluster, name)).map(text).toSorted((a, b) => (a < b ? -1 : 1))
    return JSON.stringify(found) === JSON.stringify(wanted)
  })

test('hand-written Endpoints are mirrored, follow changes, and go', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 0 }))
  const port = { port: 80, name: 'web' }
  await cluster.create(resources.services, { metadata: { name: 'db' }, spec: { ports: [port] } })
  const made = await cluster.create(resources.endpoints, {
    metadata: { name: 'db', labels: { team: 'a' }, annotations: { note: 'x' } },
    subsets: [
      { addresses: [{ ip: '10.0.0.1', hostname: 'one' }], notReadyAddresses: [{ ip: '10.0.0.2' }], ports: [port] },
      { addresses: [{ ip: 'fd00::1' }], ports: [port] },
    ],
  })
  await become(cluster, 'db', 'IPv4 10.0.0.1,10.0.0.2! web:80', 'IPv6 fd00::1 web:80')
  const [slice] = await slicesOf(cluster, 'db')
  assert.equal(slice!.metadata.labels!['team'], 'a')
  assert.equal(
    slice!.metadata.labels!['endpointslice.kubernetes.io/managed-by'],
    'endpointslicemirroring-controller.k8s.io',
  )
  assert.deepEqual(slice!.metadata.annotations, { note: 'x' })
  assert.equal(controllerOf(slice!)?.kind, 'Endpoints')
  const subsets = [{ addresses: [{ ip: '10.0.0.3' }], ports: [port] }]
  await cluster.client.update(resources.endpoints, { ...made, subsets })
  await become(cluster, 'db', 'IPv4 10.0.0.3 web:80')
  const labels = { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } } }
  await cluster.client.patch(resources.endpoints, 'db', { type: 'merge', body: labels }, { namespace: 'default' })
  await become(cluster, 'db')
  const again = { metadata: { labels: { 'endpointslice.kubernetes.io/skip-mirror': null } } }
  await cluster.client.patch(resources.endpoints, 'db', { type: 'merge', body: again }, { namespace: 'default' })
  await become(cluster, 'db', 'IPv4 10.0.0.3 web:80')
  await cluster.client.delete(resources.endpoints, 'db', { namespace: 'default' })
  await become(cluster, 'db')
  assert.deepEqual(cluster.complaints, [])
})

test('Endpoints of services with a selector, and those of the API itself, are not', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  await cluster.create(resources.pods, {
    metadata: { name: 'p', labels: { app: 'x' } },
    spec: { containers: [{ name: 'a', image: 'a' }] },
  })
  await cluster.create(resources.services, {
    metadata: { name: 'x' },
    spec: { selector: { app: 'x' }, ports: [{ port: 80 }] },
  })
  await cluster.until('its own slice', async () => {
    const [slice] = await slicesOf(cluster, 'x')
    return (slice?.endpoints ?? []).length === 1
  })
  await cluster.until('the Endpoints', () => cluster.find(resources.endpoints, 'default', 'x'))
  // The empty slice of the first moment may still be there beside its successor.
  await cluster.until('one slice', async () => (await slicesOf(cluster, 'x')).length === 1)
  assert.equal((await slicesOf(cluster, 'kubernetes')).length, 1)
})
