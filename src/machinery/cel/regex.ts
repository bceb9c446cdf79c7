/** Regular expressions of RE2: linear time, whatever the pattern. */
import { RE2JS } from 're2js'
import type { Context } from './context.ts'
import { Failure } from './values.ts'

export type Regex = RE2JS

const MAX_PATTERNS = 1000
/** Longer patterns are compiled anew: they are rare, and would fill the memory. */
const MAX_KEPT = 1000

const compiled = new Map<string, Regex | Failure>()

/** A compiled pattern; a Failure in Go's words when it is none. */
export function compileRegex(pattern: string): Regex | Failure {
  const known = compiled.get(pattern)
  if (known !== undefined) return known
  let made: Regex | Failure
  try {
    made = RE2JS.compile(pattern)
  } catch (error) {
    made = new Failure((error as Error).message)
  }
  if (pattern.length <= MAX_KEPT) {
    if (compiled.size >= MAX_PATTERNS) compiled.delete(compiled.keys().next().value!)
    compiled.set(pattern, made)
  }
  return made
}

/** What looking through a text costs beyond upstream's units. */
function chargeSearch(c: Context, regex: Regex, text: string): void {
  c.labour(((text.length + 1) * (30 + regex.programSize())) >> 1)
}

export function regexMatches(c: Context, regex: Regex, text: string): boolean {
  chargeSearch(c, regex, text)
  return regex.matcher(text).find()
}

export function regexFind(c: Context, regex: Regex, text: string): string {
  chargeSearch(c, regex, text)
  const matcher = regex.matcher(text)
  return matcher.find() ? (matcher.group() ?? '') : ''
}

/** The first `limit` matches; all when it is negative. */
export function regexFindAll(c: Context, regex: Regex, text: string, limit: number): string[] {
  chargeSearch(c, regex, text)
  const found: string[] = []
  const matcher = regex.matcher(text)
  // Go leaves out an empty match right after another match.
  let end = -1
  while ((limit < 0 || found.length < limit) && matcher.find()) {
    if (matcher.end() === matcher.start() && matcher.start() === end) continue
    end = matcher.end()
    found.push(matcher.group() ?? '')
    c.labour(5)
  }
  return found
}
