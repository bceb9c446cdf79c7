/**
 * Two packed clusters in one process, one to be attacked. Prints `{"hostile": kubeconfig, "other": kubeconfig}`; answers
 * each IPC message with the longest time since the last one in which the event loop did nothing but one thing
 * (milliseconds of this thread's processor time, so that a busy machine does not count), and with the memory in use.
 */
import { startCluster } from '../../src/cluster/cluster.ts'
import { Runtime } from '../../src/cluster/runtime.ts'
import { openStore } from '../../src/cluster/store.ts'

const failures: string[] = []
const log = {
  debug() {},
  info() {},
  warn() {},
  error: (msg: string, fields?: object) => failures.push(`${msg} ${JSON.stringify(fields)}`),
}
const runtime = new Runtime({ log, store: await openStore({ store: 'memory', dataDir: '' }) })
const start = (id: string) =>
  startCluster({
    runtime,
    id,
    name: id,
    controllers: () => [],
    logs: () => Promise.reject(new Error('no pods run here')),
  })
const [hostile, other] = [await start('hostile'), await start('other')]
process.stdout.write(`${JSON.stringify({ hostile: hostile.kubeconfig, other: other.kubeconfig })}\n`)

const TICK = 2
let longest = 0
let before = process.threadCpuUsage()
let at = performance.now()
setInterval(() => {
  const now = process.threadCpuUsage()
  const spent = (now.user + now.system - before.user - before.system) / 1000
  longest = Math.max(longest, Math.min(spent, performance.now() - at - TICK))
  before = now
  at = performance.now()
}, TICK)

process.on('message', () => {
  ;(globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const answer = { longest, memory: (heapUsed + external) / 2 ** 20, failures: failures.splice(0) }
  longest = 0
  // The collection above is not the clients' doing.
  before = process.threadCpuUsage()
  at = performance.now()
  process.send!(answer)
})
process.on('disconnect', () => process.exit(0))
