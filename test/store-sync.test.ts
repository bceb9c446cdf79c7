import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const directory = mkdtempSync(join(tmpdir(), 'tenantry-sync-'))
after(() => rmSync(directory, { recursive: true, force: true }))

/** Why strace cannot be used here, or undefined. */
function hindrance(): string | undefined {
  const probe = spawnSync('strace', ['-o', '/dev/null', 'true'], { encoding: 'utf8' })
  if (probe.error !== undefined) return 'strace is not installed'
  return probe.status === 0 ? undefined : `strace cannot trace here: ${probe.stderr.trim()}`
}

interface Call {
  readonly thread: string
  readonly name: string
  /** Arguments as strace prints them. */
  readonly text: string
  /** Lines of the trace at which it began and ended. */
  readonly from: number
  readonly to: number
  readonly result: number
}

/** The calls of a trace of several threads, by their beginning. Each is one line, or two when another thread is between. */
function parse(trace: string): Call[] {
  const calls: Call[] = []
  const unfinished = new Map<string, { from: number; text: string }>()
  for (const [at, line] of trace.split('\n').entries()) {
    const parts = /^(\d+) +(.*)$/s.exec(line)
    if (parts === null) continue
    const thread = parts[1]!
    let text = parts[2]!
    let from = at
    if (text.endsWith(' <unfinished ...>')) {
      unfinished.set(thread, { from, text: text.slice(0, -' <unfinished ...>'.length) })
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(text)
    if (resumed !== null) {
      const begun = unfinished.get(thread)
      if (begun === undefined) continue
      from = begun.from
      text = begun.text + resumed[1]!
    }
    const call = /^(\w+)\((.*)\) += (-?\d+)/s.exec(text)
    if (call !== null) calls.push({ thread, name: call[1]!, text: call[2]!, from, to: at, result: Number(call[3]) })
  }
  return calls.sort((a, b) => a.from - b.from)
}

describe('an acknowledged write', () => {
  const reason = hindrance()
  if (reason !== undefined && process.env['CI'] === 'true') {
    it('is synced before it is acknowledged', () => assert.fail(reason))
    return
  }

  it('is synced before it is acknowledged, and never by the event loop', { skip: reason ?? false }, () => {
    const script = fileURLToPath(new URL('./store-kill/synced.ts', import.meta.url))
    const file = join(directory, 'store.db')
    const trace = join(directory, 'trace')
    const calls = 'trace=write,pwrite64,writev,pwritev,fsync,fdatasync'
    const run = spawnSync(
      'strace',
      ['-f', '-y', '-s', '5000', '-e', calls, '-e', 'signal=none', '-o', trace, process.execPath, script, file],
      { encoding: 'utf8', timeout: 120_000 },
    )
    assert.equal(run.status, 0, run.stderr)
    const all = parse(readFileSync(trace, 'utf8'))
    const written = all.filter(({ name, text }) => name.includes('write') && text.includes(`<${file}-wal>`))
    const syncs = all.filter(
      ({ name, text, result }) => name.includes('sync') && text.includes('-wal>') && result === 0,
    )
    const acks = all.filter(({ name, text }) => name === 'write' && text.includes('"ack-'))
    assert.equal(acks.length, 160)
    const main = acks[0]!.thread
    for (const ack of acks) {
      const name = /ack-(W\d+S\d+E)/.exec(ack.text)![1]!
      const log = written.find(({ text }) => text.includes(`value-${name}`))
      assert.ok(log !== undefined && log.to < ack.from, `${name} was acknowledged before it was written`)
      assert.ok(
        syncs.some((sync) => sync.from > log.to && sync.to < ack.from),
        `${name} was acknowledged before it was synced`,
      )
    }
    assert.ok(
      all.some(({ name, text }) => name.includes('sync') && text.includes(`<${file}>`)),
      'no checkpoint was seen',
    )
    const own = all.filter(
      ({ thread, name, text }) => thread === main && (name.includes('sync') || text.includes(file)),
    )
    assert.deepEqual(own, [], 'the event loop touched the file')
  })
})
