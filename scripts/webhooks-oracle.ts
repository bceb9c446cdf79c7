/** Fills in test/webhooks/answers.oracle.json: what a real kube-apiserver answers. Needs scripts/kubernetes.ts to have run. */
import { writeFileSync } from 'node:fs'
import { startControlPlane } from '../test/support/control-plane.ts'
import { kubernetesDir } from '../test/support/kubernetes.ts'
import { startWebhooks } from '../test/webhooks/server.ts'
import { answersFile, runStory } from '../test/webhooks/story.ts'

await using plane = await startControlPlane({ programs: kubernetesDir(), controllers: false })
await using hooks = await startWebhooks()
const answers = await runStory({ kubeconfig: plane.kubeconfig, hooks, settle: 400 })
// One a line, for diffs that can be read.
writeFileSync(answersFile, `[\n${answers.map((answer) => JSON.stringify(answer)).join(',\n')}\n]\n`)
console.log(`${answers.length} answers`)
