/** Optional values. */
import { goValue } from '../gotext.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import {
  ArrayList,
  Bytes,
  CelMap,
  Double,
  Duration,
  Failure,
  List,
  NONE,
  Opaque,
  Optional,
  Timestamp,
  Uint,
} from '../values.ts'

function isZero(value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0) return true
  if (value instanceof List) return value.length === 0
  if (value instanceof CelMap) return value.size === 0
  if (value instanceof Double) return value.value === 0
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Bytes) return value.value.length === 0
  if (value instanceof Duration) return value.ns === 0n
  if (value instanceof Opaque) return value.isZero
  return value instanceof Timestamp && value.seconds === -62135596800 && value.nanos === 0
}

export const OPTIONAL: readonly Overload[] = [
  overload('optional.of', 'optional_of', '(V): optional(V)', (_, value) => new Optional(true, value)),
  overload('optional.ofNonZeroValue', 'optional_ofNonZeroValue', '(V): optional(V)', (_, value) =>
    isZero(value) ? NONE : new Optional(true, value),
  ),
  overload('optional.none', 'optional_none', '(): optional(V)', () => NONE),
  overload('value', 'optional_value', 'optional(V).(): V', (_, o: Optional) =>
    o.present ? o.value : new Failure('optional.none() dereference'),
  ),
  overload('hasValue', 'optional_hasValue', 'optional(V).(): bool', (_, o: Optional) => o.present),
  overload('or', 'optional_or_optional', 'optional(V).(optional(V)): optional(V)', (_, a: Optional, b: Optional) =>
    a.present ? a : b,
  ),
  overload('orValue', 'optional_orValue_value', 'optional(V).(V): V', (_, o: Optional, other) =>
    o.present ? o.value : other,
  ),
  overload('last', 'list_last', 'list(V).(): optional(V)', (_, list: List) =>
    list.length === 0 ? NONE : new Optional(true, list.at(list.length - 1)),
  ),
  overload('first', 'list_first', 'list(V).(): optional(V)', (_, list: List) =>
    list.length === 0 ? NONE : new Optional(true, list.at(0)),
  ),
  overload('optional.unwrap', 'optional_unwrap', '(list(optional(V))): list(V)', (c, list: List) => unwrap(c, list)),
  overload('unwrapOpt', 'optional_unwrapOpt', 'list(optional(V)).(): list(V)', (c, list: List) => unwrap(c, list)),
]

function unwrap(c: { labour(units: number): void }, list: List): unknown {
  const items: unknown[] = []
  c.labour(list.length)
  for (let i = 0; i < list.length; i++) {
    const item = list.at(i)
    if (!(item instanceof Optional)) return new Failure(`value ${goValue(item)} is not optional`)
    if (item.present) items.push(item.value)
  }
  return new ArrayList(items)
}
