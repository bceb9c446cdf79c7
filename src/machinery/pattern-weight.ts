/**
 * What it takes to compile a pattern of RE2, before it is done: a compilation cannot be interrupted, and one of 100,000
 * characters that tenants choose takes seconds.
 */

/** Heavier patterns are not compiled: a step of the event loop is bounded. */
const MAX_WEIGHT = 25_000
/** In Go's words. */
export const TOO_LARGE = 'error parsing regexp: expression too large'

/** @throws Error in Go's words when compiling would take too long */
export function refuseHeavy(pattern: string): void {
  if (patternWeight(pattern) > MAX_WEIGHT) throw new Error(TOO_LARGE)
}

/** Of a class of Unicode, and of one that is turned around; more where letters stand for both cases. */
const CLASS = 28
const FOLDED = 80
const NEGATED = 30

/** What a part takes to read, and its instructions, which repetitions multiply: a microsecond each. */
interface Part {
  read: number
  made: number
}

/** About the microseconds that compiling takes. Too much rather than too little. */
export function patternWeight(pattern: string): number {
  const property = /\(\?[a-zA-Z]*i/.test(pattern) ? FOLDED : CLASS
  /** Of the groups that are open, what stands before them. */
  const outer: Part[] = []
  let sum: Part = { read: 0, made: 0 }
  /** What a repetition would repeat. */
  let last: Part = { read: 0, made: 0 }
  const add = (read: number, made = 1): void => {
    sum.read += last.read
    sum.made += last.made
    last.read = read
    last.made = made
  }
  for (let i = 0; i < pattern.length; i++) {
    switch (pattern[i]) {
      case '\\':
        i++
        add(pattern[i] === 'p' || pattern[i] === 'P' ? property : 1)
        break
      case '[': {
        const end = classEnd(pattern, i)
        const properties = pattern.slice(i, end).split(/\\[pP]/).length - 1
        const ranges = (end - i) * (property === FOLDED ? 12 : 0.5)
        add(2 + ranges + properties * property + (pattern[i + 1] === '^' ? NEGATED : 0))
        i = end
        break
      }
      case '(':
        add(0, 0)
        outer.push(sum)
        sum = { read: 1, made: 0 }
        break
      case ')':
        add(1, 2)
        add(0, 0)
        last = sum
        sum = outer.pop() ?? { read: 0, made: 0 }
        break
      case '{': {
        const [all, least = '', most = ''] = /^\{(\d{1,4})(?:,(\d{0,4}))?\}/.exec(pattern.slice(i, i + 12)) ?? []
        if (all === undefined) {
          add(1)
          break
        }
        last.made *= Math.max(1, Number(least), Number(most))
        i += all.length - 1
        break
      }
      case '*':
      case '+':
      case '?':
      case '|':
        last.read += 1
        last.made += 2
        break
      default:
        add(0)
    }
  }
  return [...outer, sum, last].reduce((total, { read, made }) => total + read + made, 0)
}

/** Where the class that starts at `from` ends. */
function classEnd(pattern: string, from: number): number {
  let i = from + 1
  if (pattern[i] === '^') i++
  // A bracket that comes first is one of the class.
  if (pattern[i] === ']') i++
  for (; i < pattern.length; i++) {
    if (pattern[i] === '\\') i++
    else if (pattern[i] === '[' && pattern[i + 1] === ':') i = Math.max(i, pattern.indexOf(':]', i) + 1)
    else if (pattern[i] === ']') return i
  }
  return pattern.length
}
