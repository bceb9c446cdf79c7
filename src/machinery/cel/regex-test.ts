/** Whether a text has a match: an automaton whose states are made when they are first met. */
import type { Context } from './context.ts'
import type { RegexProgram } from './regex-program.ts'
import { classOf, contextOf } from './regex-program.ts'

/** States of all patterns together; all are forgotten when there are more. */
const MAX_STATES = 20_000

let states = 0
let generation = 0

/** A set of places in the program, before what may pass there without a code point. */
interface State {
  readonly places: readonly number[]
  /** Of the code point before. */
  readonly before: number
  /** By code point, -1 at the end of the text. `true`: there is a match. */
  readonly ascii: (State | true | undefined)[]
  readonly others: Map<number, State | true>
}

/** Representatives of the classes of code points before a place. */
const REPRESENTATIVES = [-1, 10, 97, 32] as const

export class RegexTest {
  readonly #program: RegexProgram
  #known = new Map<string, State>()
  #generation = -1
  /** Marks of places that a closure has met. */
  readonly #marks: Int32Array
  #mark = 0

  constructor(program: RegexProgram) {
    this.#program = program
    this.#marks = new Int32Array(program.instructions.length)
  }

  test(c: Context, text: string): boolean {
    // Half a unit a character, in pieces: a match may come early.
    if (states > MAX_STATES) {
      states = 0
      generation++
    }
    if (this.#generation !== generation) {
      this.#generation = generation
      this.#known = new Map()
    }
    let state = this.#state([this.#program.start], 0)
    for (let i = 0; i < text.length;) {
      if ((i & 1023) === 0) c.labour(Math.min(text.length - i, 1024) >> 1)
      let point = text.charCodeAt(i++)
      let next: State | true | undefined
      if (point < 128) next = state.ascii[point]
      else {
        if ((point & 0xfc00) === 0xd800 && i < text.length) {
          point = text.codePointAt(i - 1)!
          if (point > 0xffff) {
            i++
            if ((i & 1023) === 1) c.labour(512)
          }
        }
        next = state.others.get(point)
      }
      next ??= this.#step(c, state, point)
      if (next === true) return true
      state = next
    }
    return (state.others.get(-1) ?? this.#step(c, state, -1)) === true
  }

  #state(places: readonly number[], before: number): State {
    const key = `${before}:${places.join(',')}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    states++
    const made: State = { places, before, ascii: [], others: new Map() }
    this.#known.set(key, made)
    return made
  }

  /** Where a code point leads to; a match when one ends before it. */
  #step(c: Context, state: State, point: number): State | true {
    const context = contextOf(REPRESENTATIVES[state.before]!, point)
    const { instructions, start } = this.#program
    const next: number[] = []
    const mark = ++this.#mark
    const pending = [...state.places]
    let matched = false
    let steps = 0
    while (pending.length > 0) {
      const at = pending.pop()!
      if (this.#marks[at] === mark) continue
      this.#marks[at] = mark
      steps++
      const one = instructions[at]!
      switch (one.kind) {
        case 'match':
          matched = true
          pending.length = 0
          break
        case 'split':
          pending.push(one.arg, one.out)
          break
        case 'pass':
          pending.push(one.out)
          break
        case 'empty':
          if ((one.arg & ~context) === 0) pending.push(one.out)
          break
        case 'rune':
          if (point >= 0 && one.accepts(point)) next.push(one.out)
      }
    }
    // A new state is sorted and named: dear for many places.
    c.labour(20 + steps * 4 + next.length * 30)
    let result: State | true = true
    if (!matched) {
      // A match may start anywhere.
      const places = Array.from(new Set([...next, start])).sort((a, b) => a - b)
      result = this.#state(places, classOf(point))
    }
    if (point >= 0 && point < 128) state.ascii[point] = result
    else if (state.others.size < 1000) state.others.set(point, result)
    return result
  }
}
