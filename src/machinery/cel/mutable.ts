/** What a loop collects in: added to in place, so that a loop of n takes n steps. */
import { ArrayList, ValueMap } from './values.ts'

export class MutableList extends ArrayList {
  constructor() {
    super([])
  }
  freeze(): ArrayList {
    return new ArrayList(this.items)
  }
}

export class MutableMap extends ValueMap {
  freeze(): ValueMap {
    return this
  }
}
