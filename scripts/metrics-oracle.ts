/**
 * Writes test/metrics/*.txt: the metrics of a real kube-apiserver, and what it counts of known requests. What two runs do
 * not have in common is left out. Needs scripts/kubernetes.ts to have run; about two minutes.
 */
import { startControlPlane } from '../test/support/control-plane.ts'
import { kubernetesDir } from '../test/support/kubernetes.ts'
import { writeGolden } from '../test/metrics/golden.ts'
import { runStory, type Told } from '../test/metrics/story.ts'
import { startWebhooks } from '../test/webhooks/server.ts'

const runs: Told[] = []
for (let i = 0; i < 2; i++) {
  await using plane = await startControlPlane({ programs: kubernetesDir(), controllers: false })
  await using hooks = await startWebhooks()
  runs.push(await runStory({ kubeconfig: plane.kubeconfig, hooks, settle: 3000 }))
}
writeGolden(runs)
console.log(`${runs[0]!.families.size} families, ${runs[0]!.counted.length} requests`)
