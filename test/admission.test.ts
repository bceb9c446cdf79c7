/**
 * Admission policies in the embedded server against the answers of a real kube-apiserver to the same scenarios:
 * `scripts/admission-oracle.ts` recorded them.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { HostCluster } from '../src/index.ts'
import { createCluster } from '../src/index.ts'
import type { Answer } from './admission/run.ts'
import { runScenarios } from './admission/run.ts'
import { scenarios } from './admission/scenario.ts'
import { asker } from './support/ask.ts'

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'admission/answers.json'), 'utf8')) as Record<
  string,
  readonly Answer[]
>
const all = scenarios()
let cluster: HostCluster
let answers: Record<string, readonly Answer[]>

before(async () => {
  cluster = await createCluster({ nodes: 0 })
  using ask = asker(cluster.kubeconfig)
  answers = await runScenarios(ask, all)
})
after(() => cluster[Symbol.asyncDispose]())

for (const { name } of all) test(name, () => assert.deepEqual(answers[name], recorded[name]))
