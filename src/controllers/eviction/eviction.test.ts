import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { findCondition } from '../conditions.ts'
import { loopCluster } from '../fixture.ts'
import type { Node, Pod, Taint, Toleration } from '../objects.ts'
import { isReady } from '../pods.ts'
import { hostControllers } from '../sets.ts'
import { expellingTaints, toleratedFor } from './toleration.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }
const taint = (key: string, effect = 'NoExecute'): Taint => ({ key, value: 'yes', effect })
const toleration = (key: string, tolerationSeconds?: number): Toleration => ({
  key,
  operator: 'Exists',
  effect: 'NoExecute',
  ...(tolerationSeconds === undefined ? {} : { tolerationSeconds }),
})

const cases: readonly [what: string, tolerations: Toleration[] | undefined, taints: Taint[], ms: number][] = [
  ['no taint', undefined, [], Infinity],
  ['no toleration', undefined, [taint('a')], 0],
  ['another toleration', [toleration('b')], [taint('a')], 0],
  ['for ever', [toleration('a')], [taint('a')], Infinity],
  ['for a time', [toleration('a', 5)], [taint('a')], 5000],
  ['the shortest', [toleration('a', 5), toleration('b', 3)], [taint('a'), taint('b')], 3000],
  ['one is not tolerated', [toleration('a', 5)], [taint('a'), taint('b')], 0],
  ['only what is used', [toleration('a', 5), toleration('b', 3)], [taint('a')], 5000],
  ['the first that fits', [toleration('a'), toleration('a', 3)], [taint('a')], Infinity],
  ['less than nothing', [toleration('a', -5)], [taint('a')], 0],
]

for (const [what, tolerations, taints, ms] of cases) {
  test(`toleration: ${what}`, () => assert.equal(toleratedFor(tolerations, taints), ms))
}

test('only NoExecute drives pods away', () => {
  const node = (taints: Taint[]): Node => ({ metadata: { name: 'n' }, spec: { taints } })
  assert.deepEqual(expellingTaints(node([taint('a', 'NoSchedule'), taint('b')])), [taint('b')])
  assert.equal(expellingTaints(node([])), expellingTaints(undefined))
})

test('pods go from a tainted node, each in its time; who tolerates it or is spared stays', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  const find = async (name: string) => (await cluster.find(resources.pods, 'default', name)) as Pod | undefined
  const going = async (name: string): Promise<Pod | undefined> => {
    const found = await find(name)
    return found?.metadata.deletionTimestamp === undefined ? undefined : found
  }
  const pods = { now: undefined, soon: [toleration('a', 1)], later: [toleration('a', 2)], never: [toleration('a')] }
  for (const [name, tolerations] of Object.entries(pods)) {
    const annotations = { 'simulated.tenantry.dev/termination-seconds': '20' }
    const containers = [{ name: 'main', image: 'nginx' }]
    const spec = { containers, ...(tolerations === undefined ? {} : { tolerations }) }
    await cluster.create(resources.pods, { metadata: { name, annotations }, spec })
    await cluster.until(name, async () => {
      const found = await find(name)
      return found !== undefined && isReady(found)
    })
  }
  const setTaints = (taints: Taint[]): Promise<unknown> =>
    cluster.client.patch(resources.nodes, 'node-1', { type: 'merge', body: { spec: { taints } } })

  const begin = Date.now()
  await setTaints([taint('a')])
  const first = await cluster.until('the one that does not tolerate it', () => going('now'))
  const condition = findCondition(first.status?.conditions, 'DisruptionTarget')
  assert.equal(condition?.reason, 'DeletionByTaintManager')
  await cluster.until('the one that tolerates it for a second', () => going('soon'))
  assert.ok(Date.now() - begin >= 950)
  assert.equal(await going('later'), undefined)
  await setTaints([])
  await cluster.until('the news', async () => {
    const { items } = await cluster.client.list(resources.events, { namespace: 'default' })
    return items.some(({ message }) => message === 'Cancelling deletion of Pod default/later')
  })
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, begin + 2200 - Date.now())))
  assert.equal(await going('later'), undefined)
  assert.equal(await going('never'), undefined)
  assert.deepEqual(cluster.complaints, [])
})
