/**
 * Virtual clusters: how soon one serves, how many a second, what an idle one costs.
 *
 *   node --expose-gc bench/tenants.ts [COUNT]        durable SQLite
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HttpsClient } from '../src/client/https.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { createCluster, createVirtualCluster, resources, type HostCluster, type VirtualCluster } from '../src/index.ts'
import { cpuSince, pause, percentile, report, rssOf, settledRss } from './report.ts'

const COUNT = Number(process.argv[2] ?? 1000)
const dataDir = mkdtempSync(join(tmpdir(), 'tenantry-bench-'))
const host = await createCluster({ store: 'sqlite', dataDir, nodes: 3 })
try {
  await host.manager()
  await one('packed', 20, 50)
  const before = await settledRss()
  await many(before)
  await idle()
  await one('dedicated', 3, 500)
} finally {
  await host[Symbol.asyncDispose]()
  rmSync(dataDir, { recursive: true, force: true })
}

/** From the create call until a GET over TLS is answered. */
async function one(engine: 'packed' | 'dedicated', rounds: number, goal: number): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    await using tenant = await createVirtualCluster({ host, name: `one-${engine}-${i}`, engine })
    const client = new HttpsClient(parseKubeconfig(tenant.kubeconfig))
    await client.get(resources.namespaces, 'default')
    times.push(performance.now() - started)
    await client.close()
    if (engine === 'dedicated' && i === rounds - 1) {
      await pause(3000)
      report({
        name: 'resident memory of a dedicated process, idle',
        value: rssOf(childPid()),
        unit: 'MiB',
        goal: { sign: '<=', value: 90 },
      })
    }
  }
  report({
    name: `virtual cluster created → first get answered, ${engine}, p50 of ${rounds}`,
    value: percentile(times, 0.5),
    unit: 'ms',
    goal: { sign: '<=', value: goal },
  })
  report({
    name: `virtual cluster created → first get answered, ${engine}, slowest`,
    value: Math.max(...times),
    unit: 'ms',
  })
}

function childPid(): number {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      if (new RegExp(`\\) \\S ${process.pid} `).test(readFileSync(`/proc/${name}/stat`, 'utf8'))) return Number(name)
    } catch {
      // Ended meanwhile.
    }
  }
  throw new Error('no child process')
}

async function many(before: number): Promise<void> {
  const first = await createAll(host, COUNT)
  report({
    name: `virtual clusters created and serving, ${COUNT} at once`,
    value: COUNT / first.seconds,
    unit: '/s',
    goal: { sign: '>=', value: 200 },
  })
  report({ name: `processor time for each of them`, value: first.cpu / COUNT, unit: 'ms' })
  const filled = await settledRss()
  report({
    name: `resident memory for each idle virtual cluster over ${COUNT}`,
    value: (filled - before) / COUNT,
    unit: 'MiB',
    goal: { sign: '<=', value: 0.5 },
  })
  await deleteAll(host)
  await createAll(host, COUNT)
  const again = await settledRss()
  await deleteAll(host)
  await createAll(host, COUNT)
  const third = await settledRss()
  const growth = (name: string, value: number) =>
    report({ name, value, unit: 'ratio', goal: { sign: '<=', value: 1.05 } })
  growth('resident memory after deleting all and creating them again, against the first time', again / filled)
  growth('the same once more, the third time against the second', third / again)
  await deleteAll(host)
}

async function createAll(on: HostCluster, count: number): Promise<{ seconds: number; cpu: number }> {
  const informer = on.client.informer<VirtualCluster>(resources.virtualclusters)
  const cpu = process.cpuUsage()
  const started = performance.now()
  let running = 0
  const { promise: all, resolve } = Promise.withResolvers<void>()
  const stop = informer.onEvent((event) => {
    if (
      event.type === 'update' &&
      event.object.status?.phase === 'Running' &&
      event.old.status?.phase !== 'Running' &&
      ++running === count
    )
      resolve()
  })
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      on.client.create(resources.virtualclusters, {
        apiVersion: 'tenantry.dev/v1alpha1',
        kind: 'VirtualCluster',
        metadata: { name: `many-${i}`, namespace: 'tenantry' },
      }),
    ),
  )
  await all
  stop()
  const seconds = (performance.now() - started) / 1000
  const used = cpuSince(cpu)
  // Every tenth one answers over TLS.
  for (let i = 0; i < count; i += Math.max(1, Math.floor(count / 100))) {
    const secret = await on.client.get(resources.secrets, `many-${i}-kubeconfig`, { namespace: 'tenantry' })
    const client = new HttpsClient(
      parseKubeconfig(Buffer.from(secret['data'].kubeconfig as string, 'base64').toString()),
    )
    await client.get(resources.namespaces, 'default')
    await client.close()
  }
  return { seconds, cpu: used }
}

async function deleteAll(on: HostCluster): Promise<void> {
  const informer = on.client.informer<VirtualCluster>(resources.virtualclusters)
  const started = performance.now()
  const names = informer.list().map((vc) => vc.metadata.name!)
  const { promise: empty, resolve } = Promise.withResolvers<void>()
  const stop = informer.onEvent((event) => event.type === 'delete' && informer.list().length === 0 && resolve())
  await Promise.all(names.map((name) => on.client.delete(resources.virtualclusters, name, { namespace: 'tenantry' })))
  if (informer.list().length > 0) await empty
  stop()
  report({
    name: `virtual clusters deleted, ${names.length} at once`,
    value: names.length / ((performance.now() - started) / 1000),
    unit: '/s',
  })
}

/** What 100 tenants cost that nobody uses. */
async function idle(): Promise<void> {
  await createAll(host, 100)
  await pause(5000)
  const cpu = process.cpuUsage()
  const seconds = Number(process.env['BENCH_IDLE_SECONDS'] ?? 60)
  await pause(seconds * 1000)
  report({
    name: `processor time of 100 idle virtual clusters and their host over ${seconds} s`,
    value: cpuSince(cpu) / (seconds * 10),
    unit: '% core',
    goal: { sign: '<=', value: 0.1 },
  })
  await deleteAll(host)
}
