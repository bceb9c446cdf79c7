/**
 * The embedded API server by itself, as a process to be measured: no controllers, as kube-apiserver has none.
 * Prints one line of JSON when it serves: `{"kubeconfig": …}`. Arguments: sqlite|memory DIR.
 */
import { startCluster } from '../../src/cluster/cluster.ts'
import { jsonLog } from '../../src/cluster/log.ts'
import { Runtime } from '../../src/cluster/runtime.ts'
import { openStore } from '../../src/cluster/store.ts'

const [store, dataDir] = process.argv.slice(2) as ['sqlite' | 'memory', string]
const runtime = new Runtime({
  log: jsonLog((line) => process.stderr.write(line), 'warn'),
  store: await openStore({ store, dataDir }),
})
const cluster = await startCluster({
  runtime,
  id: 'bench',
  name: 'bench',
  controllers: () => [],
  logs: () => Promise.reject(new Error('no pods run here')),
})
process.stdout.write(`${JSON.stringify({ kubeconfig: cluster.kubeconfig })}\n`)
process.on('SIGTERM', () => {
  void cluster
    .stop()
    .then(() => runtime.close())
    .then(() => process.exit(0))
})
