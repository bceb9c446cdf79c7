/** Operators of the language. */
import type { Context } from '../context.ts'
import { compare, elementKey, equals, isComparable, setKey } from '../equal.ts'
import { JsonList } from '../json.ts'
import { MutableList } from '../mutable.ts'
import { addInts, checkedUint, divideInts, moduloInts, multiplyInts, negateInt, subtractInts } from '../numbers.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { addDuration, between, checkedDuration } from '../time.ts'
import {
  ArrayList,
  Bytes,
  CelMap,
  ConcatList,
  Double,
  Duration,
  Failure,
  List,
  Timestamp,
  Uint,
  isInt,
} from '../values.ts'

/** JavaScript's own limit is half a billion; nobody needs strings that long. */
const MAX_STRING = 1 << 26

const NO_SUCH_OVERLOAD = new Failure('no such overload')

/** What an operator says of a left side that it never takes. */
function refuse(operator: string, left: unknown): Failure {
  const receives = typeof left === 'string' || left instanceof Timestamp || left instanceof Duration
  return receives ? NO_SUCH_OVERLOAD : new Failure(`no such overload: ${operator}`)
}

function addLists(c: Context, a: List, b: List): unknown {
  if (a instanceof MutableList) {
    c.labour(b.length)
    for (let i = 0; i < b.length; i++) a.items.push(b.at(i))
    return a
  }
  if (a instanceof JsonList && (a.declared?.listType === 'set' || a.declared?.listType === 'map')) {
    return merge(c, a, b, a.declared.listType === 'map' ? (a.declared.keys ?? []) : undefined)
  }
  return new ConcatList(a, b)
}

/** Sets and maps of lists: what is there stays in its place, what is new comes behind. */
function merge(c: Context, a: List, b: List, keys: readonly string[] | undefined): List {
  const items: unknown[] = []
  const places = new Map<unknown, number>()
  const key = (item: unknown) => (keys === undefined ? setKey(c, item) : elementKey(c, item, keys))
  for (let i = 0; i < a.length; i++) {
    const item = a.at(i)
    places.set(key(item), i)
    items.push(item)
  }
  for (let i = 0; i < b.length; i++) {
    const item = b.at(i)
    const at = key(item)
    const place = places.get(at)
    if (place === undefined) {
      places.set(at, items.length)
      items.push(item)
    } else if (keys !== undefined) items[place] = item
  }
  return new ArrayList(items)
}

export function add(c: Context, a: unknown, b: unknown): unknown {
  if (isInt(a)) return isInt(b) ? addInts(a, b) : NO_SUCH_OVERLOAD
  if (typeof a === 'string') {
    if (typeof b !== 'string') return NO_SUCH_OVERLOAD
    const length = a.length + b.length
    if (length > 64) c.labour(length >> 4)
    return length > MAX_STRING ? new Failure('string too long') : a + b
  }
  if (a instanceof List) return b instanceof List ? addLists(c, a, b) : NO_SUCH_OVERLOAD
  if (a instanceof Double) return b instanceof Double ? new Double(a.value + b.value) : NO_SUCH_OVERLOAD
  if (a instanceof Uint) return b instanceof Uint ? checkedUint(a.value + b.value) : NO_SUCH_OVERLOAD
  if (a instanceof Duration) {
    if (b instanceof Timestamp) return addDuration(b, a.ns)
    return b instanceof Duration ? checkedDuration(a.ns + b.ns) : NO_SUCH_OVERLOAD
  }
  if (a instanceof Timestamp) return b instanceof Duration ? addDuration(a, b.ns) : NO_SUCH_OVERLOAD
  if (a instanceof Bytes) {
    if (!(b instanceof Bytes)) return NO_SUCH_OVERLOAD
    const length = a.value.length + b.value.length
    c.labour(length >> 4)
    return length > MAX_STRING ? new Failure('bytes too long') : new Bytes(Buffer.concat([a.value, b.value]))
  }
  return refuse('_+_', a)
}

function subtract(_: Context, a: unknown, b: unknown): unknown {
  if (isInt(a)) return isInt(b) ? subtractInts(a, b) : NO_SUCH_OVERLOAD
  if (a instanceof Double) return b instanceof Double ? new Double(a.value - b.value) : NO_SUCH_OVERLOAD
  if (a instanceof Uint) return b instanceof Uint ? checkedUint(a.value - b.value) : NO_SUCH_OVERLOAD
  if (a instanceof Duration) return b instanceof Duration ? checkedDuration(a.ns - b.ns) : NO_SUCH_OVERLOAD
  if (a instanceof Timestamp) {
    if (b instanceof Timestamp) return between(a, b)
    if (!(b instanceof Duration)) return NO_SUCH_OVERLOAD
    const negated = checkedDuration(-b.ns)
    return negated instanceof Failure ? negated : addDuration(a, negated.ns)
  }
  return refuse('_-_', a)
}

function multiply(_: Context, a: unknown, b: unknown): unknown {
  if (isInt(a)) return isInt(b) ? multiplyInts(a, b) : NO_SUCH_OVERLOAD
  if (a instanceof Double) return b instanceof Double ? new Double(a.value * b.value) : NO_SUCH_OVERLOAD
  if (a instanceof Uint) return b instanceof Uint ? checkedUint(a.value * b.value) : NO_SUCH_OVERLOAD
  return refuse('_*_', a)
}

function divide(_: Context, a: unknown, b: unknown): unknown {
  if (isInt(a)) return isInt(b) ? divideInts(a, b) : NO_SUCH_OVERLOAD
  if (a instanceof Double) return b instanceof Double ? new Double(a.value / b.value) : NO_SUCH_OVERLOAD
  if (a instanceof Uint) {
    if (!(b instanceof Uint)) return NO_SUCH_OVERLOAD
    return b.value === 0n ? new Failure('division by zero') : new Uint(a.value / b.value)
  }
  return refuse('_/_', a)
}

function modulo(_: Context, a: unknown, b: unknown): unknown {
  if (isInt(a)) return isInt(b) ? moduloInts(a, b) : NO_SUCH_OVERLOAD
  if (a instanceof Uint) {
    if (!(b instanceof Uint)) return NO_SUCH_OVERLOAD
    return b.value === 0n ? new Failure('modulus by zero') : new Uint(a.value % b.value)
  }
  return refuse('_%_', a)
}

function negate(_: Context, a: unknown): unknown {
  if (isInt(a)) return negateInt(a)
  if (a instanceof Double) return new Double(-a.value)
  if (a instanceof Duration) return checkedDuration(-a.ns)
  return typeof a === 'boolean' ? NO_SUCH_OVERLOAD : refuse('-_', a)
}

function order(operator: string, test: (order: number) => boolean) {
  return (c: Context, a: unknown, b: unknown): unknown => {
    if (typeof a === 'number' && typeof b === 'number') return test(a < b ? -1 : a > b ? 1 : 0)
    if (!isComparable(a)) return refuse(operator, a)
    const result = compare(c, a, b)
    return result instanceof Failure ? result : test(result)
  }
}

/** Whether a list has a value, or a map a key. */
export function contains(c: Context, value: unknown, container: unknown): unknown {
  if (container instanceof CelMap) return container.has(value)
  if (!(container instanceof List)) return container instanceof Failure ? container : NO_SUCH_OVERLOAD
  let failure: Failure | undefined
  const strict = container instanceof JsonList && container.declared !== undefined
  for (let i = 0; i < container.length; i++) {
    c.labour(2)
    const same = equals(c, strict ? container.at(i) : value, strict ? value : container.at(i))
    if (same === true) return true
    if (strict && same instanceof Failure) failure ??= same
  }
  return failure ?? false
}

const ORDERS: readonly (readonly [string, string, (order: number) => boolean])[] = [
  ['_<_', 'less', (order) => order < 0],
  ['_<=_', 'less_equals', (order) => order <= 0],
  ['_>_', 'greater', (order) => order > 0],
  ['_>=_', 'greater_equals', (order) => order >= 0],
]
const ORDERED: readonly (readonly [string, string, string])[] = [
  ['bool', 'bool', 'bool'],
  ['int64', 'int', 'int'],
  ['int64_double', 'int', 'double'],
  ['int64_uint64', 'int', 'uint'],
  ['uint64', 'uint', 'uint'],
  ['uint64_double', 'uint', 'double'],
  ['uint64_int64', 'uint', 'int'],
  ['double', 'double', 'double'],
  ['double_int64', 'double', 'int'],
  ['double_uint64', 'double', 'uint'],
  ['string', 'string', 'string'],
  ['bytes', 'bytes', 'bytes'],
  ['timestamp', 'timestamp', 'timestamp'],
  ['duration', 'duration', 'duration'],
]

const free = { unguarded: true }

export const OPERATORS: readonly Overload[] = [
  overload('_?_:_', 'conditional', '(bool, A, A): A', () => NO_SUCH_OVERLOAD),
  overload('_&&_', 'logical_and', '(bool, bool): bool', () => NO_SUCH_OVERLOAD),
  overload('_||_', 'logical_or', '(bool, bool): bool', () => NO_SUCH_OVERLOAD),
  overload('!_', 'logical_not', '(bool): bool', (_, a) => (typeof a === 'boolean' ? !a : NO_SUCH_OVERLOAD), free),
  overload('@not_strictly_false', 'not_strictly_false', '(bool): bool', (_, a) => a, free),
  overload('_==_', 'equals', '(A, A): bool', equals),
  overload('_!=_', 'not_equals', '(A, A): bool', (c, a, b) => equals(c, a, b) !== true),
  ...(
    [
      ['bytes', 'bytes', 'bytes', 'bytes'],
      ['double', 'double', 'double', 'double'],
      ['duration_duration', 'duration', 'duration', 'duration'],
      ['duration_timestamp', 'duration', 'timestamp', 'timestamp'],
      ['timestamp_duration', 'timestamp', 'duration', 'timestamp'],
      ['int64', 'int', 'int', 'int'],
      ['list', 'list(A)', 'list(A)', 'list(A)'],
      ['string', 'string', 'string', 'string'],
      ['uint64', 'uint', 'uint', 'uint'],
    ] as const
  ).map(([id, a, b, result]) => overload('_+_', `add_${id}`, `(${a}, ${b}): ${result}`, add, free)),
  ...(
    [
      ['double', 'double', 'double', 'double'],
      ['duration_duration', 'duration', 'duration', 'duration'],
      ['int64', 'int', 'int', 'int'],
      ['timestamp_duration', 'timestamp', 'duration', 'timestamp'],
      ['timestamp_timestamp', 'timestamp', 'timestamp', 'duration'],
      ['uint64', 'uint', 'uint', 'uint'],
    ] as const
  ).map(([id, a, b, result]) => overload('_-_', `subtract_${id}`, `(${a}, ${b}): ${result}`, subtract, free)),
  ...(['double', 'int', 'uint'] as const).flatMap((type) => {
    const id = type === 'double' ? type : `${type}64`
    const signature = `(${type}, ${type}): ${type}`
    return [
      overload('_*_', `multiply_${id}`, signature, multiply, free),
      overload('_/_', `divide_${id}`, signature, divide, free),
      ...(type === 'double' ? [] : [overload('_%_', `modulo_${id}`, signature, modulo, free)]),
    ]
  }),
  overload('-_', 'negate_double', '(double): double', negate, free),
  overload('-_', 'negate_int64', '(int): int', negate, free),
  ...ORDERS.flatMap(([operator, name, test]) => {
    const run = order(operator, test)
    return ORDERED.map(([id, a, b]) => overload(operator, `${name}_${id}`, `(${a}, ${b}): bool`, run, free))
  }),
  overload('_[_]', 'index_list', '(list(A), int): A', () => NO_SUCH_OVERLOAD),
  overload('_[_]', 'index_map', '(map(A, B), A): B', () => NO_SUCH_OVERLOAD),
  overload('_[_]', 'optional_list_index_int', '(optional(list(V)), int): optional(V)', () => NO_SUCH_OVERLOAD),
  overload('_[_]', 'optional_map_index_value', '(optional(map(K, V)), K): optional(V)', () => NO_SUCH_OVERLOAD),
  overload('_[?_]', 'list_optindex_optional_int', '(list(V), int): optional(V)', () => NO_SUCH_OVERLOAD),
  overload(
    '_[?_]',
    'optional_list_optindex_optional_int',
    '(optional(list(V)), int): optional(V)',
    () => NO_SUCH_OVERLOAD,
  ),
  overload('_[?_]', 'map_optindex_optional_value', '(map(K, V), K): optional(V)', () => NO_SUCH_OVERLOAD),
  overload(
    '_[?_]',
    'optional_map_optindex_optional_value',
    '(optional(map(K, V)), K): optional(V)',
    () => NO_SUCH_OVERLOAD,
  ),
  overload('@in', 'in_list', '(A, list(A)): bool', contains, free),
  overload('@in', 'in_map', '(A, map(A, B)): bool', contains, free),
]
