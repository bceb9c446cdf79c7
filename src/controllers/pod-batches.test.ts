import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from '../client/contract.ts'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'
import { Expectations } from './expectations.ts'
import type { Pod } from './objects.ts'
import { createPods, deletePods, type PodOwner } from './pod-batches.ts'

const owner: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name: 'o', namespace: 'n', uid: 'u' },
}

/** Creations of which some fail: what is asked for, and what is said about the owner. */
function creation(failure: (nth: number) => unknown): PodOwner & { asked: string[]; said: string[] } {
  const asked: string[] = []
  const said: string[] = []
  const client = {
    create: async (_: unknown, pod: KubeObject, query: { namespace?: string }) => {
      asked.push(`${query.namespace}/${pod.metadata.name}`)
      const problem = failure(asked.length)
      if (problem !== undefined) throw problem
      return pod
    },
  } as unknown as Client
  const recorder = {
    event: (_: KubeObject, type: string, reason: string, message: string) =>
      void said.push(`${type} ${reason} ${message}`),
  }
  return { client, recorder, expectations: new Expectations(() => 0), owner, key: 'n/o', asked, said }
}

const numbered = (): (() => Pod) => {
  let next = 0
  return () => ({ metadata: { name: `p${next++}` }, spec: { containers: [] } }) as unknown as Pod
}

test('all are made in the namespace of their owner, told, and awaited until they are seen', async () => {
  const by = creation(() => undefined)
  assert.deepEqual(await createPods(by, 3, numbered()), { done: 3, failed: 0 })
  assert.deepEqual(by.asked, ['n/p0', 'n/p1', 'n/p2'])
  assert.equal(by.said[0], 'Normal SuccessfulCreate Created pod: p0')
  for (let seen = 0; seen < 3; seen++) {
    assert.equal(by.expectations.satisfied('n/o'), false)
    by.expectations.creationObserved('n/o')
  }
  assert.equal(by.expectations.satisfied('n/o'), true)
})

test('after a failure no more are tried, and only those that were made are awaited', async () => {
  const by = creation((nth) => (nth === 2 ? new Error('quota') : undefined))
  const { done, failed, error } = await createPods(by, 10, numbered())
  assert.deepEqual([done, failed, String(error), by.asked.length], [2, 1, 'Error: quota', 3])
  assert.ok(by.said.includes('Warning FailedCreate Error creating: quota'))
  by.expectations.creationObserved('n/o')
  assert.equal(by.expectations.satisfied('n/o'), false)
  by.expectations.creationObserved('n/o')
  assert.equal(by.expectations.satisfied('n/o'), true)
})

test('a namespace that goes is no failure of the owner, and nothing is awaited', async () => {
  const going = new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'it goes',
    reason: 'Forbidden',
    details: { causes: [{ reason: 'NamespaceTerminating', message: 'it goes', field: 'metadata.namespace' }] },
    code: 403,
  })
  const by = creation(() => going)
  assert.deepEqual(await createPods(by, 3, numbered()), { done: 3, failed: 0 })
  assert.deepEqual(by.said, [])
  assert.equal(by.expectations.satisfied('n/o'), true)
})

test('deletions are told; of those that fail nothing is awaited, and pods that are gone are no failure', async () => {
  const refusal = (reason: string, code: number) =>
    new StatusError({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: reason,
      reason,
      code,
    })
  const by = creation(() => undefined)
  const failures = new Map<string, Error>([
    ['p1', refusal('NotFound', 404)],
    ['p2', new Error('no')],
  ])
  const client = {
    delete: async (_: unknown, name: string, query: { namespace: string; preconditions: { uid: string } }) => {
      by.asked.push(`${query.namespace}/${name} ${query.preconditions.uid}`)
      const problem = failures.get(name)
      if (problem !== undefined) throw problem
    },
  } as unknown as Client
  const pods = ['p0', 'p1', 'p2'].map((name) => ({ metadata: { name, uid: `u-${name}` } }) as unknown as Pod)
  by.expectations.expectDeletions('n/o', ['u-p0', 'u-p1', 'u-p2'])
  await assert.rejects(deletePods({ ...by, client }, pods), /^Error: no$/)
  assert.deepEqual(by.asked, ['n/p0 u-p0', 'n/p1 u-p1', 'n/p2 u-p2'])
  assert.deepEqual(by.said.toSorted(), [
    'Normal SuccessfulDelete Deleted pod: p0',
    'Warning FailedDelete Error deleting: no',
  ])
  assert.equal(by.expectations.satisfied('n/o'), false)
  by.expectations.deletionObserved('n/o', 'u-p0')
  assert.equal(by.expectations.satisfied('n/o'), true)
})
