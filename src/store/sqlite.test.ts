import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { base, contractSuite, del, put } from './contract.suite.ts'
import { Compacted, type Range } from './contract.ts'
import { StoreError } from './error.ts'
import { sqliteStore } from './sqlite.ts'

const directory = mkdtempSync(join(tmpdir(), 'tenantry-store-'))
after(() => rmSync(directory, { recursive: true, force: true }))
let serial = 0
const newFile = () => join(directory, `${serial++}`, 'store.db')

contractSuite('sqlite', (options) => sqliteStore({ ...options, file: newFile() }))

/** What a reader can see of a range. */
function dump(range: Range): string[] {
  return range.list('').entries.map((e) => `${e.key}=${e.bytes.toString()} ${e.revision}/${e.created}`)
}

/** Rows of a closed store's file. */
function count(file: string, table: string): unknown {
  const db = new DatabaseSync(file)
  try {
    return db.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.['count']
  } finally {
    db.close()
  }
}

describe('a sqlite store', () => {
  it('is the same after it was closed', async () => {
    const file = newFile()
    const entries = base('rbac/clusterroles//admin', 'rbac/clusterroles//edit', 'rbac/clusterroles//view')
    let store = await sqliteStore({ file })
    const range = await store.open('a', { base: entries })
    await range.write([
      put('core/pods/d/ä\u{1f600}', '1'),
      put('core/pods/d/b', ''),
      put('rbac/clusterroles//edit', 'mine'),
    ])
    await range.write([put('core/pods/d/ä\u{1f600}', '2'), del('rbac/clusterroles//admin')])
    await range.write([del('core/pods/d/b')])
    const seen = dump(range)
    const { identity, revision } = range
    await store.open('b')
    await store.close()

    store = await sqliteStore({ file })
    assert.deepEqual(await store.ids(), ['a', 'b'])
    const again = await store.open('a', { base: entries })
    assert.deepEqual(again.identity, identity)
    assert.deepEqual([again.revision, again.compacted], [revision, revision])
    assert.deepEqual(dump(again), seen)
    assert.throws(() => again.watch('core/pods/', revision - 1, () => undefined), Compacted)
    await assert.rejects(again.write([put('rbac/clusterroles//admin', 'x', 1)]), { actual: 0 })
    const events: number[] = []
    again.watch('core/pods/', revision, (event) => events.push(event.revision))
    await again.write([put('core/pods/d/c', '', 0)])
    assert.deepEqual(events, [revision + 1])
    await store.close()
  })

  it('does not go back when the last write was a delete, nor give a dropped range its keys again', async () => {
    const file = newFile()
    let store = await sqliteStore({ file })
    let range = await store.open('a')
    await range.write([put('core/pods/d/a', '')])
    await range.write([del('core/pods/d/a')])
    const other = await store.open('b')
    await other.write([put('core/pods/d/a', '')])
    await store.drop('b')
    await store.close()
    store = await sqliteStore({ file })
    range = await store.open('a')
    assert.deepEqual([range.revision, range.count('')], [3, 0])
    assert.deepEqual(await store.ids(), ['a'])
    assert.deepEqual(dump(await store.open('b')), [])
    await store.close()
  })

  it('loads a range of many pages, without losing a key between them', async () => {
    const file = newFile()
    let store = await sqliteStore({ file })
    const range = await store.open('big')
    const value = 'x'.repeat(1000)
    const keys = Array.from({ length: 5000 }, (_, i) => `core/pods/d/pod-${(i * 7919) % 5000}`)
    await Promise.all(keys.map((key) => range.write([put(key, value)])))
    await range.write([put('core/secrets/d/huge', 'y'.repeat(3_000_000))])
    const seen = dump(range)
    await store.close()
    store = await sqliteStore({ file })
    assert.deepEqual(dump(await store.open('big')), seen)
    await store.close()
  })

  it('removes what a dropped range left, also after a restart', async () => {
    const file = newFile()
    let store = await sqliteStore({ file })
    const range = await store.open('a')
    const kept = await store.open('b')
    await kept.write([put('core/pods/d/a', 'kept')])
    for (let i = 0; i < 3; i++) {
      await Promise.all(Array.from({ length: 400 }, (_, j) => range.write([put(`core/pods/d/${i}-${j}`, 'x')])))
    }
    await store.drop('a')
    await store.close()
    store = await sqliteStore({ file })
    await delay(300)
    await store.close()
    assert.deepEqual([count(file, 'entries'), count(file, 'dropped'), count(file, 'ranges')], [1, 0, 1])
  })

  it('moves the log of a life that was cut off into the file', async () => {
    const file = newFile()
    let store = await sqliteStore({ file })
    const range = await store.open('a')
    for (const name of ['a', 'b', 'c']) await range.write([put(`core/configmaps/d/${name}`, name.repeat(1 << 20))])
    const copy = newFile()
    mkdirSync(dirname(copy))
    for (const suffix of ['', '-wal']) copyFileSync(file + suffix, copy + suffix)
    await store.close()
    const before = statSync(copy).size
    assert.ok(statSync(`${copy}-wal`).size > 3 << 20 && before < 1 << 20)
    store = await sqliteStore({ file: copy })
    assert.equal((await store.open('a')).revision, range.revision)
    while (statSync(copy).size < before + (3 << 20)) await delay(10)
    await store.close()
  })

  it('can be read by its owner only', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    const range = await store.open('a')
    await range.write([put('core/secrets/d/a', 'secret')])
    for (const name of [file, `${file}-wal`]) assert.equal(statSync(name).mode & 0o777, 0o600, name)
    assert.equal(statSync(join(file, '..')).mode & 0o777, 0o700)
    await store.close()
  })

  it('refuses a file that is in use, here or in another process', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    await assert.rejects(sqliteStore({ file }), {
      name: 'StoreError',
      code: 'locked',
      message: /in use by another process/,
    })
    const script = `
      import { sqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
      await sqliteStore({ file: process.argv[1] }).then(() => console.log('opened'), (error) => console.log(error.code))`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, file])
    assert.equal(stdout, 'locked\n')
    await (await store.open('a')).write([put('core/pods/d/a', '')])
    await store.close()
    await (await sqliteStore({ file })).close()
  })

  it("refuses a file that is none, another program's, or newer", async () => {
    const text = newFile()
    await (await sqliteStore({ file: text })).close()
    writeFileSync(text, 'not a database '.repeat(100))
    await assert.rejects(sqliteStore({ file: text }), { code: 'format' })
    assert.equal(readFileSync(text, 'utf8').slice(0, 14), 'not a database')

    const foreign = newFile()
    await (await sqliteStore({ file: foreign })).close()
    let db = new DatabaseSync(foreign)
    db.exec('PRAGMA application_id = 7')
    db.close()
    await assert.rejects(sqliteStore({ file: foreign }), { code: 'format', message: /another program/ })

    const newer = newFile()
    await (await sqliteStore({ file: newer })).close()
    db = new DatabaseSync(newer)
    db.exec('PRAGMA user_version = 99')
    db.close()
    await assert.rejects(sqliteStore({ file: newer }), { code: 'format', message: /version 99/ })
  })

  it('stays usable when there is no room', async () => {
    const file = newFile()
    let store = await sqliteStore({ file, maxBytes: 256 * 1024 })
    const range = await store.open('a')
    const other = await store.open('b')
    const events: number[] = []
    range.watch('core/pods/', 1, (event) => events.push(event.revision))
    await range.write([put('core/pods/d/a', 'small')])
    const big = range.write([put('core/pods/d/big', 'x'.repeat(300_000))])
    const behind = range.write([put('core/pods/d/behind', '', 0)])
    assert.equal(range.latest('core/pods/d/behind')?.revision, 4)
    for (const write of [big, behind]) await assert.rejects(write, { name: 'StoreError', code: 'full' })
    assert.equal(range.latest('core/pods/d/behind'), undefined)
    const [entry] = await range.write([put('core/pods/d/b', 'small', 0)])
    assert.deepEqual([entry!.revision, events], [3, [2, 3]])
    await other.write([put('core/pods/d/b', '')])
    await store.close()
    store = await sqliteStore({ file })
    assert.deepEqual(dump(await store.open('a')), ['core/pods/d/a=small 2/2', 'core/pods/d/b=small 3/3'])
    await store.close()
  })

  it('refuses all writes after the disk failed, and keeps what it acknowledged', async () => {
    const file = newFile()
    const script = `
      import { sqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
      const store = await sqliteStore({ file: process.argv[1] })
      const range = await store.open('a')
      const write = (key) => range.write([{ type: 'put', key, encode: () => ({ bytes: Buffer.alloc(20_000, 'x') }) }])
      let acknowledged = range.revision
      const outcome = []
      for (let i = 0; i < 50; i++) await write('core/pods/d/' + i).then(
        ([entry]) => { acknowledged = entry.revision },
        (error) => outcome.push(error.code))
      const after = await store.open('b').catch((error) => error.code)
      await store.close()
      console.log(JSON.stringify({ acknowledged, count: range.count(''), revision: range.revision, after, codes: [...new Set(outcome)] }))`
    // No file may grow beyond 400 KiB: writing there fails as a broken disk does.
    const child = spawn(
      'sh',
      ['-c', 'ulimit -f 800; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script, file],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const output = (await child.stdout.toArray()).join('')
    const result = JSON.parse(output) as {
      acknowledged: number
      count: number
      revision: number
      after: string
      codes: string[]
    }
    assert.deepEqual([result.codes, result.after], [['failed'], 'failed'])
    assert.ok(result.acknowledged > 2)
    assert.deepEqual([result.revision, result.count], [result.acknowledged, result.acknowledged - 1])
    const store = await sqliteStore({ file })
    const range = await store.open('a')
    assert.ok(range.revision >= result.acknowledged)
    assert.ok(range.count('') >= result.count)
    await store.close()
  })

  it('lets ranges take turns', async () => {
    const store = await sqliteStore({ file: newFile() })
    const [busy, calm] = [await store.open('busy'), await store.open('calm')]
    const flood = Array.from({ length: 5000 }, (_, i) => busy.write([put(`core/pods/d/${i}`, '')]))
    await calm.write([put('core/pods/d/a', '')])
    assert.ok(busy.revision < 1100, `waited for ${busy.revision} writes of another range`)
    await Promise.all(flood)
    await store.close()
  })

  it('does not keep the process alive at rest', async () => {
    const script = `
      import { sqliteStore } from ${JSON.stringify(new URL('./sqlite.ts', import.meta.url).href)}
      const range = await (await sqliteStore({ file: process.argv[1] })).open('a')
      await range.write([{ type: 'put', key: 'core/pods/d/a', encode: () => ({ bytes: Buffer.from('x') }) }])
      console.log('written')`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, newFile()], {
      timeout: 20_000,
    })
    assert.equal(stdout, 'written\n')
  })

  it('says which file and why it cannot be opened', async () => {
    const error: unknown = await sqliteStore({ file: fileURLToPath(import.meta.url) + '/store.db' }).catch(
      (e: unknown) => e,
    )
    assert.ok(error instanceof StoreError)
    assert.equal(error.code, 'failed')
    assert.match(error.message, /sqlite\.test\.ts\/store\.db.*(ENOTDIR|EEXIST)/)
  })
})
