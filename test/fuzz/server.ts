/**
 * Two packed clusters in one process, one to be attacked. Prints `{"hostile": kubeconfig, "other": kubeconfig}`; answers
 * each IPC message with the longest time since the last one in which the event loop did nothing but one thing
 * (milliseconds of this thread's processor time, so that a busy machine does not count, without those of collections of
 * garbage, which no code can cut), and with the memory in use.
 */
import { PerformanceObserver } from 'node:perf_hooks'
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
/** Steps that took long, and collections, since the last message. */
let steps: { readonly from: number; readonly until: number; readonly spent: number }[] = []
let collections: { readonly from: number; readonly until: number }[] = []
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries())
    collections.push({ from: startTime, until: startTime + duration })
}).observe({ entryTypes: ['gc'] })
/** The longest of what counts. */
function longest(): number {
  let out = 0
  for (const { from, until, spent } of steps) {
    let own = spent
    for (const gc of collections) own -= Math.max(0, Math.min(until, gc.until) - Math.max(from, gc.from))
    out = Math.max(out, own)
  }
  return out
}
const LONG = 10
let before = process.threadCpuUsage()
let at = performance.now()
setInterval(() => {
  const now = process.threadCpuUsage()
  const spent = (now.user + now.system - before.user - before.system) / 1000
  const until = performance.now()
  if (spent > LONG) steps.push({ from: at, until, spent: Math.min(spent, until - at - TICK) })
  before = now
  at = until
}, TICK)

async function tell(): Promise<void> {
  // Collections are told a turn after they were.
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  const found = longest()
  ;(globalThis as { gc?: () => void }).gc?.()
  const { heapUsed, external } = process.memoryUsage()
  const answer = { longest: found, memory: (heapUsed + external) / 2 ** 20, failures: failures.splice(0) }
  steps = []
  collections = []
  // The collection above is not the clients' doing.
  before = process.threadCpuUsage()
  at = performance.now()
  process.send!(answer)
}
process.on('message', () => void tell())
process.on('disconnect', () => process.exit(0))
