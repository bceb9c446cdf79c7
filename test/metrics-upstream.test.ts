/**
 * `/metrics` beside a real kube-apiserver's: names, types, stability, labels and buckets, and what is counted of known
 * requests. What the real one shows is in metrics/*.txt.
 */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { startCluster } from '../src/cluster/cluster.ts'
import { silent } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { absent, mayDiffer, unseen } from './metrics/absent.ts'
import { shape } from './metrics/exposition.ts'
import { readGolden } from './metrics/golden.ts'
import { runStory, type Told } from './metrics/story.ts'
import { startWebhooks } from './webhooks/server.ts'

const golden = readGolden()

describe('metrics as upstream’s', () => {
  let told: Told
  before(async () => {
    const runtime = new Runtime({ log: silent, store: memoryStore() })
    await using hooks = await startWebhooks()
    const cluster = await startCluster({
      runtime,
      id: 'metrics',
      name: 'metrics',
      controllers: () => [
        ({ enqueue }) => ({ name: 'probe', start: () => enqueue('key'), reconcile: () => Promise.resolve() }),
      ],
      processMetrics: true,
      logs: () => '',
    })
    told = await runStory({ kubeconfig: cluster.kubeconfig, hooks, settle: 0 })
    await cluster.stop()
    await runtime.close()
  })

  it('names, types, stability, labels, buckets', () => {
    const own = new Map([...told.families].map(([name, family]) => [name, shape(family)]))
    for (const [name, line] of golden.shapes) {
      const reason = absent(name)
      if (reason === undefined) assert.equal(own.get(name), line)
      else assert.ok(!own.has(name), `${name} is there, take it out of absent.ts: ${reason}`)
    }
    for (const [name, { stability }] of told.families)
      assert.ok(
        golden.shapes.has(name) || !/STABLE|BETA/.test(stability) || unseen.has(name),
        `${name} is not upstream’s`,
      )
  })

  it('the same requests are answered with the same codes', () => {
    assert.deepEqual(
      told.counted.map(({ line, code }) => `${line} ${code}`),
      golden.counts.map(({ request }) => request),
    )
  })

  for (const [i, { request, grown }] of golden.counts.entries())
    it(`counts of ${i} ${request}`, () => {
      const own = told.counted[i]!.grown
      const kept = (series: string): boolean => {
        const family = series.slice(0, series.indexOf('{'))
        if (absent(family) !== undefined || mayDiffer(request, series)) return false
        // Plug-ins that a resource does not concern are not asked here.
        return !family.startsWith('apiserver_admission_controller') || own.has(series)
      }
      const shown = [...own].filter(([series]) => !/^(?:process|workqueue|tenantry)_/.test(series))
      const compared = (all: Iterable<[string, number]>) =>
        Object.fromEntries([...all].filter(([series]) => kept(series)))
      assert.deepEqual(compared(shown), compared(grown))
    })
})
