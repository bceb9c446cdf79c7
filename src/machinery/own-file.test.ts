import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownFile } from './own-file.ts'

test('a file of the program is found from sources and from what is published', () => {
  const cases: [string, string][] = [
    ['file:///home/a/tenantry/src/store/sqlite/thread.ts', 'file:///home/a/tenantry/src/cli/main.ts'],
    ['file:///a/node_modules/tenantry/dist/chunk-A.js', 'file:///a/node_modules/tenantry/dist/cli/main.js'],
    ['file:///dist/src/tenantry/dist/cli/main.js', 'file:///dist/src/tenantry/dist/cli/main.js'],
    ['file:///a/dist/tenantry/src/index.ts', 'file:///a/dist/tenantry/src/cli/main.ts'],
  ]
  for (const [from, expected] of cases) assert.equal(ownFile(from, 'cli/main').href, expected)
})
