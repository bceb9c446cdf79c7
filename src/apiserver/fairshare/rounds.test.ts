import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Rounds } from './rounds.ts'

/** Runs what waits, one seat at a time given back, and says in which order. */
function order(rounds: Rounds<string>, used: number[]): string[] {
  const out: string[] = []
  for (;;) {
    for (let next = rounds.next(); next !== undefined; next = rounds.next()) {
      out.push(next.item)
      used.push(next.seats)
    }
    const seats = used.shift()
    if (seats === undefined) return out
    rounds.release(seats)
  }
}

describe('rounds', () => {
  test('a tenant alone has everything', () => {
    const rounds = new Rounds<string>({ seats: 4, queue: 10, total: 10, quantum: 1 })
    for (let i = 0; i < 4; i++) assert.equal(rounds.enter(1), true)
    assert.equal(rounds.enter(1), false)
    rounds.release(1)
    assert.equal(rounds.enter(1), true)
  })

  test('the small one does not wait behind the greedy one', () => {
    const rounds = new Rounds<string>({ seats: 1, queue: 100, total: 1000, quantum: 1 })
    rounds.enter(1)
    for (let i = 0; i < 6; i++) rounds.queue('greedy', 1, `g${i}`)
    rounds.queue('small', 1, 's0')
    rounds.queue('small', 1, 's1')
    assert.deepEqual(order(rounds, [1]), ['g0', 's0', 'g1', 's1', 'g2', 'g3', 'g4', 'g5'])
  })

  test('a large request counts as many', () => {
    const rounds = new Rounds<string>({ seats: 4, queue: 100, total: 1000, quantum: 1 })
    rounds.enter(4)
    for (let i = 0; i < 3; i++) rounds.queue('lists', 4, `L${i}`)
    for (let i = 0; i < 6; i++) rounds.queue('gets', 1, `g${i}`)
    const got = order(rounds, [4])
    assert.ok(got.indexOf('L1') > got.indexOf('g4'), got.join(' '))
  })

  test('bounds: of one tenant and of all', () => {
    const rounds = new Rounds<string>({ seats: 1, queue: 2, total: 3, quantum: 1 })
    rounds.enter(1)
    assert.deepEqual(
      ['a', 'a', 'a', 'b', 'c'].map((id, i) => rounds.queue(id, 1, `${i}`)),
      [true, true, false, true, false],
    )
  })

  test('whatever happens: seats are kept, nothing is lost, each tenant is served in order', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('ask' as const),
        id: fc.constantFrom('a', 'b', 'c'),
        cost: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ do: fc.constant('release' as const) }),
      fc.record({ do: fc.constant('withdraw' as const), at: fc.nat(20) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const seats = 5
        const rounds = new Rounds<number>({ seats, queue: 20, total: 40, quantum: 2 })
        const waiting: { id: string; item: number }[] = []
        const running: number[] = []
        let count = 0
        const drain = (): void => {
          for (let next = rounds.next(); next !== undefined; next = rounds.next()) {
            const { id, item } = next
            assert.equal(waiting.find((one) => one.id === id)?.item, item)
            waiting.splice(
              waiting.findIndex((one) => one.item === item),
              1,
            )
            running.push(next.seats)
          }
        }
        for (const one of steps) {
          if (one.do === 'ask') {
            const item = count++
            if (rounds.enter(rounds.seatsOf(one.cost))) running.push(rounds.seatsOf(one.cost))
            else if (rounds.queue(one.id, one.cost, item)) waiting.push({ id: one.id, item })
          } else if (one.do === 'release') {
            const back = running.shift()
            if (back !== undefined) rounds.release(back)
          } else if (waiting.length > 0) {
            const [gone] = waiting.splice(one.at % waiting.length, 1)
            assert.equal(rounds.withdraw(gone!.id, gone!.item), true)
            assert.equal(rounds.withdraw(gone!.id, gone!.item), false)
          }
          drain()
          const used = running.reduce((sum, each) => sum + each, 0)
          assert.equal(rounds.used, used)
          assert.ok(used <= seats)
          assert.equal(rounds.waiting, waiting.length)
          assert.ok(waiting.length === 0 || used > 0, 'somebody waits though all is free')
        }
        while (running.length > 0) {
          rounds.release(running.shift()!)
          drain()
        }
        assert.equal(waiting.length, 0)
      }),
      { numRuns: 300 },
    )
  })
})
