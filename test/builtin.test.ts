import assert from 'node:assert/strict'
import { test } from 'node:test'
import { discover } from '../src/controllers/discovery.ts'
import { createCluster } from '../src/index.ts'
import { builtinResources } from '../src/cluster/builtin.ts'

test('it is what discovery says', async () => {
  await using cluster = await createCluster({ nodes: 0 })
  const names = (list: readonly { group: string; version: string; resource: string }[]) =>
    list.map((r) => `${r.group}/${r.version}/${r.resource}`).sort()
  assert.deepEqual(names(builtinResources()), names((await discover(cluster.client)).resources))
})
