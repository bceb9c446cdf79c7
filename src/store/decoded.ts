/**
 * Decoded forms of entries are kept while they are new or were read lately: an object takes two to four times the memory
 * of its bytes, and most objects of a large cluster are at rest. One bound for the whole process; what falls out is
 * decoded again when somebody reads it.
 */
import type { Entry } from './contract.ts'

/** Bytes of the entries whose decoded forms are kept. */
const MAX_BYTES = 8 << 20

/** Entries whose bytes are counted. */
const kept = new Set<Entry>()
/** The order in which they came, with some that were dropped since. A ring that grows: the oldest is at `first`. */
let ring: (Entry | undefined)[] = Array.from({ length: 1024 })
let first = 0
let count = 0
let bytes = 0

/** Says that an entry has got its decoded form. */
export function keepDecoded(entry: Entry): void {
  if (kept.has(entry)) return
  kept.add(entry)
  if (count === ring.length) grow()
  ring[(first + count) % ring.length] = entry
  count++
  bytes += entry.bytes.length
  while (bytes > MAX_BYTES && count > 1) forget()
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

function grow(): void {
  const larger: (Entry | undefined)[] = Array.from({ length: ring.length * 2 })
  for (let i = 0; i < count; i++) larger[i] = ring[(first + i) % ring.length]
  ring = larger
  first = 0
}
