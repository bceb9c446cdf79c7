import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { loopCluster } from '../fixture.ts'
import { serviceAccountController } from '../service-account.ts'
import { accountSecrets } from './account-secrets.ts'
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
})
