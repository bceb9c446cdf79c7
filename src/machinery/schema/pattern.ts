/**
 * Patterns of schemas: RE2, so that matching takes time in proportion to the text. Both factors are a tenant's to
 * choose; what would keep others waiting is refused here, or put off to a step of its own.
 */
import { RE2JS } from 're2js'
import { TOO_LARGE, refuseHeavy } from '../pattern-weight.ts'

/** Characters of a pattern, which its matches cost again and again. */
const MAX_LENGTH = 4096
const MAX_PATTERNS = 2048
/** Characters times instructions of one match: a tenth of a second at worst. */
const MAX_WORK = 1_200_000

const patterns = new Map<string, RE2JS>()

/** A pattern, compiled once in the process. @throws Error in Go's words when it is none, or too large */
export function compilePattern(pattern: string): RE2JS {
  let compiled = patterns.get(pattern)
  if (compiled === undefined) {
    if (pattern.length > MAX_LENGTH) throw new Error(TOO_LARGE)
    refuseHeavy(pattern)
    compiled = RE2JS.compile(pattern)
    if (patterns.size >= MAX_PATTERNS) patterns.delete(patterns.keys().next().value!)
    patterns.set(pattern, compiled)
  }
  return compiled
}

/** What a match costs at most: characters times instructions. */
export function workOf(pattern: RE2JS, text: string): number {
  return (text.length + 1) * pattern.programSize()
}

/** Whether a match may be made at all. */
export const isTooMuch = (work: number): boolean => work > MAX_WORK
