import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AnswerStream } from '../exchange.ts'
import { forwardAnswer } from './forward.ts'
import type { Reply } from './reply.ts'

/** A reply whose tenant has to wait when `turn` says so, and whose stream writes down what comes. */
function replyOf(turn: () => Promise<void> | undefined) {
  const came: string[] = []
  const stream: AnswerStream = {
    write: (piece) => void came.push(String(piece)),
    buffered: 0,
    drained: () => Promise.resolve(),
    end: () => void came.push('end'),
    abort: () => void came.push('abort'),
  }
  const reply = { seat: { turn }, forward: () => stream } as unknown as Reply
  return { reply, came }
}

test('each piece of a body waits for the tenant’s turn', async () => {
  const turns: PromiseWithResolvers<void>[] = []
  const { reply, came } = replyOf(() => {
    const turn = Promise.withResolvers<void>()
    turns.push(turn)
    return turn.promise
  })
  const done = forwardAnswer(200, {}, pieces('a', 'b'), reply)
  const later = () => new Promise<void>((resolve) => setImmediate(resolve))
  await later()
  assert.deepEqual([turns.length, came], [1, []])
  turns[0]!.resolve()
  await later()
  assert.deepEqual([turns.length, came], [2, ['a']])
  turns[1]!.resolve()
  await done
  assert.deepEqual(came, ['a', 'b', 'end'])
})

test('a body that breaks off is not ended', async () => {
  const { reply, came } = replyOf(() => undefined)
  await forwardAnswer(200, {}, pieces('a', new Error('gone')), reply)
  assert.deepEqual(came, ['a', 'abort'])
})

async function* pieces(...all: (string | Error)[]): AsyncGenerator<Buffer> {
  for (const piece of all) {
    if (piece instanceof Error) throw piece
    yield Buffer.from(piece)
  }
}
