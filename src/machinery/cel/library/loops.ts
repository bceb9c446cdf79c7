/** What the macros of two variables call. */
import type { Context } from '../context.ts'
import { MutableMap } from '../mutable.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import type { CelMap } from '../values.ts'
import { Failure, ValueMap } from '../values.ts'
import { goValue } from '../gotext.ts'

/** A loop's own map is added to in place; another is copied. */
function writable(c: Context, map: CelMap): ValueMap {
  if (map instanceof MutableMap) return map
  const copy = new ValueMap()
  c.labour(40 * map.size)
  for (const key of map.keys()) copy.set(key, map.get(key))
  return copy
}

function insert(c: Context, map: CelMap, key: unknown, value: unknown): unknown {
  c.labour(30)
  if (map.has(key)) return new Failure(`insert failed: key ${goValue(key)} already exists`)
  const target = writable(c, map)
  target.set(key, value)
  return target
}

function insertAll(c: Context, map: CelMap, added: CelMap): unknown {
  let target: unknown = map
  for (const key of added.keys()) {
    c.labour(2)
    target = insert(c, target as CelMap, key, added.get(key))
    if (target instanceof Failure) return target
  }
  return target
}

export const LOOPS: readonly Overload[] = [
  overload('cel.@mapInsert', '@mapInsert_map_key_value', '(map(K, V), K, V): map(K, V)', insert),
  overload('cel.@mapInsert', '@mapInsert_map_map', '(map(K, V), map(K, V)): map(K, V)', insertAll),
]
