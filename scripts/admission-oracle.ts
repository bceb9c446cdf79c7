/**
 * Records what a real kube-apiserver answers to the scenarios in `test/admission/scenarios`, which test/admission.test.ts
 * compares the embedded server with.
 *
 *     node scripts/admission-oracle.ts
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runScenarios } from '../test/admission/run.ts'
import { scenarios } from '../test/admission/scenario.ts'
import { asker } from '../test/support/ask.ts'
import { startControlPlane } from '../test/support/control-plane.ts'
import { kubernetesDir } from '../test/support/kubernetes.ts'

await using plane = await startControlPlane({
  programs: kubernetesDir(),
  controllers: false,
  apiserver: ['--enable-admission-plugins=NodeRestriction'],
})
using ask = asker(plane.kubeconfig)
const all = scenarios()
const answers = await runScenarios(ask, all)
const file = join(import.meta.dirname, '../test/admission/answers.json')
writeFileSync(file, JSON.stringify(answers))
execFileSync(join(import.meta.dirname, '../node_modules/.bin/oxfmt'), [file])
console.log(`${all.length} scenarios, ${Object.values(answers).flat().length} answers`)
