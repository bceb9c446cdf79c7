/** Server-side apply through kubectl, compared with what a real kube-apiserver answered. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { startCluster } from '../src/cluster/cluster.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { readAnswers, runStory } from './apply/story.ts'
import { Kubectl } from './support/kubectl.ts'
import { findKubectl, skipWithout } from './support/kubernetes.ts'

const program = findKubectl()

suite('kubectl apply --server-side', { skip: skipWithout(program, 'kubectl') }, () => {
  test('answers, objects and managed fields are those of a real API server', async () => {
    const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
    const runtime = new Runtime({ log: silent, store: memoryStore() })
    const logs = () => ''
    await using cluster = await startCluster({ runtime, id: 'apply', name: 'apply', controllers: () => [], logs })
    using kubectl = new Kubectl(program!, cluster.kubeconfig)
    const wanted = readAnswers()
    const answers = await runStory(kubectl)
    for (const [i, answer] of answers.entries()) assert.deepEqual(answer, wanted[i], `step ${i + 1}: ${answer.run}`)
    assert.equal(answers.length, wanted.length)
  })
})
