/** Compiled patterns as instructions: re2js reads them, they run here, where every step is counted. */
import { RE2JS } from 're2js'
import { refuseHeavy } from '../pattern-weight.ts'

/** Instructions as re2js numbers them. */
const ALT = 1
const ALT_MATCH = 2
const CAPTURE = 3
const EMPTY_WIDTH = 4
const MATCH = 6
const NOP = 7
const RUNE = 8
const RUNE1 = 9
const RUNE_ANY = 10
const RUNE_ANY_NOT_NEWLINE = 11

export interface Instruction {
  /** `rune`: takes a code point. `empty`: passes where the context is right. `split`: both ways, the first preferred. */
  readonly kind: 'rune' | 'empty' | 'split' | 'pass' | 'match' | 'fail'
  readonly out: number
  /** The other way of a split, the context of an empty one. */
  readonly arg: number
  accepts(point: number): boolean
}

export interface RegexProgram {
  readonly start: number
  readonly instructions: readonly Instruction[]
}

interface Raw {
  readonly op: number
  readonly out: number
  readonly arg: number
  readonly runes: ArrayLike<number>
  matchRune(point: number): boolean
}

function never(): boolean {
  return false
}

function convert(raw: Raw): Instruction {
  const { op, out, arg } = raw
  switch (op) {
    case ALT:
    case ALT_MATCH:
      return { kind: 'split', out, arg, accepts: never }
    case CAPTURE:
    case NOP:
      return { kind: 'pass', out, arg, accepts: never }
    case EMPTY_WIDTH:
      return { kind: 'empty', out, arg, accepts: never }
    case MATCH:
      return { kind: 'match', out, arg, accepts: never }
    case RUNE_ANY:
      return { kind: 'rune', out, arg, accepts: () => true }
    case RUNE_ANY_NOT_NEWLINE:
      return { kind: 'rune', out, arg, accepts: (point) => point !== 10 }
    case RUNE1:
    case RUNE:
      return { kind: 'rune', out, arg, accepts: (point) => raw.matchRune(point) }
    default:
      return { kind: 'fail', out, arg, accepts: never }
  }
}

/** @throws Error in Go's words for what is no pattern, or too large a one */
export function readRegex(pattern: string): RegexProgram {
  refuseHeavy(pattern)
  const { prog } = RE2JS.compile(pattern).re2Input
  return { start: prog.start, instructions: (prog.inst as readonly Raw[]).map(convert) }
}

const BEGIN_LINE = 1
const END_LINE = 2
const BEGIN_TEXT = 4
const END_TEXT = 8
const BOUNDARY = 16
const NO_BOUNDARY = 32

function isWord(point: number): boolean {
  return (point >= 97 && point <= 122) || (point >= 65 && point <= 90) || (point >= 48 && point <= 57) || point === 95
}

/** What holds between two code points; -1 stands for the ends of the text. */
export function contextOf(before: number, after: number): number {
  let flags = isWord(before) === isWord(after) ? NO_BOUNDARY : BOUNDARY
  if (before < 0) flags |= BEGIN_TEXT | BEGIN_LINE
  else if (before === 10) flags |= BEGIN_LINE
  if (after < 0) flags |= END_TEXT | END_LINE
  else if (after === 10) flags |= END_LINE
  return flags
}

/** Code points before a place differ in this only. */
export function classOf(before: number): number {
  return before < 0 ? 0 : before === 10 ? 1 : isWord(before) ? 2 : 3
}
