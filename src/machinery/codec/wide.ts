/**
 * Keys of objects of very many members. JavaScript tells them all at once, which takes a quarter of a microsecond each
 * and cannot be cut into steps; so who makes such an object in steps leaves its keys here.
 */

/** Members from which on an object is wide: its keys take a millisecond. */
export const WIDE = 4096

const known = new WeakMap<object, readonly string[]>()

/**
 * Remembers the keys of an object. It takes no new ones from now on (adding throws); members may change and go.
 * @param keys all of its own, in JavaScript's order
 */
export function close(object: object, keys: readonly string[]): void {
  Object.preventExtensions(object)
  known.set(object, keys)
}

/** The keys of an object, and those it once had and lost: their members are `undefined`. */
export function keysOf(object: object): readonly string[] {
  return known.get(object) ?? Object.keys(object)
}
