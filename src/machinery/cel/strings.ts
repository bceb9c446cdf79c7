/** Strings as sequences of code points, which is how CEL counts and orders them. */
import type { Context } from './context.ts'

/** Code points; what is a surrogate alone counts as one. */
export function pointsIn(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count--
      i++
    }
  }
  return count
}

/** The same, charged as work. */
export function runes(c: Context, text: string): number {
  if (text.length > 64) c.labour(text.length >> 2)
  return pointsIn(text)
}

/** Whether every code point is one unit: most texts. */
export function isFlat(text: string): boolean {
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) & 0xf800) === 0xd800) return false
  return true
}

/** Order by code points, which is the order of UTF-8. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    // Surrogates stand above everything else.
    const highX = (x & 0xf800) === 0xd800
    const highY = (y & 0xf800) === 0xd800
    if (highX !== highY) return highX ? 1 : -1
    return x < y ? -1 : 1
  }
  return a.length < b.length ? -1 : 1
}

/** Bytes of the text in UTF-8. */
export function byteLength(c: Context, text: string): number {
  if (text.length > 64) c.labour(text.length >> 6)
  return Buffer.byteLength(text)
}
