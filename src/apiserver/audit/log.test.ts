import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { AuditLog } from './log.ts'

describe('audit log', () => {
  let dir: string
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'tenantry-audit-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('appends lines in order, for the owner alone', async () => {
    const path = join(dir, 'logs', 'audit.log')
    for (const lines of [['a\n', 'b\n'], ['c\n']]) {
      const log = new AuditLog({ path })
      for (const line of lines) log.write(line)
      await log.close()
    }
    assert.equal(readFileSync(path, 'utf8'), 'a\nb\nc\n')
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('turns over by size and keeps so many', async () => {
    const path = join(dir, 'audit.log')
    let now = Date.parse('2026-01-02T15:04:05Z')
    const log = new AuditLog({ path, maxSize: 1, maxBackup: 2, now: () => (now += 1000) })
    const line = `${'x'.repeat(700_000)}\n`
    for (let i = 0; i < 5; i++) {
      log.write(line)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    await log.close()
    const names = readdirSync(dir).toSorted()
    assert.equal(names.length, 3)
    assert.match(names[0]!, /^audit-2026-01-02T15-04-\d\d\.000\.log$/)
    assert.equal(names[2], 'audit.log')
    for (const name of names) assert.equal(statSync(join(dir, name)).size, line.length)
  })

  it('drops what it cannot hold, and what cannot be written, and says so', async () => {
    const full = new AuditLog({ path: join(dir, 'audit.log'), buffer: 10 })
    for (let i = 0; i < 4; i++) full.write('12345\n')
    await full.close()
    assert.equal(full.dropped, 3)
    const errors: unknown[] = []
    const broken = new AuditLog({ path: dir, onError: (error) => errors.push(error) })
    broken.write('a\n')
    await broken.close()
    assert.deepEqual([broken.dropped, errors.length], [1, 1])
  })
})
