/**
 * One ticker for the bookmarks of all watches of a process. It owns its only timer while there are watches that want
 * bookmarks; an idle process has none.
 */

/** Seconds between two bookmarks of a watch. */
const PERIOD = 60

export interface BookmarkTicker {
  /**
   * Calls `tick` about every minute, and once two seconds before `deadline` (seconds from now) if there is one.
   * Returns the way to stop it.
   */
  add(tick: () => void, deadline?: number): () => void
}

/** A wheel of one slot per second; a tick visits the watches of its slot. */
export function createBookmarkTicker(): BookmarkTicker {
  const wheel = Array.from({ length: PERIOD }, () => new Set<() => void>())
  const deadlines = new Map<number, Set<() => void>>()
  let second = 0
  let members = 0
  let timer: NodeJS.Timeout | undefined

  const visit = (slot: ReadonlySet<() => void>): void => {
    for (const tick of slot) tick()
  }
  const turn = (): void => {
    second++
    visit(wheel[second % PERIOD]!)
    const due = deadlines.get(second)
    if (due !== undefined) {
      deadlines.delete(second)
      visit(due)
    }
  }
  return {
    add(tick, deadline) {
      // Each call gets a function of its own, so that one listener may be there twice.
      const own = (): void => tick()
      const slot = wheel[(second + PERIOD - 1) % PERIOD]!
      slot.add(own)
      const last = deadline === undefined || deadline <= 2 ? undefined : second + Math.floor(deadline) - 2
      if (last !== undefined) {
        const due = deadlines.get(last)
        if (due === undefined) deadlines.set(last, new Set([own]))
        else due.add(own)
      }
      if (members++ === 0) timer = setInterval(turn, 1000).unref()
      let live = true
      return () => {
        if (!live) return
        live = false
        slot.delete(own)
        if (last !== undefined) {
          const due = deadlines.get(last)
          due?.delete(own)
          if (due?.size === 0) deadlines.delete(last)
        }
        if (--members === 0) {
          clearInterval(timer)
          timer = undefined
        }
      }
    },
  }
}

/** The ticker that all clusters of this process share. */
export const processBookmarks: BookmarkTicker = createBookmarkTicker()
