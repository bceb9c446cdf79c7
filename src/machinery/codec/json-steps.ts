/**
 * JSON in steps, for objects of so many members that `JSON.parse` and `JSON.stringify` would keep the event loop for
 * long. Both know nothing but the texts that `JSON.stringify` writes: no spaces, no key twice, nothing that is wrong.
 */
import type { Steps } from '../schema/steps.ts'
import { setOwn } from './exact.ts'
import { WIDE, close, keysOf } from './wide.ts'

/** Values or members of one step: a twentieth of a millisecond. */
const STRIDE = 128
/** Longer texts are cut out of the document's memory, which would live as long as they do. */
const SLICED = 12
/** A number with fewer characters is held exactly by a double. */
const EXACT_CHARACTERS = 16
/** Characters that are joined at a time, and of a longer text in one step. */
const JOINED = 16_384

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const COMMA = 0x2c
const COLON = 0x3a

type Container = unknown[] | Record<string, unknown>

/** A container that is being read. */
interface Open {
  readonly value: Container
  /** Of an object: the key whose value comes next. */
  name: string
  count: number
  /** Its keys so far, when they are many. */
  keys: string[] | undefined
}

/** Whether what is in these may get more members on the event loop. */
const isOfRegistry = (open: readonly Open[]): boolean =>
  open.length === 0 || (open.length <= 2 && open[0]!.name === 'metadata')

/**
 * The value of a text that `JSON.stringify` wrote. Integers that a double cannot hold come as raw JSON. What has very
 * many members takes no more of them, unless it is the whole, its metadata, or the labels and the like, which the
 * registry writes into.
 * @throws SyntaxError for any other text
 */
export function* parseInSteps(text: string): Steps<unknown> {
  const open: Open[] = []
  let frame: Open | undefined
  let at = 0
  let value: unknown

  const unexpected = (): SyntaxError => new SyntaxError(`not what JSON.stringify writes, at ${at}`)
  /** The text that begins at `at`. */
  const string = (): string => {
    let end = at + 1
    let plain = true
    for (; ; end++) {
      const c = text.charCodeAt(end)
      if (c === QUOTE) break
      if (c === BACKSLASH) {
        plain = false
        end++
      } else if (Number.isNaN(c)) throw unexpected()
    }
    const start = at
    at = end + 1
    return plain && end - start <= SLICED ? text.slice(start + 1, end) : (JSON.parse(text.slice(start, at)) as string)
  }
  const key = (): string => {
    if (text.charCodeAt(at) !== QUOTE) throw unexpected()
    const out = string()
    if (text.charCodeAt(at++) !== COLON) throw unexpected()
    return out
  }
  const scalar = (): unknown => {
    let end = at
    for (; end < text.length; end++) {
      const c = text.charCodeAt(end)
      if (c === COMMA || c === CLOSE_LIST || c === CLOSE_OBJECT) break
    }
    const word = text.slice(at, end)
    at = end
    const out: unknown = JSON.parse(word)
    if (word.length < EXACT_CHARACTERS || Number.isSafeInteger(out) || !/^-?\d{16,19}$/.test(word)) return out
    const exact = BigInt(word)
    return BigInt.asIntN(64, exact) === exact ? JSON.rawJSON(word) : out
  }

  for (let count = 1; ; count++) {
    if (count % STRIDE === 0) yield
    const c = text.charCodeAt(at)
    if (c === OPEN_OBJECT || c === OPEN_LIST) {
      const made: Container = c === OPEN_OBJECT ? {} : []
      at++
      if (text.charCodeAt(at) !== c + 2) {
        if (frame !== undefined) open.push(frame)
        frame = { value: made, name: c === OPEN_OBJECT ? key() : '', count: 0, keys: undefined }
        continue
      }
      at++
      value = made
    } else value = c === QUOTE ? string() : scalar()

    for (;;) {
      if (frame === undefined) {
        if (at < text.length) throw unexpected()
        return value
      }
      const { value: container, name } = frame
      const list = Array.isArray(container)
      if (list) container.push(value)
      else {
        setOwn(container, name, value)
        if (++frame.count === WIDE) frame.keys = Object.keys(container)
        else frame.keys?.push(name)
      }
      const next = text.charCodeAt(at++)
      if (next === COMMA) {
        if (!list) frame.name = key()
        break
      }
      if (next !== (list ? CLOSE_LIST : CLOSE_OBJECT)) throw unexpected()
      if (frame.keys !== undefined && !isOfRegistry(open)) close(container, frame.keys)
      value = container
      frame = open.pop()
    }
  }
}

interface Frame {
  readonly value: Container
  /** Absent for lists. */
  readonly keys: readonly string[] | undefined
  /** The next member. */
  at: number
  /** Whether nothing was written of it yet. */
  first: boolean
}

const isHigh = (c: number): boolean => (c & 0xfc00) === 0xd800
const isLow = (c: number): boolean => (c & 0xfc00) === 0xdc00

/** A long text in pieces, none of which ends between the halves of a character. */
function* slices(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = at + JOINED
    if (isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end))) end++
    yield text.slice(at, end)
    at = end
  }
}

/** What `JSON.stringify` writes of a JSON value. Members that are `undefined` are left out. */
export function* stringifyInSteps(root: unknown): Steps<string> {
  const chunks: string[] = []
  let parts: string[] = []
  let size = 0
  const put = (part: string): void => {
    parts.push(part)
    size += part.length
    if (size < JOINED) return
    chunks.push(parts.join(''))
    parts = []
    size = 0
  }
  const stack: Frame[] = []
  /** Writes a scalar, or opens a container; a long text is the caller's to write. */
  const begin = (before: string, value: unknown): string | undefined => {
    if (typeof value === 'string' && value.length > JOINED) {
      put(before)
      return value
    }
    if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) {
      put(before + JSON.stringify(value))
      return undefined
    }
    const keys = Array.isArray(value) ? undefined : keysOf(value)
    put(before + (keys === undefined ? '[' : '{'))
    stack.push({ value: value as Container, keys, at: 0, first: true })
    return undefined
  }
  const long = function* (text: string): Steps<void> {
    put('"')
    for (const piece of slices(text)) {
      put(JSON.stringify(piece).slice(1, -1))
      yield
    }
    put('"')
  }
  let left = begin('', root)
  if (left !== undefined) yield* long(left)
  for (let count = 1; stack.length > 0; count++) {
    if (count % STRIDE === 0) yield
    const frame = stack.at(-1)!
    const { value, keys } = frame
    const at = frame.at++
    if (keys === undefined) {
      const list = value as unknown[]
      if (at < list.length) left = begin(at === 0 ? '' : ',', list[at] ?? null)
      else {
        put(']')
        stack.pop()
      }
    } else if (at < keys.length) {
      const item = (value as Record<string, unknown>)[keys[at]!]
      if (item === undefined) continue
      left = begin(`${frame.first ? '' : ','}${JSON.stringify(keys[at])}:`, item)
      frame.first = false
    } else {
      put('}')
      stack.pop()
    }
    if (left !== undefined) yield* long(left)
    left = undefined
  }
  chunks.push(parts.join(''))
  return chunks.join('')
}
