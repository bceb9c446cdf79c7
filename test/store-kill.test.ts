import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Entry, Range } from '../src/store/contract.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { isDelete, keyOf, ranges, valueOf, writersOfRange } from './store-kill/plan.ts'

const rounds = Number(process.env['TENANTRY_KILL_ROUNDS'] ?? 10)
const directory = mkdtempSync(join(tmpdir(), 'tenantry-kill-'))
after(() => rmSync(directory, { recursive: true, force: true }))

interface Acknowledged {
  readonly step: number
  readonly revision: number
}

/** Starts the writer, kills it `delay` ms later, gives the newest acknowledgement of each `range writer`. */
async function killedWriter(file: string, round: number, delay: number): Promise<Map<string, Acknowledged>> {
  const script = fileURLToPath(new URL('./store-kill/writer.ts', import.meta.url))
  const child = spawn(process.execPath, [script, file, String(round)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const exit = new Promise<string | null>((resolve) => child.on('exit', (_code, signal) => resolve(signal)))
  const timer = setTimeout(() => child.kill('SIGKILL'), delay)
  const output = (await child.stdout.toArray()).join('')
  assert.equal(await exit, 'SIGKILL', 'the writer ended by itself')
  clearTimeout(timer)
  const newest = new Map<string, Acknowledged>()
  // The last line may be torn.
  for (const line of output.split('\n').slice(0, -1)) {
    const [id, writer, step, revision] = line.split(' ')
    newest.set(`${id} ${writer}`, { step: Number(step), revision: Number(revision) })
  }
  return newest
}

/** A key is as its last acknowledged step left it, or one step further. */
function checkKey(key: string, entry: Entry | undefined, acknowledged: Acknowledged | undefined): void {
  const last = acknowledged?.step ?? -1
  const now = `${key}: step ${last} acknowledged at ${acknowledged?.revision}, found ${entry?.bytes.toString('utf8', 0, 40)}`
  if (entry === undefined) {
    assert.ok(last === -1 || isDelete(last) || isDelete(last + 1), now)
    return
  }
  const step = Number.parseInt(entry.bytes.toString('utf8', 0, 12), 10)
  assert.ok(step === last || step === last + 1, now)
  assert.ok(!isDelete(step), now)
  if (step === last) assert.equal(entry.revision, acknowledged!.revision, now)
  else assert.ok(entry.revision > (acknowledged?.revision ?? 0), now)
  assert.equal(entry.bytes.toString(), valueOf(key, step, entry.revision), now)
}

describe(`a store killed under load, ${rounds} times`, () => {
  it(
    'loses no acknowledged write, and its revisions never go back',
    { timeout: 30_000 + rounds * 10_000 },
    async () => {
      const file = join(directory, 'store.db')
      const before = new Map<string, { readonly revision: number; readonly entries: readonly Entry[] }>()
      let writes = 0
      for (let round = 0; round < rounds; round++) {
        // The process needs some 100 ms to begin; some rounds end before or amid that.
        const newest = await killedWriter(file, round, 50 + Math.random() * 750)
        const store = await sqliteStore({ file })
        for (const id of ranges) {
          const range: Range = await store.open(id)
          const old = before.get(id)
          assert.ok(
            range.revision >= (old?.revision ?? 1),
            `${id} went back to ${range.revision} from ${old?.revision}`,
          )
          for (const entry of old?.entries ?? []) assert.deepEqual(range.get(entry.key), entry)
          const known = old?.entries.length ?? 0
          let found = 0
          for (let writer = 0; writer < writersOfRange; writer++) {
            const acknowledged = newest.get(`${id} ${writer}`)
            const key = keyOf(round, writer)
            const entry = range.get(key)
            assert.ok(range.revision >= Math.max(acknowledged?.revision ?? 0, entry?.revision ?? 0))
            checkKey(key, entry, acknowledged)
            if (entry !== undefined) found++
            writes += (acknowledged?.step ?? -1) + 1
          }
          assert.equal(range.count(''), known + found, `${id} has keys that nobody wrote`)
          before.set(id, { revision: range.revision, entries: range.list('').entries })
        }
        await store.close()
      }
      assert.ok(writes > rounds * 100, `only ${writes} writes were acknowledged: that proves nothing`)
    },
  )
})
