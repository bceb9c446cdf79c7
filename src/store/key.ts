/**
 * Keys are `<group or core>/<resource>/<namespace or empty>/<name>`, ordered as their UTF-8 bytes are. A key's bucket
 * is everything up to the second slash, that slash included.
 */

/** -1, 0 or 1: the order of the UTF-8 bytes, which is the order of code points and not of UTF-16 units. */
export function compareKeys(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) < rank(y) ? -1 : 1
  }
  return a.length === b.length ? 0 : a.length < b.length ? -1 : 1
}

/** Surrogates stand for code points above all other units. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}

/** -1 before, 0 among, 1 behind the keys that begin with `prefix`. */
function comparePrefix(key: string, prefix: string): number {
  return key.startsWith(prefix) ? 0 : compareKeys(key, prefix)
}

export function isBefore(key: string, bound: string): boolean {
  return compareKeys(key, bound) < 0
}

export function isNotBehind(key: string, prefix: string): boolean {
  return comparePrefix(key, prefix) <= 0
}

/** Index of the first key for which `test` no longer holds; it must hold for a leading part of `keys` only. */
export function partition(
  keys: readonly string[],
  test: (key: string, bound: string) => boolean,
  bound: string,
  low = 0,
): number {
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (test(keys[middle]!, bound)) low = middle + 1
    else high = middle
  }
  return low
}

/** The bucket of a key or of a prefix that reaches that far, else undefined. */
export function bucketOf(key: string): string | undefined {
  const first = key.indexOf('/')
  const second = first < 0 ? -1 : key.indexOf('/', first + 1)
  return second < 0 ? undefined : key.slice(0, second + 1)
}

/** @throws TypeError */
export function checkKey(key: string): void {
  if (bucketOf(key) === undefined) throw new TypeError(`key ${JSON.stringify(key)} has no group and resource`)
  // Lone surrogates have no UTF-8 form: two such keys would be one on disk.
  if (!key.isWellFormed()) throw new TypeError(`key ${JSON.stringify(key)} is not well-formed`)
}
