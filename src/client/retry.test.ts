import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../machinery/object.ts'
import { errors } from '../machinery/status.ts'
import type { Client } from './contract.ts'
import { resources } from './resources.ts'
import { updateWithRetry } from './retry.ts'

function server(conflicts: number) {
  let version = 1
  let stored: KubeObject = { metadata: { name: 'a', resourceVersion: '1' }, n: 0 }
  const client = {
    get: async () => stored,
    update: async (_: unknown, object: KubeObject) => {
      if (conflicts-- > 0) {
        stored = {
          ...stored,
          n: stored['n'] + 10,
          metadata: { ...stored.metadata, resourceVersion: String(++version) },
        }
        throw errors.conflict({ group: '', resource: 'nodes' }, 'a')
      }
      assert.equal(object.metadata.resourceVersion, stored.metadata.resourceVersion)
      stored = object
      return stored
    },
  }
  return client as unknown as Pick<Client, 'get' | 'update'>
}

const sleep = async () => {}
const plusOne = (object: KubeObject) => ({ ...object, n: object['n'] + 1 })

test('a conflict is repeated on what is there now', async () => {
  const written = await updateWithRetry(server(3), resources.nodes, 'a', {}, plusOne, { sleep })
  assert.equal(written['n'], 31)
})

test('not for ever', async () => {
  const forever = updateWithRetry(server(99), resources.nodes, 'a', {}, plusOne, { sleep, attempts: 3 })
  await assert.rejects(forever, /the object has been modified/)
})

test('nothing to do writes nothing', async () => {
  const read = await updateWithRetry(server(99), resources.nodes, 'a', {}, () => undefined, { sleep })
  assert.equal(read['n'], 0)
})
