/**
 * The embedded API server by itself, as a process to be measured: no controllers, as kube-apiserver has none. It is the
 * published JavaScript (`npm run build`), started as the command line starts it.
 * Prints one line of JSON when it serves: `{"kubeconfig": …}`. Arguments: sqlite|memory DIR CACHE.
 */
import { enableCompileCache } from 'node:module'

const [store, dataDir, cache] = process.argv.slice(2)
enableCompileCache(cache)
const [{ startCluster }, { jsonLog }, { Runtime }, { openStore }] = await Promise.all([
  import('../../dist/cluster/cluster.js'),
  import('../../dist/cluster/log.js'),
  import('../../dist/cluster/runtime.js'),
  import('../../dist/cluster/store.js'),
])
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
