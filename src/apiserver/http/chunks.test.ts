import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CHUNK, Chunks, type Chunk } from './chunks.ts'

/** Pieces of these lengths, each filled with another byte. */
const pieces = (lengths: readonly number[]): Buffer[] => lengths.map((length, i) => Buffer.alloc(length, i + 1))

function gather(given: readonly Buffer[]): Chunk[] {
  const chunks = new Chunks()
  return [...given.flatMap((piece) => chunks.add(piece)), ...chunks.rest(), ...chunks.rest()]
}

describe('chunks', () => {
  test('what comes out is what went in, in few writes', () => {
    for (const lengths of [[], [0], [1, 2, 3], [CHUNK], [1, CHUNK], [CHUNK, 1], [1, CHUNK + 1, 1], [CHUNK * 3, 5]]) {
      const given = pieces(lengths)
      const out = gather(given)
      assert.ok(Buffer.concat(out.map(({ bytes }) => bytes)).equals(Buffer.concat(given)), lengths.join(' '))
    }
    const small = gather(pieces(Array.from({ length: 100 }, () => 4000)))
    assert.equal(small.length, Math.ceil(100 / Math.floor(CHUNK / 4000)))
  })

  test('memory is used again when it is given back, and not before', () => {
    const [first] = gather(pieces([10, 20]))
    const [second] = gather(pieces([30]))
    assert.notEqual(first!.bytes.buffer, second!.bytes.buffer)
    first!.done!()
    const [third] = gather(pieces([40]))
    assert.equal(third!.bytes.buffer, first!.bytes.buffer)
    assert.ok(second!.bytes.equals(Buffer.alloc(30, 1)))
  })

  test('a large piece is not copied, and is not given back', () => {
    const given = Buffer.alloc(CHUNK + 1)
    const [one] = gather([given])
    assert.equal(one!.bytes, given)
    assert.equal(one!.done, undefined)
  })
})
