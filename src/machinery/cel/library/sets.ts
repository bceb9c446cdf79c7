/** Lists as sets, by equality of their elements. */
import type { Context } from '../context.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import type { List } from '../values.ts'
import { contains } from './operators.ts'

function containsAll(c: Context, list: List, part: List): unknown {
  for (let i = 0; i < part.length; i++) {
    const found = contains(c, part.at(i), list)
    if (found !== true) return found
  }
  return true
}

function intersects(c: Context, a: List, b: List): unknown {
  for (let i = 0; i < a.length; i++) if (contains(c, a.at(i), b) === true) return true
  return false
}

function equivalent(c: Context, a: List, b: List): unknown {
  const found = containsAll(c, a, b)
  return found === true ? containsAll(c, b, a) : found
}

export const SETS: readonly Overload[] = [
  overload('sets.contains', 'list_sets_contains_list', '(list(T), list(T)): bool', containsAll),
  overload('sets.equivalent', 'list_sets_equivalent_list', '(list(T), list(T)): bool', equivalent),
  overload('sets.intersects', 'list_sets_intersects_list', '(list(T), list(T)): bool', intersects),
]
