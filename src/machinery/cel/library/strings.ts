/** Strings: cel-go's functions, counted in code points. */
import type { Context } from '../context.ts'
import { goValue } from '../gotext.ts'
import type { Implementation, Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { isFlat } from '../strings.ts'
import type { Int } from '../values.ts'
import { ArrayList, Failure, List } from '../values.ts'
import { format } from './format-text.ts'

/** JavaScript strings are not longer; sums of them are refused before. */
const MAX_STRING = 1 << 26

function outOfRange(index: Int): Failure {
  return new Failure(`index out of range: ${index}`)
}

/** A text by code points. */
class Points {
  readonly #text: string
  readonly #points: readonly string[] | undefined
  readonly length: number
  constructor(c: Context, text: string) {
    c.labour(text.length >> 3)
    this.#text = text
    this.#points = isFlat(text) ? undefined : Array.from(text)
    if (this.#points !== undefined) c.labour(text.length * 4)
    this.length = this.#points?.length ?? text.length
  }
  slice(from: number, to: number): string {
    return this.#points === undefined ? this.#text.slice(from, to) : this.#points.slice(from, to).join('')
  }
  /** Units before a code point. */
  unit(point: number): number {
    return this.#points === undefined ? point : this.slice(0, point).length
  }
  /** Code points before a unit. */
  point(unit: number): number {
    return this.#points === undefined ? unit : Array.from(this.#text.slice(0, unit)).length
  }
}

function charAt(c: Context, text: string, index: Int): unknown {
  const points = new Points(c, text)
  if (index < 0 || index > points.length) return outOfRange(index)
  return points.slice(Number(index), Number(index) + 1)
}

function indexOf(c: Context, text: string, part: string, offset: Int = 0): unknown {
  if (offset < 0) return outOfRange(offset)
  const points = new Points(c, text)
  if (part === '') return offset > points.length ? points.length : offset
  if (offset >= points.length) return -1
  c.labour((text.length + part.length) >> 4)
  const found = text.indexOf(part, points.unit(Number(offset)))
  return found === -1 ? -1 : points.point(found)
}

function lastIndexOf(c: Context, text: string, part: string, offset?: Int): unknown {
  const points = new Points(c, text)
  if (offset === undefined) {
    if (part === '') return points.length
    if (Buffer.byteLength(text) < Buffer.byteLength(part)) return -1
  }
  const from = offset ?? points.length - 1
  if (from < 0) return outOfRange(from)
  if (part === '') return from > points.length ? points.length : from
  if (from >= points.length) return -1
  c.labour((text.length + part.length) >> 3)
  const found = text.lastIndexOf(part, points.unit(Number(from)))
  return found === -1 ? -1 : points.point(found)
}

function substring(c: Context, text: string, start: Int, end?: Int): unknown {
  const points = new Points(c, text)
  if (end !== undefined && start > end) {
    return new Failure(`invalid substring range. start: ${start}, end: ${end}`)
  }
  if (start < 0 || start > points.length) return outOfRange(start)
  if (end !== undefined && (end < 0 || end > points.length)) return outOfRange(end)
  return points.slice(Number(start), end === undefined ? points.length : Number(end))
}

/** `strings.Replace`: all when `count` is negative; an empty `old` stands between all code points. */
function replace(c: Context, text: string, old: string, by: string, count: Int = -1): unknown {
  c.labour((text.length + old.length) >> 3)
  if (old === by || count === 0) return text
  const limit = count < 0 ? Number.POSITIVE_INFINITY : Number(count)
  const pieces: string[] = []
  const cost = () => {
    c.labour(8 + (by.length >> 5))
    length += by.length
    return length > MAX_STRING
  }
  let { length } = text
  let done = 0
  if (old === '') {
    for (const point of text) {
      if (done < limit) {
        done++
        if (cost()) return new Failure('string too long')
        pieces.push(by)
      }
      pieces.push(point)
    }
    if (done < limit) pieces.push(by)
    return pieces.join('')
  }
  let at = 0
  for (let found = text.indexOf(old); found !== -1 && done < limit; found = text.indexOf(old, at)) {
    if (cost()) return new Failure('string too long')
    pieces.push(text.slice(at, found), by)
    at = found + old.length
    done++
  }
  pieces.push(text.slice(at))
  return pieces.join('')
}

/** `strings.SplitN`: an empty separator parts all code points. */
function split(c: Context, text: string, separator: string, count: Int = -1): unknown {
  c.labour((text.length + separator.length) >> 3)
  if (count === 0) return new ArrayList([])
  const limit = count < 0 ? Number.POSITIVE_INFINITY : Number(count)
  if (separator === '') {
    c.labour(text.length * 4)
    const points = Array.from(text)
    if (points.length <= limit) return new ArrayList(points)
    return new ArrayList([...points.slice(0, limit - 1), points.slice(limit - 1).join('')])
  }
  const pieces: string[] = []
  let at = 0
  while (pieces.length < limit - 1) {
    const found = text.indexOf(separator, at)
    if (found === -1) break
    c.labour(8)
    pieces.push(text.slice(at, found))
    at = found + separator.length
  }
  pieces.push(text.slice(at))
  return new ArrayList(pieces)
}

function join(c: Context, list: List, separator = ''): unknown {
  const pieces: string[] = []
  let length = 0
  for (let i = 0; i < list.length; i++) {
    const item = list.at(i)
    if (typeof item !== 'string') return new Failure(`join: invalid input: ${goValue(item)}`)
    c.labour(5 + ((item.length + separator.length) >> 4))
    length += item.length + separator.length
    if (length > MAX_STRING) return new Failure('string too long')
    pieces.push(item)
  }
  return pieces.join(separator)
}

const QUOTED: Readonly<Record<string, string>> = {
  '\u0007': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
}

function quote(c: Context, text: string): unknown {
  c.labour(text.length >> 2)
  // oxlint-disable-next-line no-control-regex -- bells are quoted
  return `"${text.toWellFormed().replaceAll(/[\u0007\b\f\n\r\t\v\\"]/g, (one) => QUOTED[one]!)}"`
}

/** Go's `unicode.IsSpace`. */
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/

function trim(c: Context, text: string): unknown {
  c.labour(text.length >> 3)
  let start = 0
  let end = text.length
  while (start < end && SPACE.test(text[start]!)) start++
  while (end > start && SPACE.test(text[end - 1]!)) end--
  return text.slice(start, end)
}

function mapAscii(letters: RegExp, change: (text: string) => string): Implementation {
  return (c, text: string) => {
    c.labour(text.length >> 3)
    return text.replaceAll(letters, change)
  }
}

export const STRINGS: readonly Overload[] = [
  overload('charAt', 'string_char_at_int', 'string.(int): string', charAt),
  overload('indexOf', 'string_index_of_string', 'string.(string): int', indexOf),
  overload('indexOf', 'string_index_of_string_int', 'string.(string, int): int', indexOf),
  overload('lastIndexOf', 'string_last_index_of_string', 'string.(string): int', lastIndexOf),
  overload('lastIndexOf', 'string_last_index_of_string_int', 'string.(string, int): int', lastIndexOf),
  overload(
    'lowerAscii',
    'string_lower_ascii',
    'string.(): string',
    mapAscii(/[A-Z]+/g, (one) => one.toLowerCase()),
  ),
  overload(
    'upperAscii',
    'string_upper_ascii',
    'string.(): string',
    mapAscii(/[a-z]+/g, (one) => one.toUpperCase()),
  ),
  overload('replace', 'string_replace_string_string', 'string.(string, string): string', replace),
  overload('replace', 'string_replace_string_string_int', 'string.(string, string, int): string', replace),
  overload('split', 'string_split_string', 'string.(string): list(string)', split),
  overload('split', 'string_split_string_int', 'string.(string, int): list(string)', split),
  overload('substring', 'string_substring_int', 'string.(int): string', substring),
  overload('substring', 'string_substring_int_int', 'string.(int, int): string', substring),
  overload('trim', 'string_trim', 'string.(): string', trim),
  overload('format', 'string_format', 'string.(list(dyn)): string', format),
  overload('strings.quote', 'strings_quote', '(string): string', quote),
  overload('join', 'list_join', 'list(string).(): string', join),
  overload('join', 'list_join_string', 'list(string).(string): string', join),
]
