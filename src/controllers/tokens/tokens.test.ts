import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { resources } from '../../client/resources.ts'
import { loopCluster } from '../fixture.ts'
import { serviceAccountController } from '../service-account.ts'
import { accountSecrets } from './account-secrets.ts'
import { bootstrapSigner, detachedSignature } from './bootstrap-signer.ts'
import { legacyTokenCleaner } from './legacy-cleaner.ts'
import { legacyTokenTracking, TRACKING } from './tracking.ts'
import { bootstrapTokenCleaner } from './bootstrap-cleaner.ts'

const decoded = (text: string): string => Buffer.from(text, 'base64').toString()

describe('tokens', () => {
  test('Secrets of an account are filled, and go with it', async () => {
    const sign = (account: object): string => JSON.stringify(account)
    await using cluster = await loopCluster([serviceAccountController, accountSecrets({ ca: 'CA', sign })])
    await cluster.create(resources.serviceaccounts, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'robot' },
    })
    const secret = (name: string, account: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, annotations: { 'kubernetes.io/service-account.name': account } },
      type: 'kubernetes.io/service-account-token',
    })
    await cluster.create(resources.secrets, secret('t', 'robot'))
    await cluster.create(resources.secrets, secret('lost', 'nobody'))
    const filled = await cluster.until('a token', async () => {
      const found = await cluster.find(resources.secrets, 'default', 't')
      return found?.['data']?.token === undefined ? undefined : found
    })
    const account = await cluster.find(resources.serviceaccounts, 'default', 'robot')
    const { uid } = account!.metadata
    assert.deepEqual(JSON.parse(decoded(filled['data'].token as string)), {
      namespace: 'default',
      name: 'robot',
      uid,
      secret: 't',
    })
    assert.deepEqual(
      [decoded(filled['data']['ca.crt'] as string), decoded(filled['data'].namespace as string)],
      ['CA', 'default'],
    )
    assert.equal(filled.metadata.annotations!['kubernetes.io/service-account.uid'], uid)
    await cluster.until(
      'the lost one to go',
      async () => (await cluster.find(resources.secrets, 'default', 'lost')) === undefined,
    )
    await cluster.client.delete(resources.serviceaccounts, 'robot', { namespace: 'default' })
    await cluster.until(
      'its Secret to go',
      async () => (await cluster.find(resources.secrets, 'default', 't')) === undefined,
    )
    assert.deepEqual(cluster.complaints, [])
  })

  test('bootstrap tokens go when their time is over', async () => {
    await using cluster = await loopCluster([bootstrapTokenCleaner])
    const token = (id: string, expiration: string) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `bootstrap-token-${id}` },
      type: 'bootstrap.kubernetes.io/token',
      stringData: { 'token-id': id, 'token-secret': '0123456789abcdef', expiration },
    })
    const soon = new Date(Date.now() + 1000).toISOString()
    await cluster.create(resources.secrets, token('aaaaaa', soon), 'kube-system')
    await cluster.create(resources.secrets, token('bbbbbb', '2020-01-01T00:00:00Z'), 'kube-system')
    await cluster.create(resources.secrets, token('cccccc', '2999-01-01T00:00:00Z'), 'kube-system')
    const gone = (id: string) =>
      cluster.until(
        `${id} to go`,
        async () => (await cluster.find(resources.secrets, 'kube-system', `bootstrap-token-${id}`)) === undefined,
      )
    await gone('bbbbbb')
    await gone('aaaaaa')
    assert.ok(await cluster.find(resources.secrets, 'kube-system', 'bootstrap-token-cccccc'))
  })

  test('signatures are those of kubeadm', () => {
    // Of upstream's own tests.
    const content = 'Hello from the other side. I must have called a thousand times.'
    const head = 'eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..'
    const sign = (text: string) => detachedSignature(text, 'joshua', 'my voice is my passcode')
    assert.equal(sign(content), `${head}VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8`)
    assert.equal(sign(''), `${head}7Ui1ALizW4jXphVUB7xUqC9vLYLL9RZeOFfVLoB7Tgk`)
  })

  test('cluster-info is signed by the tokens that may, as long as they are there', async () => {
    await using cluster = await loopCluster([bootstrapSigner])
    const token = (id: string, more: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `bootstrap-token-${id}` },
      type: 'bootstrap.kubernetes.io/token',
      stringData: { 'token-id': id, 'token-secret': '0123456789abcdef', 'usage-bootstrap-signing': 'true', ...more },
    })
    await cluster.create(resources.secrets, token('aaaaaa'), 'kube-system')
    await cluster.create(resources.secrets, token('bbbbbb', { 'usage-bootstrap-signing': 'no' }), 'kube-system')
    await cluster.create(resources.secrets, token('cccccc', { expiration: '2020-01-01T00:00:00Z' }), 'kube-system')
    await cluster.create(resources.secrets, token('dddddd', { 'token-id': 'eeeeee' }), 'kube-system')
    const info = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cluster-info' } }
    const data = { kubeconfig: 'text', other: 'kept', 'jws-kubeconfig-ffffff': 'of a token that is gone' }
    await cluster.create(resources.configmaps, { ...info, data }, 'kube-public')
    const keys = async () => {
      const map = await cluster.find(resources.configmaps, 'kube-public', 'cluster-info')
      return Object.keys(map!['data'] as object).toSorted((a, b) => (a < b ? -1 : 1))
    }
    const until = (wanted: readonly string[]) =>
      cluster.until(wanted.join(' '), async () => isDeepStrictEqual(await keys(), wanted))
    await until(['jws-kubeconfig-aaaaaa', 'kubeconfig', 'other'])
    const signed = await cluster.find(resources.configmaps, 'kube-public', 'cluster-info')
    const wanted = detachedSignature('text', 'aaaaaa', '0123456789abcdef')
    assert.equal(signed!['data']['jws-kubeconfig-aaaaaa'], wanted)
    await cluster.client.delete(resources.secrets, 'bootstrap-token-aaaaaa', { namespace: 'kube-system' })
    await until(['kubeconfig', 'other'])
    assert.deepEqual(cluster.complaints, [])
  })

  test('uses of tokens are tracked since a day that is told', async () => {
    await using cluster = await loopCluster([legacyTokenTracking])
    const since = async () =>
      (await cluster.find(resources.configmaps, 'kube-system', TRACKING))?.['data']?.since as string | undefined
    const today = () => new Date().toISOString().slice(0, 10)
    const where = { namespace: 'kube-system' }
    await cluster.client.delete(resources.configmaps, TRACKING, where)
    await cluster.until('a day', async () => (await since()) === today())
    const patch = (body: object) => cluster.client.patch(resources.configmaps, TRACKING, { type: 'merge', body }, where)
    await patch({ data: { since: '2020-02-30' } })
    await cluster.until('what is no day to be corrected', async () => (await since()) === today())
    await patch({ data: { since: '2020-02-29' } })
    await patch({ metadata: { labels: { a: 'b' } } })
    assert.equal(await since(), '2020-02-29')
    assert.deepEqual(cluster.complaints, [])
  })

  test('tokens made for an account that nobody uses are marked, and go', async () => {
    const since = { data: { since: '2020-01-01' } }
    await using cluster = await loopCluster([legacyTokenCleaner({ period: 1, interval: 200 })])
    await cluster.client.patch(
      resources.configmaps,
      TRACKING,
      { type: 'merge', body: since },
      { namespace: 'kube-system' },
    )
    const secret = (name: string, labels: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, labels, annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
    })
    const names = ['unused', 'mounted', 'used', 'odd']
    await cluster.create(resources.serviceaccounts, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'robot' },
      secrets: names.map((name) => ({ name })),
    })
    await cluster.create(resources.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: {
        serviceAccountName: 'robot',
        automountServiceAccountToken: false,
        containers: [{ name: 'c', image: 'c:1' }],
        volumes: [{ name: 'v', secret: { secretName: 'mounted' } }],
      },
    })
    const today = new Date().toISOString().slice(0, 10)
    const used = 'kubernetes.io/legacy-token-last-used'
    const invalid = 'kubernetes.io/legacy-token-invalid-since'
    await cluster.create(resources.secrets, secret('mounted'))
    await cluster.create(resources.secrets, secret('used', { [used]: today }))
    await cluster.create(resources.secrets, secret('odd', { [used]: 'yesterday' }))
    await cluster.create(resources.secrets, secret('manual'))
    await cluster.create(resources.secrets, secret('unused', { [used]: '2020-01-01' }))
    const find = (name: string) => cluster.find(resources.secrets, 'default', name)
    await cluster.until('the mark', async () => (await find('unused'))?.metadata.labels?.[invalid] !== undefined)
    const body = { metadata: { labels: { [invalid]: '2020-01-02' } } }
    await cluster.client.patch(resources.secrets, 'unused', { type: 'merge', body }, { namespace: 'default' })
    await cluster.until('it to go', async () => (await find('unused')) === undefined)
    for (const name of ['mounted', 'used', 'odd', 'manual'])
      assert.equal((await find(name))?.metadata.labels?.[invalid], undefined, name)
    assert.deepEqual(cluster.complaints, [])
  })
})
