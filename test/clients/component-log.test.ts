import assert from 'node:assert/strict'
import { test } from 'node:test'
import { complaints } from './component-log.ts'

test('complaints about the server are found, usual lines are not', () => {
  const bad = [
    'W1129 16:20:09.533187    5636 reflector.go:569] "Failed to watch" err="unable to decode an event"',
    'I1129 16:20:09.533187    5636 x.go:1] pods is forbidden: User "a" cannot list resource "pods"',
    'E1129 16:20:09.533187    5636 x.go:1] "Something else"',
  ]
  const good = [
    'I1129 16:20:09.533187    5636 x.go:1] "Caches are synced"',
    'E1129 16:20:09.533187    5636 replica_set.go:640] "Unhandled Error" err="sync \\"a/b\\" failed with replicasets.apps \\"b\\" not found" logger="UnhandledError"',
    'I1129 16:20:09.533187    5636 event.go:377] "x" message="pods \\"d\\" is forbidden: exceeded quota: q"',
  ]
  assert.deepEqual(complaints([...good, ...bad].join('\n')), bad)
})
