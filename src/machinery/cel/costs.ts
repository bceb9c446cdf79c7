/** What calls cost when they run: cel-go's rules, and those of Kubernetes' libraries. */
import type { Context } from './context.ts'
import { byteLength, runes } from './strings.ts'
import { Bytes, CelMap, List, Opaque, Optional } from './values.ts'

/** The cost of a call. `before` is charged before the call is made, `after` when its result is known. */
export interface CallCost {
  readonly before?: number | ((c: Context, args: readonly unknown[]) => number)
  readonly after?: (c: Context, args: readonly unknown[], result: unknown) => number
}

const ONE: CallCost = { before: 1 }

/** Sizes as `size()` tells them, and 1 for what has none. */
export function sizeOf(c: Context, value: unknown): number {
  if (typeof value === 'string') return runes(c, value)
  if (value instanceof List) return value.length
  if (value instanceof CelMap) {
    const size = value.size
    if (size > 8) c.labour(size * 10)
    return size
  }
  if (value instanceof Bytes) return value.value.length
  if (value instanceof Opaque) return value.size
  if (value instanceof Optional && value.present) return sizeOf(c, value.value)
  return 1
}

/** The smaller size of two, without counting a text that is longer anyway. */
function smallerSize(c: Context, a: unknown, b: unknown): number {
  if (typeof a === 'string' && typeof b === 'string') {
    if (a.length >= 2 * b.length) return runes(c, b)
    if (b.length >= 2 * a.length) return runes(c, a)
  }
  return Math.min(sizeOf(c, a), sizeOf(c, b))
}

/** Go adds up a float: 0.1 × 30 is 3.0000000000000004 to neither, but 3 × 0.1 is, rounded up. */
export function traversal(size: number): number {
  return Math.ceil(size * 0.1)
}

function walk(c: Context, value: unknown): number {
  if (typeof value === 'string') return Math.trunc(byteLength(c, value) * 0.1)
  if (value instanceof Bytes) return Math.trunc(value.value.length * 0.1)
  if (value instanceof List) {
    let cost = 0
    for (let i = 0; i < value.length; i++) {
      c.labour(3)
      cost += walk(c, value.at(i))
    }
    return cost
  }
  if (value instanceof CelMap) {
    let cost = 0
    for (const key of value.keys()) {
      c.labour(10)
      cost += walk(c, key) + walk(c, value.get(key))
    }
    return cost
  }
  return 1
}

function regexCost(c: Context, args: readonly unknown[]): number {
  return traversal(1 + sizeOf(c, args[0])) * Math.ceil(sizeOf(c, args[1]) * 0.25)
}

function scan(c: Context, args: readonly unknown[]): number {
  return traversal(sizeOf(c, args[0]))
}

const SCAN: CallCost = { before: scan }
const SCAN_TWICE: CallCost = { before: (c, args) => Math.ceil(sizeOf(c, args[0]) * 2 * 0.1) }
const WALK: CallCost = { before: (c, args) => walk(c, args[0]) }
const REGEX: CallCost = { before: regexCost }
const SMALLER: CallCost = { before: (c, args) => traversal(smallerSize(c, args[0], args[1])) }
const BOTH: CallCost = { before: (c, args) => traversal(sizeOf(c, args[0]) + sizeOf(c, args[1])) }

const LIST_BASE = 11

/** Lists of upstream's list library: the result's size. */
const RESULT_LIST: CallCost = { after: (c, _, result) => sizeOf(c, result) + LIST_BASE }

function selfCompare(index: number): CallCost {
  return {
    before(c, args) {
      const list = args[index]
      if (!(list instanceof List) || list.length === 0) return LIST_BASE
      const first = list.at(0)
      const factor = typeof first === 'string' || first instanceof Bytes ? 2.1 : 2
      return Math.trunc(list.length * list.length * factor) + LIST_BASE
    },
  }
}

function sets(factor: number): CallCost {
  return { before: (c, args) => sizeOf(c, args[0]) * sizeOf(c, args[1]) * factor + 1 }
}

const FLATTEN: CallCost = {
  before(c, args) {
    const depth = args.length === 2 ? Number(args[1]) : 1
    return Math.trunc(sizeOf(c, args[0]) * (depth < 0 || Number.isNaN(depth) ? 1 : depth)) + LIST_BASE
  },
}

/** By the id of an overload; upstream looks here first. */
const TRACKERS: ReadonlyMap<string, CallCost> = new Map([
  ['list_sets_contains_list', sets(1)],
  ['list_sets_intersects_list', sets(1)],
  ['list_sets_equivalent_list', sets(2)],
  ['list_slice', RESULT_LIST],
  ['lists_range', RESULT_LIST],
  ['list_reverse', RESULT_LIST],
  ['list_flatten', FLATTEN],
  ['list_flatten_int', FLATTEN],
  ['list_distinct', selfCompare(0)],
])

function selector(c: Context, args: readonly unknown[]): number {
  const size = sizeOf(c, args[1])
  return 10 + traversal(size) + Math.ceil(Math.ceil(size * 0.5) * 50)
}

function contained(id: string): CallCost {
  const isCidr = id.startsWith('cidr_contains_cidr')
  const parses = id.endsWith('_string')
  return {
    before(c, args) {
      const size = sizeOf(c, args[0])
      let cost = traversal(size + size)
      if (isCidr) cost += traversal(size) + 1
      return parses ? cost + traversal(sizeOf(c, args[1])) : cost
    },
  }
}

const NAMED = {
  one: 'serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery',
  walk: 'isSorted sum max min indexOf lastIndexOf includes',
  scan: 'url lowerAscii upperAscii substring trim jsonpatch.escapeKey cidr isIP isCIDR ip quantity isQuantity semver isSemver',
  twice: 'replace split ip.isCanonical',
}

/** By the name of a function: Kubernetes' libraries. */
const FUNCTIONS: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['check', { before: 350_000 }],
  ...NAMED.one.split(' ').map((name) => [name, ONE] as const),
  ...NAMED.walk.split(' ').map((name) => [name, WALK] as const),
  ...NAMED.scan.split(' ').map((name) => [name, SCAN] as const),
  ...NAMED.twice.split(' ').map((name) => [name, SCAN_TWICE] as const),
  ['fieldSelector', { before: selector }],
  ['labelSelector', { before: selector }],
  ['join', { after: (c, _, result) => Math.ceil(sizeOf(c, result) * 2 * 0.1) }],
  ['find', REGEX],
  ['findAll', REGEX],
])

/** By the id of an overload: the standard library. */
const STANDARD: ReadonlyMap<string, CallCost> = new Map<string, CallCost>([
  ['starts_with_string', { before: (c, args) => traversal(sizeOf(c, args[1])) }],
  ['ends_with_string', { before: (c, args) => traversal(sizeOf(c, args[1])) }],
  ['string_to_bytes', SCAN],
  ['bytes_to_string', SCAN],
  ['strings_quote', SCAN],
  ['string_format', SCAN],
  ['in_list', { before: (c, args) => sizeOf(c, args[1]) }],
  ...['less', 'greater', 'less_equals', 'greater_equals'].flatMap((name) => [
    [`${name}_string`, SMALLER] as const,
    [`${name}_bytes`, SMALLER] as const,
  ]),
  ['add_string', BOTH],
  ['add_bytes', BOTH],
  ['matches', REGEX],
  ['matches_string', REGEX],
  ['contains_string', { before: (c, args) => traversal(sizeOf(c, args[0])) * traversal(sizeOf(c, args[1])) }],
])

/** Short texts and numbers cost one, whatever they are. */
function equality(c: Context, a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return 1
  if (typeof a === 'string' && typeof b === 'string') {
    const least = Math.min(a.length, b.length)
    if (least <= 10) return least === 0 ? 0 : 1
  }
  return traversal(smallerSize(c, a, b))
}

const EQUALS: CallCost = {
  before: (c, args) => (args[0] instanceof Opaque ? 1 : equality(c, args[0], args[1])),
}
const NOT_EQUALS: CallCost = { before: (c, args) => equality(c, args[0], args[1]) }

/** @param id of the overload, empty when only the evaluation knows it */
export function costOfCall(name: string, id: string): CallCost {
  if (name === '_==_') return EQUALS
  if (name === '_!=_') return NOT_EQUALS
  if (/^list_\w+_sort$/.test(id)) return selfCompare(0)
  if (/^list_\w+_sortByAssociatedKeys$/.test(id)) return selfCompare(1)
  const tracker = TRACKERS.get(id)
  if (tracker !== undefined) return tracker
  if (name === 'containsIP' || name === 'containsCIDR') return contained(id === '' ? 'cidr' : id)
  if (name === 'ip' && id === 'cidr_ip') return ONE
  if (name === 'validate') {
    return {
      before: (c, args) =>
        args[0] instanceof Opaque ? traversal(1 + sizeOf(c, args[1])) * Math.ceil(args[0].weight * 0.25) : 1,
    }
  }
  return FUNCTIONS.get(name) ?? STANDARD.get(id) ?? ONE
}
