/** One evaluation: what it may still cost, and its variables. */

/** Thrown, never seen by expressions: nothing absorbs the end of the budget. */
export class LimitReached {}
const LIMIT_REACHED = new LimitReached()

/**
 * Upstream's cost units are coarse: comparing two lists costs a tenth of their length whatever is in them. Work is
 * charged besides them, roughly ten nanoseconds a unit, so that no evaluation can take long.
 */
const WORK_LIMIT = 1_500_000

export class Context {
  cost = 0
  work = 0
  readonly limit: number
  /** Variables of the program, then those of its loops. */
  readonly slots: unknown[]
  readonly #load: (context: Context, slot: number) => unknown

  /** @param load makes the value of a variable that is read for the first time */
  constructor(limit: number, slots: unknown[], load: (context: Context, slot: number) => unknown) {
    this.limit = limit
    this.slots = slots
    this.#load = load
  }

  load(slot: number): unknown {
    return (this.slots[slot] = this.#load(this, slot))
  }

  charge(units: number): void {
    this.cost += units
    if (this.cost > this.limit) throw LIMIT_REACHED
  }

  /** Charged besides the cost, for what the cost does not see. */
  labour(units: number): void {
    this.work += units
    if (this.work > WORK_LIMIT) throw LIMIT_REACHED
  }
}
