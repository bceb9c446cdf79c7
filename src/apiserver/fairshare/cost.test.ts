import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterShare } from './cost.ts'
import { FairShare } from './fairshare.ts'

test('a list takes more of the process than a get, and gives it back', async () => {
  const share = new FairShare({ seats: 8 })
  const { acquire } = clusterShare(share, 'a')
  const { signal } = new AbortController()
  const list = await acquire(undefined, { verb: 'list' }, signal)
  assert.equal(share.load.seats, 4)
  const get = await acquire(undefined, { verb: 'get' }, signal)
  assert.equal(share.load.seats, 5)
  list()
  get()
  assert.equal(share.load.seats, 0)
})
