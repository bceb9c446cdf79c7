/** Regular expressions of RE2: linear time, whatever the pattern, and every step is charged. */
import type { Context } from './context.ts'
import { RegexFinder } from './regex-find.ts'
import { readRegex } from './regex-program.ts'
import { RegexTest } from './regex-test.ts'
import { Failure } from './values.ts'

const MAX_PATTERNS = 1000
/** Longer patterns are compiled anew: they are rare, and would fill the memory. */
const MAX_KEPT = 1000

/** A compiled pattern. Searches hold no state of an evaluation, only what they have learnt of the pattern. */
export class Regex {
  readonly #tester: RegexTest
  readonly #finder: RegexFinder
  constructor(pattern: string) {
    const program = readRegex(pattern)
    this.#tester = new RegexTest(program)
    this.#finder = new RegexFinder(program)
  }

  test(c: Context, text: string): boolean {
    return this.#tester.test(c, text)
  }

  /** The first match, empty when there is none. */
  find(c: Context, text: string): string {
    const found = this.#finder.find(c, text, 0)
    return found === undefined ? '' : text.slice(found.start, found.end)
  }

  /** The first `limit` matches; all when it is negative. */
  findAll(c: Context, text: string, limit: number): string[] {
    const matches: string[] = []
    let at = 0
    let last = -1
    while (at <= text.length && (limit < 0 || matches.length < limit)) {
      c.labour(5)
      const found = this.#finder.find(c, text, at)
      if (found === undefined) break
      const { start, end } = found
      // Go leaves out an empty match right after another match.
      if (end > start || start !== last) matches.push(text.slice(start, end))
      last = end
      at = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1)
    }
    return matches
  }
}

const compiled = new Map<string, Regex | Failure>()

/** A compiled pattern; a Failure in Go's words when it is none. A pattern that is not known yet is charged to `c`. */
export function compileRegex(pattern: string, c?: Context): Regex | Failure {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  c?.labour(10_000 + pattern.length * 300)
  let made: Regex | Failure
  try {
    made = new Regex(pattern)
  } catch (error) {
    made = new Failure((error as Error).message)
  }
  if (pattern.length <= MAX_KEPT) {
    if (compiled.size >= MAX_PATTERNS) compiled.delete(compiled.keys().next().value!)
    compiled.set(pattern, made)
  }
  return made
}
