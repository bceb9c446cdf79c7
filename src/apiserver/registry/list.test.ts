import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { call, pod, refusalOf, testCluster } from './fixture.ts'
import type { TestCluster } from './fixture.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import type { ListCall, Listed } from '../contract.ts'
import { metaOf } from '../contract.ts'
import { StatusError } from '../../machinery/status.ts'

async function withMaps(count: number): Promise<TestCluster> {
  const cluster = await testCluster()
  for (let i = 0; i < count; i++) {
    const name = `m${String(i).padStart(3, '0')}`
    const namespace = i % 3 === 0 ? 'kube-system' : 'default'
    await cluster.create('v1/configmaps', { metadata: { name, namespace, labels: { mod: String(i % 4) } } })
  }
  return cluster
}

const names = (listed: Listed): string[] =>
  listed.entries.map((entry) => `${metaOf(entry).namespace}/${metaOf(entry).name}`)

const list = (cluster: TestCluster, query: ListCall = {}, namespace = '', path = 'v1/configmaps') =>
  cluster.api.list(call, cluster.target(path, namespace), query)

async function pages(cluster: TestCluster, query: ListCall, namespace = ''): Promise<Listed[]> {
  const out: Listed[] = []
  for (let token: string | undefined; out.length === 0 || token !== undefined;) {
    const page = await list(cluster, { ...query, ...(token === undefined ? {} : { continue: token }) }, namespace)
    out.push(page)
    token = page.continue
  }
  return out
}

test('pages joined are the whole list, whatever the limit, selector and namespace', async () => {
  const cluster = await withMaps(40)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 45 }),
      fc.constantFrom('', 'mod=1', 'mod in (1,2)', '!mod'),
      fc.constantFrom('', 'default', 'kube-system', 'none'),
      async (limit, labelSelector, namespace) => {
        const whole = await list(cluster, { labelSelector }, namespace)
        const parts = await pages(cluster, { labelSelector, limit }, namespace)
        assert.deepEqual(parts.flatMap(names), names(whole))
        assert.equal(new Set(parts.map((p) => p.resourceVersion)).size, 1)
        let seen = 0
        for (const part of parts) {
          seen += part.entries.length
          const remaining =
            labelSelector === '' && part.continue !== undefined ? whole.entries.length - seen : undefined
          assert.equal(part.remainingItemCount, remaining)
        }
      },
    ),
    { numRuns: 60 },
  )
})

test('later pages show the revision of the first', async () => {
  const cluster = await withMaps(6)
  const first = await list(cluster, { limit: 2 }, 'default')
  await cluster.api.delete(call, cluster.target('v1/configmaps', 'default', 'm005'), {})
  await cluster.create('v1/configmaps', { metadata: { name: 'm0045', namespace: 'default' } })
  const second = await list(cluster, { limit: 5, continue: first.continue! }, 'default')
  assert.deepEqual(names(second), ['default/m004', 'default/m005'])
  assert.equal(second.resourceVersion, first.resourceVersion)
})

test('a page of a forgotten revision: 410 with a token that goes on', async () => {
  const cluster = await withMaps(6)
  const first = await list(cluster, { limit: 2 }, 'default')
  await cluster.create('v1/configmaps', { metadata: { name: 'zz', namespace: 'default' } })
  cluster.api.range.compact(cluster.api.range.revision)
  const refused = await list(cluster, { limit: 2, continue: first.continue! }, 'default').catch(
    (error: unknown) => error,
  )
  assert.ok(refused instanceof StatusError)
  assert.match(refused.message, /^The provided continue parameter is too old to display a consistent list result/)
  assert.equal(refused.reason, 'Expired')
  const next = await list(cluster, { limit: 9, continue: refused.status.metadata.continue! }, 'default')
  assert.deepEqual(names(next), ['default/m004', 'default/m005', 'default/zz'])
  const exact = { resourceVersion: first.resourceVersion, resourceVersionMatch: 'Exact' }
  assert.match(
    await refusalOf(list(cluster, exact)),
    /^410 Expired: The resourceVersion for the provided list is too old/,
  )
})

test('revisions: exact, not older than, in the future', async () => {
  const cluster = await withMaps(3)
  const old = String(cluster.api.range.revision)
  await cluster.create('v1/configmaps', { metadata: { name: 'zz', namespace: 'default' } })
  assert.equal((await list(cluster, { resourceVersion: old, resourceVersionMatch: 'Exact' })).entries.length, 3)
  assert.equal((await list(cluster, { resourceVersion: old, resourceVersionMatch: 'NotOlderThan' })).entries.length, 4)
  assert.equal((await list(cluster, { resourceVersion: old })).entries.length, 4)
  assert.equal((await list(cluster, { resourceVersion: '0' })).entries.length, 4)
  const future = list(cluster, { resourceVersion: String(cluster.api.range.revision + 1) })
  await cluster.create('v1/configmaps', { metadata: { name: 'zzz', namespace: 'default' } })
  assert.equal((await future).entries.length, 5)
})

test('a revision that does not come: 504 with the cause that reflectors know', { timeout: 8000 }, async () => {
  const cluster = await withMaps(1)
  const refused = await list(cluster, { resourceVersion: '999999' }).catch((error: unknown) => error)
  assert.ok(refused instanceof StatusError)
  assert.equal(refused.code, 504)
  assert.deepEqual(refused.status.details?.causes, [
    { reason: 'ResourceVersionTooLarge', message: 'Too large resource version' },
  ])
})

test('parameters that make no sense', async () => {
  const cluster = await withMaps(1)
  const said = (query: ListCall) => refusalOf(list(cluster, query))
  assert.match(
    await said({ resourceVersionMatch: 'Exact' }),
    /^422 .*resourceVersionMatch is forbidden unless resourceVersion is provided/,
  )
  assert.match(
    await said({ resourceVersionMatch: 'Near', resourceVersion: '1' }),
    /Unsupported value: "Near": supported values: "Exact", "NotOlderThan", ""/,
  )
  assert.match(
    await said({ resourceVersionMatch: 'Exact', resourceVersion: '0' }),
    /"exact" is forbidden for resourceVersion "0"/,
  )
  assert.match(await said({ resourceVersion: 'x' }), /^400 BadRequest: invalid resource version/)
  assert.match(await said({ continue: 'x' }), /^400 BadRequest: invalid continue token/)
  assert.match(await said({ labelSelector: 'a in (' }), /^400 BadRequest/)
  assert.match(await said({ fieldSelector: 'data.x=1' }), /^400 BadRequest/)
})

test('field selectors', async () => {
  const cluster = await withMaps(6)
  const by = async (fieldSelector: string, namespace = '') => names(await list(cluster, { fieldSelector }, namespace))
  assert.deepEqual(await by('metadata.name=m001', 'default'), ['default/m001'])
  assert.deepEqual(await by('metadata.name=m001', 'kube-system'), [])
  assert.deepEqual(await by('metadata.name=m001'), ['default/m001'])
  assert.deepEqual(await by('metadata.namespace=kube-system'), ['kube-system/m000', 'kube-system/m003'])
  assert.deepEqual(await by('metadata.namespace=kube-system', 'default'), [])
  assert.deepEqual(await by('metadata.namespace!=default'), ['kube-system/m000', 'kube-system/m003'])
  // What a real kube-apiserver 1.37 answered.
  for (const [path, message] of [
    ['v1/namespaces', 'field label not supported: metadata.namespace'],
    ['v1/nodes', 'field label not supported: metadata.namespace'],
    ['certificates.k8s.io/v1/podcertificaterequests', 'field label not supported: metadata.namespace'],
    [
      'resource.k8s.io/v1/resourceslices',
      'field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: metadata.namespace',
    ],
  ] as const) {
    const refusal = await refusalOf(list(cluster, { fieldSelector: 'metadata.namespace=a' }, '', path))
    assert.equal(refusal, `400 BadRequest: ${message}`)
  }
  assert.equal(
    await refusalOf(list(cluster, { fieldSelector: 'status.replicas=1' }, 'default', 'apps/v1/replicasets')),
    '400 BadRequest: "status.replicas" is not a known field selector: only "metadata.name", "metadata.namespace"',
  )
  await cluster.create('v1/pods', pod('p'))
  const nodes = await list(cluster, { fieldSelector: 'metadata.name=default' }, '', 'v1/namespaces')
  assert.equal(nodes.entries.length, 1)
})

test('continue tokens survive the way out and back', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.string({ minLength: 1 }), (revision, start) => {
      fc.pre(!start.split('/').some((part) => part === '.' || part === '..'))
      assert.deepEqual(decodeContinue(encodeContinue({ revision, start })), { revision, start })
    }),
  )
  assert.throws(
    () => decodeContinue(encodeContinue({ revision: 5, start: '../../secrets/' })),
    /continue key is not valid/,
  )
  assert.throws(() => decodeContinue('nope'), {
    message:
      "invalid continue token: continue key is not valid: invalid character '\\u009e' looking for beginning of value",
  })
})
