/** Lists: Kubernetes' functions and cel-go's. */
import type { Context } from '../context.ts'
import { compare, equals, isComparable } from '../equal.ts'
import type { Implementation, Overload } from '../overload.ts'
import { overload, typeName } from '../overload.ts'
import type { Int } from '../values.ts'
import { ArrayList, Double, Duration, Failure, List, Uint, isInt } from '../values.ts'
import { add } from './operators.ts'

const NO_SUCH_OVERLOAD = new Failure('no such overload')
/** Elements that `lists.range` makes. */
const MAX_RANGE = 1_000_000

function isSorted(c: Context, list: List): unknown {
  let before: unknown
  for (let i = 0; i < list.length; i++) {
    c.labour(2)
    const item = list.at(i)
    if (!isComparable(item)) return item instanceof Failure ? item : NO_SUCH_OVERLOAD
    if (i > 0 && compare(c, before, item) === 1) return false
    before = item
  }
  return true
}

function sum(zero: unknown): Implementation {
  return (c, list: List) => {
    let total = zero
    for (let i = 0; i < list.length; i++) {
      c.labour(2)
      total = add(c, total, list.at(i))
      if (total instanceof Failure) return total
    }
    return total
  }
}

function extreme(name: string, replaces: number): Implementation {
  return (c, list: List) => {
    let result: unknown
    for (let i = 0; i < list.length; i++) {
      c.labour(2)
      const item = list.at(i)
      if (!isComparable(item)) return item instanceof Failure ? item : NO_SUCH_OVERLOAD
      if (i === 0 || compare(c, result, item) === replaces) result = item
    }
    return list.length === 0 ? new Failure(`${name} called on empty list`) : result
  }
}

function indexOf(c: Context, list: List, item: unknown): unknown {
  for (let i = 0; i < list.length; i++) {
    c.labour(2)
    if (equals(c, list.at(i), item) === true) return i
  }
  return -1
}

function lastIndexOf(c: Context, list: List, item: unknown): unknown {
  for (let i = list.length - 1; i >= 0; i--) {
    c.labour(2)
    if (equals(c, list.at(i), item) === true) return i
  }
  return -1
}

function slice(c: Context, list: List, start: Int, end: Int): unknown {
  const what = `cannot slice(${start}, ${end})`
  if (start < 0 || end < 0) return new Failure(`${what}, negative indexes not supported`)
  if (start > end) return new Failure(`${what}, start index must be less than or equal to end index`)
  if (list.length < end) return new Failure(`${what}, list is length ${list.length}`)
  const items: unknown[] = []
  c.labour((Number(end) - Number(start)) * 5)
  for (let i = Number(start); i < Number(end); i++) items.push(list.at(i))
  return new ArrayList(items)
}

function flatten(c: Context, list: List, depth: Int, into: unknown[]): void {
  for (let i = 0; i < list.length; i++) {
    c.labour(5)
    const item = list.at(i)
    if (item instanceof List && depth > 0) flatten(c, item, Number(depth) - 1, into)
    else into.push(item)
  }
}

function flattened(c: Context, list: unknown, depth: unknown = 1): unknown {
  if (!(list instanceof List) || !isInt(depth)) {
    const given = depth === 1 && !(list instanceof List) ? '' : typeName(depth)
    return list instanceof Failure ? list : new Failure(`no such overload: ${typeName(list)}.flatten(${given})`)
  }
  if (depth < 0) return new Failure('level must be non-negative')
  const items: unknown[] = []
  flatten(c, list, depth, items)
  return new ArrayList(items)
}

function sortByKeys(c: Context, list: List, keys: List): unknown {
  if (list.length !== keys.length) {
    return new Failure(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.length} and ${keys.length} elements respectively`,
    )
  }
  if (list.length === 0) return list
  const values: unknown[] = []
  for (let i = 0; i < keys.length; i++) values.push(keys.at(i))
  if (!isComparable(values[0])) return new Failure('list elements must be comparable')
  const type = typeName(values[0])
  if (values.some((one) => typeName(one) !== type)) return new Failure('list elements must have the same type')
  c.labour(Math.ceil(values.length * Math.log2(values.length + 1) * 5))
  const order = values.map((_, i) => i)
  order.sort((i, j) => {
    const result = compare(c, values[i], values[j])
    return result instanceof Failure ? 0 : result
  })
  return new ArrayList(order.map((i) => list.at(i)))
}

function range(c: Context, count: Int): unknown {
  if (count < 0) return new Failure(`lists.range: size must be non-negative, got ${count}`)
  if (count > MAX_RANGE) {
    return new Failure(`lists.range: size ${count} exceeds maximum allowed (${MAX_RANGE})`)
  }
  c.labour(Number(count))
  const items: unknown[] = []
  for (let i = 0; i < count; i++) items.push(i)
  return new ArrayList(items)
}

function reverse(c: Context, list: List): unknown {
  const items: unknown[] = []
  c.labour(list.length * 5)
  for (let i = list.length - 1; i >= 0; i--) items.push(list.at(i))
  return new ArrayList(items)
}

function distinct(c: Context, list: List): unknown {
  const items: unknown[] = []
  for (let i = 0; i < list.length; i++) {
    const item = list.at(i)
    let seen = false
    for (const other of items) {
      c.labour(1)
      if (equals(c, item, other) === true) {
        seen = true
        break
      }
    }
    if (!seen) items.push(item)
  }
  return new ArrayList(items)
}

const COMPARABLE = ['int', 'uint', 'double', 'bool', 'duration', 'timestamp', 'string', 'bytes'] as const
const ZEROS: readonly (readonly [string, unknown])[] = [
  ['int', 0],
  ['uint', new Uint(0n)],
  ['double', new Double(0)],
  ['duration', new Duration(0n)],
]
/** In ids of cel-go's overloads types have their full names. */
const LONG: Readonly<Record<string, string>> = {
  duration: 'google.protobuf.Duration',
  timestamp: 'google.protobuf.Timestamp',
}

export const LISTS: readonly Overload[] = [
  ...COMPARABLE.flatMap((type) => [
    overload('isSorted', `list_${type}_is_sorted_bool`, `list(${type}).(): bool`, isSorted),
    overload('max', `list_${type}_max_${type}`, `list(${type}).(): ${type}`, extreme('max', -1)),
    overload('min', `list_${type}_min_${type}`, `list(${type}).(): ${type}`, extreme('min', 1)),
    overload('sort', `list_${LONG[type] ?? type}_sort`, `list(${type}).(): list(${type})`, (c, list: List) =>
      sortByKeys(c, list, list),
    ),
    overload(
      '@sortByAssociatedKeys',
      `list_${LONG[type] ?? type}_sortByAssociatedKeys`,
      `list(T).(list(${type})): list(T)`,
      sortByKeys,
    ),
  ]),
  ...ZEROS.map(([type, zero]) => overload('sum', `list_${type}_sum_${type}`, `list(${type}).(): ${type}`, sum(zero))),
  overload('indexOf', 'list_a_index_of_int', 'list(A).(A): int', indexOf),
  overload('lastIndexOf', 'list_a_last_index_of_int', 'list(A).(A): int', lastIndexOf),
  overload('slice', 'list_slice', 'list(T).(int, int): list(T)', slice),
  overload('flatten', 'list_flatten', 'list(list(T)).(): list(T)', (c, list) => flattened(c, list), {
    unguarded: true,
  }),
  overload('flatten', 'list_flatten_int', 'list(dyn).(int): list(dyn)', (c, list, depth) => flattened(c, list, depth), {
    unguarded: true,
  }),
  overload('lists.range', 'lists_range', '(int): list(int)', range),
  overload('reverse', 'list_reverse', 'list(T).(): list(T)', reverse),
  overload('distinct', 'list_distinct', 'list(T).(): list(T)', distinct),
]
