/** Admission webhooks, compared with what a real kube-apiserver did: answers, objects, and what webhooks were asked. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCluster } from '../src/cluster/cluster.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { startWebhooks } from './webhooks/server.ts'
import { readAnswers, runStory } from './webhooks/story.ts'

test('answers, objects and reviews are those of a real API server', async (t) => {
  const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
  const runtime = new Runtime({ log: silent, store: memoryStore() })
  const logs = () => ''
  await using cluster = await startCluster({ runtime, id: 'hooks', name: 'hooks', controllers: () => [], logs })
  await using hooks = await startWebhooks()
  const wanted = readAnswers()
  const told = await runStory({ kubeconfig: cluster.kubeconfig, hooks, settle: 0 })
  assert.equal(told.length, wanted.length)
  for (const [i, each] of told.entries()) {
    await t.test(`${i} ${each.scene}: ${each.ask}`, () => assert.deepEqual(each, wanted[i]))
  }
})
