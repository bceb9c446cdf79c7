/** Sizes and costs between a least and a most, saturating as Go's uint64 do: the largest means no bound. */

export interface Range {
  readonly min: number
  readonly max: number
}

export const LIMIT = 2 ** 64

function saturate(value: number): number {
  return Math.min(value, LIMIT)
}

export function range(min: number, max: number): Range {
  return { min, max }
}

export function fixed(value: number): Range {
  return { min: value, max: value }
}

export const ZERO = fixed(0)
export const ONE = fixed(1)
/** Nothing is known. */
export const ANY = range(0, LIMIT)

export function plus(...parts: readonly Range[]): Range {
  let { min, max } = ZERO
  for (const part of parts) {
    min = saturate(min + part.min)
    max = saturate(max + part.max)
  }
  return { min, max }
}

export function times(a: Range, b: Range): Range {
  return { min: saturate(a.min * b.min), max: saturate(a.max * b.max) }
}

/** Each bound times a factor, rounded up. */
export function scaled(a: Range, factor: number): Range {
  return { min: saturate(Math.ceil(a.min * factor)), max: saturate(Math.ceil(a.max * factor)) }
}

export function either(a: Range, b: Range): Range {
  return { min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) }
}
