import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineSplitter } from './watch-stream.ts'

test('lines come out whole however they were cut', () => {
  const line = fc.string({ unit: 'grapheme', minLength: 1 }).map((text) => text.replaceAll('\n', '_'))
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
      const bytes = Buffer.from(lines.map((one) => `${one}\n`).join(''))
      const splitter = new LineSplitter()
      const out: string[] = []
      let at = 0
      for (const cut of [...cuts, bytes.length]) {
        out.push(...splitter.push(bytes.subarray(at, at + cut)))
        at += cut
        if (at >= bytes.length) break
      }
      if (at < bytes.length) out.push(...splitter.push(bytes.subarray(at)))
      assert.deepEqual(out, lines)
      assert.equal(splitter.end(), '')
    }),
  )
})

test('empty lines are no events, and the rest waits for its newline', () => {
  const splitter = new LineSplitter()
  assert.deepEqual(splitter.push(Buffer.from('\n{"a":1}\n\n{"b"')), ['{"a":1}'])
  assert.equal(splitter.end(), '{"b"')
})

test('a line without end is refused', () => {
  const splitter = new LineSplitter()
  const chunk = Buffer.alloc(8 * 1024 * 1024, 'x')
  for (let i = 0; i < 8; i++) splitter.push(chunk)
  assert.throws(() => splitter.push(chunk), RangeError)
})
