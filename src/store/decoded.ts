/**
 * Decoded forms of entries are kept while they are new or were read lately: an object takes two to four times the memory
 * of its bytes, and most objects of a large cluster are at rest. One bound for the whole process, and a smaller one once
 * the process is at rest; what falls out is decoded again when somebody reads it.
 */
import type { Entry } from './contract.ts'

/**
 * Bytes of the entries whose decoded forms are kept. Whoever goes through more objects than that again and again, as
 * kubelets do, decodes each one for each write.
 */
const MAX_BYTES = 24 << 20
/** Those that are kept at rest. */
const RESTING_BYTES = 4 << 20

/** Places of the smallest ring. */
const SLOTS = 1024

/** Entries whose bytes are counted. */
const kept = new Set<Entry>()
/** The order in which they came, with some that were dropped since. A ring that grows: the oldest is at `first`. */
let ring: (Entry | undefined)[] = Array.from({ length: SLOTS })
let first = 0
let count = 0
let bytes = 0

/** Says that an entry has got its decoded form. */
export function keepDecoded(entry: Entry): void {
  if (kept.has(entry)) return
  if (count === ring.length) makeRoom()
  kept.add(entry)
  ring[(first + count) % ring.length] = entry
  count++
  bytes += entry.bytes.length
  while (bytes > MAX_BYTES && count > 1) forget()
}

/** Nobody is in a hurry: most decoded forms make room. Gives the bytes of the entries that lost theirs. */
export function restDecoded(): number {
  const before = bytes
  while (bytes > RESTING_BYTES && count > 1) forget()
  return before - bytes
}

/** Says that an entry is of the past: its decoded form makes room for others. */
export function dropDecoded(entry: Entry): void {
  if (!kept.delete(entry)) return
  entry.object = undefined
  bytes -= entry.bytes.length
}

/** Takes the oldest away. One that was dropped and came again leaves with its first place, which is early but right. */
function forget(): void {
  const oldest = ring[first]!
  ring[first] = undefined
  first = (first + 1) % ring.length
  count--
  dropDecoded(oldest)
}

/** Leaves out what was dropped: without that, updates of a few objects would fill the ring with states of the past. */
function makeRoom(): void {
  const live = [...kept]
  ring = Array.from({ length: Math.max(SLOTS, 2 ** Math.ceil(Math.log2(live.length + 1)) * 2) })
  for (const [i, entry] of live.entries()) ring[i] = entry
  first = 0
  count = live.length
}

/** Entries that are held here, with those that were dropped since. For tests. */
export function heldEntries(): number {
  return count
}
