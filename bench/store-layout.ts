// How the ranges of a process should lie on disk, and what the chosen store then does. Numbers go to standard output;
// docs/store.md explains them. Usage: node bench/store-layout.ts [directory]
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, openSync, closeSync, fdatasyncSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { DatabaseSync } from 'node:sqlite'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import type { Range, Store } from '../src/store/contract.ts'
import { memoryStore } from '../src/store/memory.ts'
import { sqliteStore } from '../src/store/sqlite.ts'
import { readRows, rowSize, writeRow } from '../src/store/sqlite/frame.ts'

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'tenantry-bench-'))
const TENANTS = 100

/** Values that differ: SQLite leaves pages alone whose content stays, and clones one shared buffer once. */
const SIZE = 1500
const noise = randomBytes(1 << 20)
function value(n: number): Buffer {
  const from = (n * 7919) % (noise.length - SIZE)
  return Buffer.from(noise.subarray(from, from + SIZE))
}

function quantile(times: readonly number[], q: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  return `${sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!.toFixed(2)} ms`
}

function measure(name: string, repeats: number, run: (turn: number) => void): void {
  const times: number[] = []
  for (let turn = 0; turn < repeats; turn++) {
    const began = performance.now()
    run(turn)
    times.push(performance.now() - began)
  }
  console.log(`${name.padEnd(66)} p50 ${quantile(times, 0.5).padStart(9)}  p99 ${quantile(times, 0.99).padStart(9)}`)
}

function database(file: string, table: string): DatabaseSync {
  const db = new DatabaseSync(file)
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec(table)
  return db
}

const byNumber =
  'CREATE TABLE entries (number INTEGER PRIMARY KEY, range INT, key BLOB, value BLOB, UNIQUE (range, key))'
const byKey = 'CREATE TABLE entries (range INT, key BLOB, value BLOB, PRIMARY KEY (range, key)) WITHOUT ROWID'
const upsert =
  'INSERT INTO entries (range, key, value) VALUES (?, ?, ?) ON CONFLICT (range, key) DO UPDATE SET value = excluded.value'
const keyOf = (turn: number, tenant: number) => Buffer.from(`core/pods/default/pod-${(turn * 7919 + tenant) % 300}`)

function layouts(): void {
  console.log(`\n${TENANTS} tenants write one value of ${SIZE} bytes each, all synced before they are acknowledged:`)

  mkdirSync(join(directory, 'files'))
  const files = Array.from({ length: TENANTS }, (_, i) => {
    const db = database(join(directory, 'files', `${i}.db`), byNumber)
    return { db, put: db.prepare(upsert) }
  })
  measure('100 files, committed one after the other', 30, (turn) => {
    for (const [tenant, { put }] of files.entries()) put.run(0, keyOf(turn, tenant), value(turn * TENANTS + tenant))
  })
  for (const { db } of files) db.close()

  for (const [name, table] of [
    ['one file, one commit', byNumber],
    ['one file, one commit, table in the order of keys (WITHOUT ROWID)', byKey],
  ] as const) {
    const db = database(join(directory, `${table.length}.db`), table)
    const put = db.prepare(upsert)
    measure(name, 200, (turn) => {
      db.exec('BEGIN IMMEDIATE')
      for (let tenant = 0; tenant < TENANTS; tenant++)
        put.run(tenant, keyOf(turn, tenant), value(turn * TENANTS + tenant))
      db.exec('COMMIT')
    })
    db.close()
  }

  const journal = openSync(join(directory, 'journal'), 'a')
  const batch = Buffer.alloc((SIZE + 64) * TENANTS, 'x')
  measure('one journal, appended and synced (files to be fed from it later)', 200, () => {
    writeSync(journal, batch)
    fdatasyncSync(journal)
  })
  closeSync(journal)
}

function messages(): void {
  console.log('\n1,000 rows to the worker in one message:')
  const rowOf = (i: number, bytes: Buffer) => ({ key: `core/pods/default/pod-${i}`, bytes, revision: i })
  const { port1, port2 } = new MessageChannel()
  let sum = 0
  const sides = (name: string, send: () => void, receive: () => void) => {
    const sent: number[] = []
    const received: number[] = []
    for (let turn = 0; turn < 100; turn++) {
      const began = performance.now()
      send()
      const between = performance.now()
      receive()
      sent.push(between - began)
      received.push(performance.now() - between)
    }
    console.log(
      `${name.padEnd(66)} event loop p50 ${quantile(sent, 0.5)} p99 ${quantile(sent, 0.99)}  worker p50 ${quantile(received, 0.5)}`,
    )
  }
  const alone = Array.from({ length: 1000 }, (_, i) => rowOf(i, value(i)))
  // As a server makes them: each in a slab of Node's pool among buffers that have nothing to do with it.
  const pooled = Array.from({ length: 1000 }, (_, i) => {
    const row = rowOf(i, value(i))
    for (let j = 0; j < 4; j++) value(j)
    return row
  })
  for (const [name, rows] of [
    ['an object for each row, cloned; values made one after the other', alone],
    ['an object for each row, cloned; values made among others', pooled],
  ] as const) {
    sides(
      name,
      () => port1.postMessage(rows),
      () => {
        const { message } = receiveMessageOnPort(port2) as { message: typeof rows }
        for (const { bytes } of message) sum += bytes.length
      },
    )
  }
  sides(
    'one buffer for all rows, a new one each time, moved',
    () => {
      const size = pooled.reduce((all, { key, bytes }) => all + rowSize(Buffer.byteLength(key), bytes.length), 0)
      const buffer = Buffer.allocUnsafeSlow(size)
      let at = 0
      for (const { key, bytes, revision } of pooled) at = writeRow(buffer, at, 1, key, bytes, revision, revision)
      port1.postMessage(buffer.buffer, [buffer.buffer])
    },
    () => {
      const { message } = receiveMessageOnPort(port2) as { message: ArrayBuffer }
      for (const row of readRows(Buffer.from(message))) sum += row.value instanceof Buffer ? row.value.length : 0
    },
  )
  const shared = new SharedArrayBuffer(4 << 20)
  sides(
    'one shared buffer for all rows, always the same',
    () => {
      const buffer = Buffer.from(shared)
      let at = 0
      for (const { key, bytes, revision } of pooled) at = writeRow(buffer, at, 1, key, bytes, revision, revision)
      port1.postMessage({ shared, at })
    },
    () => {
      const { message } = receiveMessageOnPort(port2) as { message: { shared: SharedArrayBuffer; at: number } }
      for (const row of readRows(Buffer.from(message.shared, 0, message.at))) {
        sum += row.value instanceof Buffer ? row.value.length : 0
      }
    },
  )
  if (sum !== 4 * 100 * 1000 * SIZE) throw new Error('rows were lost')
  port1.close()
}

async function load(name: string, ranges: readonly Range[], writers: number, seconds: number): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const times: number[] = []
  const began = performance.now()
  const until = began + seconds * 1000
  const write = async (writer: number) => {
    for (let i = 0; performance.now() < until; i++) {
      const range = ranges[(writer + i * 7) % ranges.length]!
      const start = performance.now()
      await range.write([
        {
          type: 'put',
          key: `core/pods/default/w${writer}-${i % 500}`,
          encode: () => ({ bytes: value(i * 64 + writer) }),
        },
      ])
      times.push(performance.now() - start)
    }
  }
  delay.enable()
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer)))
  delay.disable()
  const rate = Math.round((times.length * 1000) / (performance.now() - began))
  console.log(
    `${name.padEnd(40)} ${String(rate).padStart(7)} puts/s  ack p50 ${quantile(times, 0.5)}  p99 ${quantile(times, 0.99)}` +
      `  event loop p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms max ${(delay.max / 1e6).toFixed(1)} ms`,
  )
}

async function many(store: Store, count: number): Promise<readonly Range[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => store.open(`range-${i}`)))
}

async function loads(): Promise<void> {
  console.log(`\nThe store under load, values of ${SIZE} bytes:`)
  for (const [ranges, writers] of [
    [1, 1],
    [1, 64],
    [100, 64],
  ] as const) {
    const store = await sqliteStore({ file: join(directory, `load-${ranges}-${writers}`, 'store.db') })
    await load(`sqlite, ${ranges} ranges, ${writers} writers`, await many(store, ranges), writers, 4)
    await store.close()
  }
  const store = memoryStore()
  await load('memory, 100 ranges, 64 writers', await many(store, 100), 64, 1)
  await store.close()
}

function memoryUsed(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  for (let i = 0; i < 3; i++) globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function emptyRange(): Promise<void> {
  const memory = memoryStore()
  await memory.open('warm')
  const before = memoryUsed()
  await many(memory, 10_000)
  console.log(`an empty range takes ${Math.round((memoryUsed() - before) / 10_000)} bytes`)
  await memory.close()
}

async function sizes(): Promise<void> {
  console.log('\nRanges:')
  const file = join(directory, 'sizes', 'store.db')
  let store = await sqliteStore({ file })
  let began = performance.now()
  const ranges = await many(store, 1000)
  console.log(`1,000 ranges made at once in ${(performance.now() - began).toFixed(0)} ms`)
  began = performance.now()
  await store.open('single')
  console.log(`one range made in ${(performance.now() - began).toFixed(1)} ms`)
  const puts = (range: Range, count: number) =>
    Promise.all(
      Array.from({ length: count }, (_, i) =>
        range.write([{ type: 'put', key: `core/secrets/default/s-${i}`, encode: () => ({ bytes: value(i) }) }]),
      ),
    )
  await Promise.all(ranges.map((range) => puts(range, 30)))
  await puts(await store.open('big'), 50_000)
  await store.close()

  store = await sqliteStore({ file })
  began = performance.now()
  await many(store, 1000)
  console.log(`1,000 ranges of 30 keys opened in ${(performance.now() - began).toFixed(0)} ms`)
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  began = performance.now()
  const big = await store.open('big')
  delay.disable()
  console.log(
    `one range of ${big.count('')} keys opened in ${(performance.now() - began).toFixed(0)} ms, event loop max ${(delay.max / 1e6).toFixed(1)} ms`,
  )
  began = performance.now()
  let pages = 0
  for (let start: string | undefined = ''; start !== undefined; pages++) {
    const { entries, remaining } = big.list('core/secrets/', { limit: 500, start })
    start = remaining > 0 ? `${entries.at(-1)!.key}\0` : undefined
  }
  console.log(`listed in ${pages} pages in ${(performance.now() - began).toFixed(0)} ms`)
  await store.close()
}

try {
  await emptyRange()
  layouts()
  messages()
  await loads()
  await sizes()
} finally {
  rmSync(directory, { recursive: true, force: true })
}
