/**
 * Strict JSON: what Go's decoder accepts, with duplicate keys found, integers beyond 2^53 kept exactly and a bounded
 * depth. `__proto__` is an ordinary key (JSON.parse makes it an own property).
 */
import { DecodeError } from './error.ts'
import { ExactParser } from './exact.ts'

/** A decoded document. */
export interface Decoded {
  readonly value: unknown
  /** What strict decoding says of keys that stand more than once in one object. The last value counts. */
  readonly problems: readonly string[]
}

/** Objects and lists may be nested this deep; Kubernetes' own limit lies at 10,000, where JavaScript's stack ends. */
export const MAX_DEPTH = 1000

const NONE: readonly string[] = []

/**
 * Decodes one JSON document. Integers that a double cannot hold come as raw JSON (`JSON.isRawJSON`), which
 * `JSON.stringify` writes back unchanged.
 *
 * @throws DecodeError with the text of Go's decoder.
 */
export function decodeJson(text: string): Decoded {
  const keys = countKeysInText(text)
  if (keys === NEEDS_CARE) return new ExactParser(text, MAX_DEPTH).parse()
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The exact parser finds the same error and words it as Go does.
    return new ExactParser(text, MAX_DEPTH).parse()
  }
  if (keys !== countKeys(value)) return new ExactParser(text, MAX_DEPTH).parse()
  return { value, problems: NONE }
}

/**
 * What strict decoding says of a document that is known to be JSON, in the order of the document: keys that stand more
 * than once, and the fields of `unknown` (paths), whose values are not looked into.
 */
export function strictProblems(text: string, unknown: readonly string[]): readonly string[] {
  return new ExactParser(text, MAX_DEPTH, new Set(unknown)).parse().problems
}

/** Like {@link decodeJson} for bytes; what is no UTF-8 becomes U+FFFD, as in Go, which names single bytes in errors. */
export function decodeJsonBytes(bytes: Buffer): Decoded {
  try {
    return decodeJson(bytes.toString('utf8'))
  } catch (error) {
    // The first byte of U+FFFD, which stands for any byte.
    if (error instanceof DecodeError && error.message.startsWith("invalid character 'ï'")) {
      new ExactParser(bytes.toString('latin1'), MAX_DEPTH, new Set(), true).parse()
    }
    throw error
  }
}

/** Whether a value is an integer that a double cannot hold. */
export function isRawNumber(value: unknown): value is { readonly rawJSON: string } {
  return JSON.isRawJSON(value)
}

/** The word that Go uses for a JSON value in errors. */
export function jsonTypeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'bool'
    case 'number':
      return 'number'
    default:
      return isRawNumber(value) ? 'number' : 'object'
  }
}

const NEEDS_CARE = -1
/** A number with fewer characters is held exactly by a double. */
const EXACT_CHARACTERS = 15
/** Characters of a text that are looked at one by one; the rest of a longer one is passed at the speed of memory. */
const NEAR = 64

/**
 * The number of keys in a document, or NEEDS_CARE where JSON.parse would not do: long numbers, escaped surrogates,
 * nesting beyond the limit.
 */
function countKeysInText(text: string): number {
  const length = text.length
  let keys = 0
  let depth = 0
  // The next ones, once they were looked for.
  let quote = -1
  let escape = -1
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x22) {
      i++
      inside: for (;;) {
        const near = Math.min(length, i + NEAR)
        for (; i < near; i++) {
          const s = text.charCodeAt(i)
          if (s === 0x22) break inside
          if (s !== 0x5c) continue
          i++
          // \uD8xx: half of a surrogate pair may stand alone.
          if (text.charCodeAt(i) === 0x75 && (text.charCodeAt(i + 1) | 0x20) === 0x64) return NEEDS_CARE
        }
        if (i >= length) break
        if (quote < i) quote = placeOf(text, '"', i)
        if (escape < i) escape = placeOf(text, '\\', i)
        i = Math.min(quote, escape)
      }
    } else if (c === 0x3a) keys++
    else if (c === 0x7b || c === 0x5b) {
      if (++depth > MAX_DEPTH) return NEEDS_CARE
    } else if (c === 0x7d || c === 0x5d) depth--
    else if (c >= 0x30 && c <= 0x39) {
      const start = i
      for (; i + 1 < length; i++) {
        const n = text.charCodeAt(i + 1)
        // An exponent may pass what a double holds.
        if (n === 0x65 || n === 0x45) return NEEDS_CARE
        if ((n < 0x30 || n > 0x39) && n !== 0x2e) break
      }
      if (i - start >= EXACT_CHARACTERS) return NEEDS_CARE
    }
  }
  return keys
}

function placeOf(text: string, sign: string, from: number): number {
  const at = text.indexOf(sign, from)
  return at < 0 ? text.length : at
}

function countKeys(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item: unknown = value[i]
      if (typeof item === 'object') keys += countKeys(item)
    }
    return keys
  }
  // What JSON.parse made has no enumerable keys but its own.
  for (const key in value) {
    keys++
    const item = (value as Record<string, unknown>)[key]
    if (typeof item === 'object') keys += countKeys(item)
  }
  return keys
}
