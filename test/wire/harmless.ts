/** Differences between the servers that no client minds, with the reason. */
import type { Shown } from './normalise.ts'

interface Harmless {
  readonly about: RegExp
  readonly reason: string
  /** Makes both the same, where only a part may differ. */
  same?(real: Shown, ours: Shown): boolean
}

const LIST: readonly Harmless[] = []

/** Why this difference is harmless; undefined: it is not, or there is none. */
export function harmless(what: string, real: Shown, ours: Shown): string | undefined {
  return LIST.find(({ about, same }) => about.test(what) && (same === undefined || same(real, ours)))?.reason
}
