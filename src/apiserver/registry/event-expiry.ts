/**
 * Events live for an hour. There is no timer for it: now and then a new event takes the expired ones away, so that a
 * cluster in which nothing happens costs nothing, and one in which much happens stays bounded.
 */
import { objectOf } from '../contract.ts'
import type { Write } from '../../store/contract.ts'
import type { Core } from './core.ts'
import { reencoder } from './stored.ts'

/** Milliseconds. */
const LIFE = 3_600_000
/** A sweep looks at all events of the cluster: once for so many new ones. */
const EVERY = 256
/** Removed by one sweep. */
const LIMIT = 4096

const created = new WeakMap<Core, number>()

/** To be called once for each event that was created. Failures are left to the next sweep. */
export function countEvent(core: Core): void {
  const count = (created.get(core) ?? 0) + 1
  created.set(core, count)
  if (count % EVERY === 0) sweep(core)
}

function sweep(core: Core): void {
  const oldest = core.now() - LIFE
  const writes: Write[] = []
  for (const entry of core.range.list('core/events/').entries) {
    const event = objectOf(entry)
    const { lastTimestamp, eventTime, series } = event as {
      lastTimestamp?: string | null
      eventTime?: string | null
      series?: { lastObservedTime?: string | null }
    }
    const times = [event.metadata.creationTimestamp, lastTimestamp, eventTime, series?.lastObservedTime]
    if (times.some((time) => time !== undefined && time !== null && Date.parse(time) > oldest)) continue
    writes.push({ type: 'delete', key: entry.key, expect: entry.revision, encode: reencoder(event) })
    if (writes.length === LIMIT) break
  }
  // Somebody may be writing one of them just now: then all wait for the next sweep.
  if (writes.length > 0) core.range.write(writes).catch(() => undefined)
}
