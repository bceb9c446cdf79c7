/**
 * Pods through virtual clusters beside the same pods made straight on the same host, in the same run: added latency at a
 * steady rate, bursts, and one greedy tenant beside nine others.
 *
 *   node bench/pods.ts [steady|burst|greedy …]        durable SQLite
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createCluster,
  createVirtualCluster,
  resources,
  type Client,
  type KubeObject,
  type TestVirtualCluster,
} from '../src/index.ts'
import { cpuSince, mean, pause, percentile, report } from './report.ts'

function pod(name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', labels: { app: 'bench' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: 'bench:1', resources: { requests: { cpu: '1m', memory: '1Mi' } } }],
    },
  }
}

/** Creates pods somewhere and tells when each is seen Running there. */
class Place {
  readonly #client: Client
  readonly #started = new Map<string, number>()
  readonly #stop: () => void
  #waiting: { count: number; resolve: () => void } | undefined
  readonly latencies: number[] = []

  constructor(client: Client) {
    this.#client = client
    this.#stop = client.informer(resources.pods, { namespace: 'default' }).onEvent((event) => {
      if (event.type === 'delete' || event.object['status']?.phase !== 'Running') return
      const started = this.#started.get(event.object.metadata.name!)
      if (started === undefined) return
      this.#started.delete(event.object.metadata.name!)
      this.latencies.push(performance.now() - started)
      if (this.#waiting !== undefined && this.latencies.length >= this.#waiting.count) this.#waiting.resolve()
    })
  }

  async create(name: string): Promise<void> {
    this.#started.set(name, performance.now())
    await this.#client.create(resources.pods, pod(name), { namespace: 'default' })
  }

  async seen(count: number): Promise<void> {
    if (this.latencies.length >= count) return
    await new Promise<void>((resolve) => (this.#waiting = { count, resolve }))
  }

  async clear(): Promise<void> {
    this.#stop()
    const informer = this.#client.informer(resources.pods, { namespace: 'default' })
    await this.#client.deleteCollection(resources.pods, { namespace: 'default', gracePeriodSeconds: 0 })
    while (informer.list('default').length > 0) await pause(20)
  }
}

async function tenants(count: number, prefix: string): Promise<TestVirtualCluster[]> {
  const names = Array.from({ length: count }, (_, i) => `${prefix}-${i}`)
  return Promise.all(
    names.map(async (name) => {
      const tenant = await createVirtualCluster({ host, name })
      await takesPods(tenant.client)
      return tenant
    }),
  )
}

/** Pods are refused before their account is there. */
async function takesPods(client: Client): Promise<void> {
  const accounts = client.informer(resources.serviceaccounts, { namespace: 'default' })
  while (accounts.list('default').length === 0) await pause(10)
}

async function dispose(list: readonly TestVirtualCluster[]): Promise<void> {
  await Promise.all(list.map((t) => t[Symbol.asyncDispose]()))
}

/** `rate` pods a second, spread evenly over the places. */
async function atRate(places: readonly Place[], count: number, rate: number): Promise<number[]> {
  const started = performance.now()
  const creations: Promise<void>[] = []
  for (let i = 0; i < count; i++) {
    const due = started + (i * 1000) / rate
    if (due > performance.now()) await pause(due - performance.now())
    creations.push(places[i % places.length]!.create(`p-${i}`))
  }
  await Promise.all(creations)
  const each = Math.floor(count / places.length)
  await Promise.all(places.map((p) => p.seen(each)))
  return places.flatMap((p) => p.latencies)
}

async function steady(): Promise<void> {
  const all = await tenants(10, 'steady')
  const warm = all.map((t) => new Place(t.client))
  await atRate(warm, 100, 50)
  for (const place of warm) await place.clear()
  const straight = new Place(host.client)
  const alone = await atRate([straight], 500, 50)
  await straight.clear()
  const places = all.map((t) => new Place(t.client))
  const through = await atRate(places, 500, 50)
  for (const place of places) await place.clear()
  await dispose(all)
  const beside = `tenant mean ${mean(through).toFixed(1)} p99 ${percentile(through, 0.99).toFixed(1)} ms, host mean ${mean(alone).toFixed(1)} p99 ${percentile(alone, 0.99).toFixed(1)} ms`
  report({
    name: 'steady 50 pods/s over 10 tenants: added create → Running, mean',
    value: mean(through) - mean(alone),
    unit: 'ms',
    goal: { sign: '<=', value: 5 },
    beside,
  })
  report({
    name: 'steady 50 pods/s over 10 tenants: added create → Running, p99',
    value: percentile(through, 0.99) - percentile(alone, 0.99),
    unit: 'ms',
    goal: { sign: '<=', value: 50 },
  })
}

async function burstOn(
  places: readonly Place[],
  count: number,
): Promise<{ rate: number; p50: number; p99: number; cpu: number }> {
  const cpu = process.cpuUsage()
  const started = performance.now()
  await Promise.all(Array.from({ length: count }, (_, i) => places[i % places.length]!.create(`b-${i}`)))
  await Promise.all(places.map((p) => p.seen(Math.floor(count / places.length))))
  const seconds = (performance.now() - started) / 1000
  const latencies = places.flatMap((p) => p.latencies)
  return {
    rate: count / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    cpu: cpuSince(cpu) / count,
  }
}

async function burst(count: number, over: number): Promise<void> {
  const straight = new Place(host.client)
  const alone = await burstOn([straight], count)
  await straight.clear()
  const all = await tenants(over, `burst${count}`)
  const places = all.map((t) => new Place(t.client))
  const through = await burstOn(places, count)
  for (const place of places) await place.clear()
  await dispose(all)
  const name = `burst of ${count} pods in ${over} ${over === 1 ? 'tenant' : 'tenants'}`
  report({ name: `${name}: pods/s`, value: through.rate, unit: '/s', beside: `host ${alone.rate.toFixed(0)}/s` })
  report({
    name: `${name}: create → Running p50`,
    value: through.p50,
    unit: 'ms',
    beside: `host ${alone.p50.toFixed(0)} ms`,
  })
  report({
    name: `${name}: create → Running p99`,
    value: through.p99,
    unit: 'ms',
    beside: `host ${alone.p99.toFixed(0)} ms`,
  })
  report({
    name: `${name}: processor time a pod`,
    value: through.cpu,
    unit: 'ms',
    beside: `host ${alone.cpu.toFixed(2)} ms`,
  })
}

/** Nine tenants create ten pods one by one; then again while a tenth creates 2,000 at once. */
async function greedy(): Promise<void> {
  const all = await tenants(10, 'greedy')
  const modest = all.slice(1)
  const measure = async (round: string): Promise<number[]> => {
    const latencies: number[] = []
    await Promise.all(
      modest.map(async (tenant) => {
        const place = new Place(tenant.client)
        for (let i = 0; i < 10; i++) {
          await place.create(`${round}-${i}`)
          await place.seen(i + 1)
        }
        latencies.push(...place.latencies)
        await place.clear()
      }),
    )
    return latencies
  }
  await measure('warm')
  const alone = await measure('alone')
  const greedy = all[0]!
  const hog = greedy.client.informer(resources.pods, { namespace: 'default' })
  const running = (): number => hog.list('default').filter((p) => p['status']?.phase === 'Running').length
  const started = performance.now()
  const storm = spawn(process.execPath, [join(import.meta.dirname, 'greedy-client.ts'), '2000', '64'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  storm.stdin.end(greedy.kubeconfig)
  const created = new Promise((resolve) => storm.on('exit', resolve))
  while (hog.list('default').length < 20) await pause(5)
  const beside = await measure('beside')
  const meanwhile = hog.list('default').length
  await created
  while (running() < 2000) await pause(10)
  report({
    name: 'nine tenants beside one that creates 2,000 pods: create → Running, mean',
    value: mean(beside),
    unit: 'ms',
    beside: `alone ${mean(alone).toFixed(1)} ms`,
  })
  report({
    name: 'nine tenants beside one that creates 2,000 pods: create → Running, max',
    value: Math.max(...beside),
    unit: 'ms',
    beside: `alone ${Math.max(...alone).toFixed(1)} ms`,
  })
  report({
    name: 'the greedy tenant, 64 requests at once over TLS: pods/s from first create to last Running',
    value: 2000 / ((performance.now() - started) / 1000),
    unit: '/s',
    beside: `it had made ${meanwhile} pods when the nine were done`,
  })
  await dispose(all)
}

const parts = process.argv.length > 2 ? process.argv.slice(2) : ['steady', 'burst', 'greedy']
const dataDir = mkdtempSync(join(tmpdir(), 'tenantry-bench-'))
const host = await createCluster({ store: 'sqlite', dataDir, nodes: 100 })
await takesPods(host.client)
try {
  await host.manager()
  if (parts.includes('steady')) await steady()
  if (parts.includes('burst')) {
    await burst(500, 1)
    await burst(2000, 1)
    await burst(10_000, 100)
  }
  if (parts.includes('greedy')) await greedy()
} finally {
  await host[Symbol.asyncDispose]()
  rmSync(dataDir, { recursive: true, force: true })
}
