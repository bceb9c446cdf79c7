/** Fills in test/apply/answers.json: what a real kube-apiserver answers. Needs scripts/kubernetes.ts to have run. */
import { writeFileSync } from 'node:fs'
import { answersFile, runStory } from '../test/apply/story.ts'
import { startControlPlane } from '../test/support/control-plane.ts'
import { Kubectl } from '../test/support/kubectl.ts'
import { findKubectl, kubernetesDir } from '../test/support/kubernetes.ts'

await using plane = await startControlPlane({ programs: kubernetesDir(), controllers: false })
using kubectl = new Kubectl(findKubectl()!, plane.kubeconfig)
const answers = await runStory(kubectl)
writeFileSync(answersFile, `${JSON.stringify(answers, null, 2)}\n`)
console.log(`${answers.length} answers`)
