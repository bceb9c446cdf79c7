/** Where the first match of a text is: the leftmost, and of those the one that the pattern prefers. */
import type { Context } from './context.ts'
import type { RegexProgram } from './regex-program.ts'
import { contextOf } from './regex-program.ts'

export interface Found {
  readonly start: number
  readonly end: number
}

/** Threads in the order of preference: where each is, and where its match began. */
class Threads {
  readonly places: Int32Array
  readonly starts: Int32Array
  length = 0
  constructor(size: number) {
    this.places = new Int32Array(size)
    this.starts = new Int32Array(size)
  }
}

export class RegexFinder {
  readonly #program: RegexProgram
  readonly #marks: Int32Array
  #mark = 0
  #now: Threads
  #next: Threads

  constructor(program: RegexProgram) {
    const size = program.instructions.length
    this.#program = program
    this.#marks = new Int32Array(size)
    this.#now = new Threads(size)
    this.#next = new Threads(size)
  }

  /** From a place on; undefined when there is none. */
  find(c: Context, text: string, from: number): Found | undefined {
    const { start, instructions } = this.#program
    let found: Found | undefined
    let before = from === 0 ? -1 : pointBefore(text, from)
    this.#now.length = 0
    let seen = ++this.#mark
    for (let i = from; ;) {
      const point = i < text.length ? text.codePointAt(i)! : -1
      const context = contextOf(before, point)
      if (found === undefined) this.#add(c, this.#now, start, i, context, seen)
      if (this.#now.length === 0 && (found !== undefined || point < 0)) return found
      const width = point > 0xffff ? 2 : 1
      const following = point < 0 ? 0 : contextOf(point, i + width < text.length ? text.codePointAt(i + width)! : -1)
      const marked = ++this.#mark
      this.#next.length = 0
      c.labour(15 + this.#now.length * 3)
      for (let t = 0; t < this.#now.length; t++) {
        const one = instructions[this.#now.places[t]!]!
        if (one.kind === 'match') {
          found = { start: this.#now.starts[t]!, end: i }
          // What is preferred less does not matter any more.
          break
        }
        if (point >= 0 && one.accepts(point)) {
          this.#add(c, this.#next, one.out, this.#now.starts[t]!, following, marked)
        }
      }
      if (point < 0) return found
      ;[this.#now, this.#next] = [this.#next, this.#now]
      seen = marked
      before = point
      i += width
    }
  }

  /** Adds a thread at a place, or at all that can be reached from it without a code point. */
  #add(c: Context, threads: Threads, place: number, start: number, context: number, mark: number): void {
    const pending = [place]
    let steps = 0
    while (pending.length > 0) {
      const at = pending.pop()!
      if (this.#marks[at] === mark) continue
      this.#marks[at] = mark
      steps++
      const one = this.#program.instructions[at]!
      switch (one.kind) {
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
        case 'match':
          threads.places[threads.length] = at
          threads.starts[threads.length] = start
          threads.length++
      }
    }
    c.labour(steps * 3)
  }
}

function pointBefore(text: string, at: number): number {
  const unit = text.charCodeAt(at - 1)
  return (unit & 0xfc00) === 0xdc00 && at > 1 ? (text.codePointAt(at - 2) ?? unit) : unit
}
