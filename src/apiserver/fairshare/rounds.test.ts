import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { Rounds } from './rounds.ts'

/** Runs what waits, one seat at a time given back, and says in which order. */
function order(rounds: Rounds<string>, seats: number): string[] {
  const used = [{ id: 'x', seats }]
  const out: string[] = []
  for (;;) {
    for (let next = rounds.next(); next !== undefined; next = rounds.next()) {
      out.push(next.item)
      used.push(next)
    }
    const first = used.shift()
    if (first === undefined) return out
    rounds.release(first.id, first.seats)
  }
}

describe('rounds', () => {
  test('a tenant alone has everything', () => {
    const rounds = new Rounds<string>({ seats: 4, queue: 10, total: 10, quantum: 1 })
    for (let i = 0; i < 4; i++) assert.equal(rounds.enter('x', 1), true)
    assert.equal(rounds.enter('x', 1), false)
    rounds.release('x', 1)
    assert.equal(rounds.enter('x', 1), true)
  })

  test('the small one does not wait behind the greedy one', () => {
    const rounds = new Rounds<string>({ seats: 1, queue: 100, total: 1000, quantum: 1 })
    rounds.enter('x', 1)
    for (let i = 0; i < 6; i++) rounds.queue('greedy', 1, `g${i}`)
    rounds.queue('small', 1, 's0')
    rounds.queue('small', 1, 's1')
    assert.deepEqual(order(rounds, 1), ['g0', 's0', 'g1', 's1', 'g2', 'g3', 'g4', 'g5'])
  })

  test('a large request counts as many', () => {
    const rounds = new Rounds<string>({ seats: 4, queue: 100, total: 1000, quantum: 1 })
    rounds.enter('x', 4)
    for (let i = 0; i < 3; i++) rounds.queue('lists', 4, `L${i}`)
    for (let i = 0; i < 6; i++) rounds.queue('gets', 1, `g${i}`)
    const got = order(rounds, 4)
    assert.ok(got.indexOf('L1') > got.indexOf('g4'), got.join(' '))
  })

  test('bounds: of one tenant and of all', () => {
    const rounds = new Rounds<string>({ seats: 1, queue: 2, total: 3, quantum: 1 })
    rounds.enter('x', 1)
    assert.deepEqual(
      ['a', 'a', 'a', 'b', 'c'].map((id, i) => rounds.queue(id, 1, `${i}`)),
      [true, true, false, true, false],
    )
  })

  test('who holds everything for long does not keep others out', () => {
    const rounds = new Rounds<string>({ seats: 4, queue: 9, total: 99, quantum: 1, reserve: 2 })
    for (let i = 0; i < 4; i++) assert.equal(rounds.enter('slow', 1), true)
    assert.equal(rounds.queue('slow', 1, 's4'), true)
    assert.equal(rounds.enter('b', 2), true)
    assert.equal(rounds.enter('b', 1), false)
    rounds.queue('b', 1, 'b1')
    assert.equal(rounds.next(), undefined)
    rounds.release('b', 2)
    assert.deepEqual(rounds.next(), { id: 'b', item: 'b1', seats: 1 })
    assert.equal(rounds.next(), undefined)
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
        const reserve = 2
        const rounds = new Rounds<number>({ seats, queue: 20, total: 40, quantum: 2, reserve })
        const waiting: { id: string; item: number; seats: number }[] = []
        const running: { id: string; seats: number }[] = []
        let count = 0
        const drain = (): void => {
          for (let next = rounds.next(); next !== undefined; next = rounds.next()) {
            const { id, item } = next
            assert.equal(waiting.find((one) => one.id === id)?.item, item)
            waiting.splice(
              waiting.findIndex((one) => one.item === item),
              1,
            )
            running.push(next)
          }
        }
        for (const one of steps) {
          if (one.do === 'ask') {
            const item = count++
            const taken = rounds.seatsOf(one.cost)
            if (rounds.enter(one.id, taken)) running.push({ id: one.id, seats: taken })
            else if (rounds.queue(one.id, one.cost, item)) waiting.push({ id: one.id, item, seats: taken })
          } else if (one.do === 'release') {
            const back = running.shift()
            if (back !== undefined) rounds.release(back.id, back.seats)
          } else if (waiting.length > 0) {
            const [gone] = waiting.splice(one.at % waiting.length, 1)
            assert.equal(rounds.withdraw(gone!.id, gone!.item), true)
            assert.equal(rounds.withdraw(gone!.id, gone!.item), false)
          }
          drain()
          const used = running.reduce((sum, each) => sum + each.seats, 0)
          assert.equal(rounds.used, used)
          assert.ok(used <= seats + 3 * reserve)
          for (const id of ['a', 'b', 'c']) {
            const mine = running.filter((each) => each.id === id).reduce((sum, each) => sum + each.seats, 0)
            const first = waiting.find((each) => each.id === id)
            assert.ok(first === undefined || mine + first.seats > reserve, 'somebody waits for a seat of its own')
          }
          assert.equal(rounds.waiting, waiting.length)
          assert.ok(waiting.length === 0 || used > 0, 'somebody waits though all is free')
        }
        while (running.length > 0) {
          const { id, seats: back } = running.shift()!
          rounds.release(id, back)
          drain()
        }
        assert.equal(waiting.length, 0)
      }),
      { numRuns: 300 },
    )
  })
})
