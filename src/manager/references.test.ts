import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCluster, resources } from '../index.ts'
import { References } from './references.ts'

const NAMESPACE = { namespace: 'default' }
const object = (kind: string, name: string, data: Record<string, string>) => ({
  apiVersion: 'v1',
  kind,
  metadata: { name },
  data,
})
const settle = () => new Promise((resolve) => setTimeout(resolve, 50))

test('a text is read, and its changes are told to those who name it', async () => {
  await using host = await createCluster({ nodes: 0, controllers: 'none' })
  const told: string[] = []
  const references = new References(host.client, (uid) => told.push(uid))
  const map = { configMapKeyRef: { name: 'auth', key: 'a' } }
  await assert.rejects(references.read('u', 'default', map), { message: 'ConfigMap "auth" not found' })
  await host.client.create(resources.configmaps, object('ConfigMap', 'auth', { b: 'x' }), NAMESPACE)
  await settle()
  // The key is still missing: nothing has changed.
  assert.deepEqual(told, [])
  await assert.rejects(references.read('u', 'default', map), { message: 'ConfigMap "auth" has no key "a"' })
  const change = (data: object) =>
    host.client.patch(resources.configmaps, 'auth', { type: 'merge', body: { data } }, NAMESPACE)
  await change({ a: 'one' })
  await settle()
  assert.deepEqual(told.splice(0), ['u'])
  assert.equal(await references.read('u', 'default', map), 'one')
  await change({ b: 'y' })
  await settle()
  assert.deepEqual(told, [])

  const secret = { secretKeyRef: { name: 'auth', key: 'a' } }
  const data = { a: Buffer.from('secret').toString('base64') }
  await host.client.create(resources.secrets, object('Secret', 'auth', data), NAMESPACE)
  assert.equal(await references.read('u', 'default', secret), 'secret')
  await change({ a: 'two' })
  await settle()
  // What is no longer named is no longer followed.
  assert.deepEqual(told, [])
  await host.client.delete(resources.secrets, 'auth', NAMESPACE)
  await settle()
  assert.deepEqual(told.splice(0), ['u'])
  references.close()
  await assert.rejects(references.read('v', 'default', { ...map, ...secret }), /exactly one of/)
})
