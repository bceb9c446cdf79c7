/** The runs of one container, from its start and its behaviour alone. Pure: the same question has the same answer. */
import type { Behaviour } from './behaviour.ts'

/** Milliseconds before the first restart; doubled for each further one. */
const FIRST_BACK_OFF = 10_000
const LAST_BACK_OFF = 300_000
/** A run of so many milliseconds starts the back-off over. */
const STABLE = 600_000
/** Milliseconds that a failing pull shows as an error before it shows as backing off. */
const PULL = 1000

export type Restart = 'Always' | 'OnFailure' | 'Never'

export interface Run {
  readonly start: number
  readonly end: number
  readonly code: number
}

/** What a container does at a moment. Times are milliseconds since the epoch. */
export interface Moment {
  readonly state:
    | { readonly type: 'unpullable'; readonly backOff: boolean }
    | { readonly type: 'running'; readonly since: number }
    /** Has exited, and comes again at `until`; `Infinity`: never. */
    | { readonly type: 'exited'; readonly run: Run; readonly until: number }
  readonly restarts: number
  /** The run before the current one. */
  readonly last: Run | undefined
  /** When this changes; `Infinity`: it stays. */
  readonly next: number
}

/** What a container that starts at `start` does at `now` (not before `start`). */
export function momentOf(behaviour: Behaviour, start: number, restart: Restart, now: number): Moment {
  if (behaviour.type === 'unpullable') {
    const backOff = now >= start + PULL
    return {
      state: { type: 'unpullable', backOff },
      restarts: 0,
      last: undefined,
      next: backOff ? Infinity : start + PULL,
    }
  }
  if (behaviour.type === 'runs') {
    return { state: { type: 'running', since: start }, restarts: 0, last: undefined, next: Infinity }
  }
  const { after, code } = behaviour
  const again = restart === 'Always' || (restart === 'OnFailure' && code !== 0)
  let begin = start
  let restarts = 0
  let last: Run | undefined
  let backOff = FIRST_BACK_OFF
  for (;;) {
    const end = begin + after
    if (now < end) return { state: { type: 'running', since: begin }, restarts, last, next: end }
    const run: Run = { start: begin, end, code }
    if (!again) return { state: { type: 'exited', run, until: Infinity }, restarts, last, next: Infinity }
    // The very first restart comes at once, as the kubelet does it.
    const pause = restarts === 0 ? 0 : after >= STABLE ? FIRST_BACK_OFF : backOff
    if (now < end + pause)
      return { state: { type: 'exited', run, until: end + pause }, restarts, last, next: end + pause }
    if (restarts > 0) backOff = after >= STABLE ? FIRST_BACK_OFF : Math.min(LAST_BACK_OFF, backOff * 2)
    last = run
    begin = end + pause
    restarts++
    if (backOff === LAST_BACK_OFF || after >= STABLE) {
      // From here on all rounds are alike.
      const round = after + (after >= STABLE ? FIRST_BACK_OFF : LAST_BACK_OFF)
      const rounds = Math.floor((now - begin) / round)
      if (rounds > 0) {
        begin += rounds * round
        restarts += rounds
        last = { start: begin - round, end: begin - round + after, code }
      }
    }
  }
}
