/** What calls can cost, by function and overload. */
import type { Expr } from './ast.ts'
import type { CelType } from './contract.ts'
import type { Range } from './range.ts'
import { ANY, LIMIT, ONE, fixed, plus, range, scaled, times } from './range.ts'
import type { Type } from './types.ts'

/** An expression as its size matters. */
export interface Sized {
  readonly expr: Expr
  readonly type: Type
  /** Undefined when nothing bounds it. */
  readonly size: Range | undefined
  /** What declares it, when it is a part of a variable. */
  readonly declared: CelType | undefined
}

export interface CallEstimate {
  /** Without the arguments. */
  readonly cost: Range
  readonly result?: Range
}

const SCAN = 0.1
const REGEX = 0.25
/** The longest pattern of a named format, as upstream has it. */
const FORMAT_PATTERN = 128

function sizeOf(one: Sized): Range {
  return one.size ?? ANY
}

function scan(one: Sized): CallEstimate {
  return { cost: scaled(sizeOf(one), SCAN) }
}

/** What an item of a list can measure. */
function itemSize(list: Sized): Range {
  const { declared } = list
  if (declared?.kind === 'list') return range(0, elementsOf(declared.item))
  return ANY
}

/** The most elements of a declared value; zero for what has none, as upstream counts. */
export function elementsOf(type: CelType): number {
  switch (type.kind) {
    case 'list':
    case 'map':
      return type.maxItems ?? 0
    case 'object':
    case 'opaque':
    case 'optional':
      return 0
    default:
      return type.maxLength ?? 0
  }
}

const ONES: ReadonlySet<string> = new Set(
  'serviceAccount path group resource subresource namespace name allowed reason error errored masked prefixLength family isUnspecified isLoopback isLinkLocalMulticast isLinkLocalUnicast isGlobalUnicast format.named sign asInteger isInteger asApproximateFloat isGreaterThan isLessThan compareTo add sub major minor patch getScheme getHostname getHost getPort getEscapedPath getQuery'.split(
    ' ',
  ),
)

function contained(id: string, args: readonly Sized[]): CallEstimate {
  const bytes = range(4, 16)
  let cost = scaled(plus(bytes, bytes), SCAN)
  if (id.startsWith('cidr_contains_cidr')) cost = plus(cost, scaled(bytes, SCAN), ONE)
  if (id.endsWith('_string')) cost = plus(cost, scaled(sizeOf(args[0]!), SCAN))
  return { cost }
}

function perElement(name: string, target: Sized): CallEstimate {
  const size = sizeOf(target)
  if (target.type.kind === 'list' || target.type.params.length > 0) {
    const item = target.type.params[0]!
    const texts = item.kind === 'string' || item.kind === 'bytes'
    return { cost: times(size, texts ? plus(ONE, scaled(itemSize(target), SCAN)) : ONE) }
  }
  return name === 'includes' ? { cost: size } : { cost: scaled(size, SCAN) }
}

function replacement(target: Sized, args: readonly Sized[]): CallEstimate {
  const size = sizeOf(target)
  const old = sizeOf(args[0]!)
  const by = sizeOf(args[1]!)
  const bound = (own: number, shortest: number, grows: boolean): { count: number; kept: number } => {
    if (shortest === 0) return { count: own + 1, kept: own }
    return grows ? { count: Math.ceil(own / shortest), kept: 0 } : { count: 0, kept: own }
  }
  const most = bound(size.max, old.min, by.max > old.min)
  const least = bound(size.min, old.max, old.max > by.min)
  const result = plus(times(range(least.count, most.count), by), range(least.kept, most.kept))
  return { cost: scaled(size, 2 * SCAN), result }
}

function joined(target: Sized, args: readonly Sized[]): CallEstimate {
  const list = sizeOf(target)
  let size = times(list, itemSize(target))
  const [separator] = args
  if (separator !== undefined) {
    const gaps = range(Math.max(list.min - 1, 0), Math.max(list.max - 1, 0))
    size = plus(size, times(sizeOf(separator), gaps))
  }
  return { cost: scaled(size, SCAN), result: size }
}

function search(text: Sized, pattern: Sized): Range {
  return times(scaled(plus(sizeOf(text), ONE), SCAN), scaled(sizeOf(pattern), REGEX))
}

function opaqueEquality(args: readonly Sized[]): CallEstimate | undefined {
  const [left, right] = args
  const name = left?.type.name
  if (name !== right?.type.name) return undefined
  switch (name) {
    case 'net.IP':
    case 'net.CIDR':
    case 'kubernetes.Quantity':
    case 'kubernetes.Semver':
    case 'kubernetes.authorization.Authorizer':
    case 'kubernetes.authorization.PathCheck':
    case 'kubernetes.authorization.GroupCheck':
    case 'kubernetes.authorization.ResourceCheck':
    case 'kubernetes.authorization.Decision':
      return { cost: ONE }
    case 'kubernetes.NamedFormat':
      return { cost: scaled(range(1, 64), SCAN) }
    case 'kubernetes.URL':
      return { cost: scaled(range(1, right?.size?.max ?? 1), SCAN) }
    default:
      return undefined
  }
}

/** Kubernetes' libraries. */
export function libraryCall(
  name: string,
  id: string,
  target: Sized | undefined,
  args: readonly Sized[],
): CallEstimate | undefined {
  const [first] = args
  if (name === 'check') return { cost: fixed(350_000) }
  if (name === 'ip' && id === 'cidr_ip') return { cost: ONE }
  if (ONES.has(name)) return { cost: ONE }
  switch (name) {
    case 'fieldSelector':
    case 'labelSelector': {
      const size = sizeOf(first!)
      return { cost: plus(fixed(10), scaled(size, SCAN), scaled(scaled(size, 0.5), 50)) }
    }
    case 'isSorted':
    case 'sum':
    case 'max':
    case 'min':
    case 'indexOf':
    case 'lastIndexOf':
    case 'includes':
      return target === undefined ? undefined : perElement(name, target)
    case 'url':
    case 'jsonpatch.escapeKey':
      return { ...scan(first!), result: sizeOf(first!) }
    case 'lowerAscii':
    case 'upperAscii':
    case 'substring':
    case 'trim':
      return target === undefined ? undefined : { ...scan(target), result: sizeOf(target) }
    case 'replace':
      return target === undefined ? undefined : replacement(target, args)
    case 'split': {
      if (target === undefined) return undefined
      const size = sizeOf(target)
      const limit = args[1]?.expr
      const max = limit?.kind === 'literal' ? unsigned(limit.value) : size.max
      return { cost: scaled(size, 2 * SCAN), result: range(0, max) }
    }
    case 'join':
      return target === undefined ? undefined : joined(target, args)
    case 'find':
    case 'findAll':
      if (target === undefined) return undefined
      return { cost: search(target, first!), result: range(0, sizeOf(target).max) }
    case 'cidr':
    case 'isIP':
    case 'isCIDR':
    case 'ip':
    case 'quantity':
    case 'isQuantity':
    case 'semver':
    case 'isSemver':
      return first === undefined ? undefined : scan(first)
    case 'ip.isCanonical':
      return { cost: scaled(sizeOf(first!), 2 * SCAN) }
    case 'containsIP':
    case 'containsCIDR':
      return contained(id, args)
    case 'validate':
      return { cost: scaled(scaled(sizeOf(first!), SCAN), FORMAT_PATTERN * REGEX) }
    case '_==_':
      return opaqueEquality(args)
    default:
      return undefined
  }
}

/** An int as Go's conversion to uint64 has it. */
function unsigned(value: unknown): number {
  const n = Number(value)
  return n < 0 ? LIMIT : n
}

function constant(one: Sized | undefined, otherwise: number): number {
  const expr = one?.expr
  if (expr?.kind !== 'literal') return otherwise
  const n = Number(expr.value)
  return Math.max(n, 0)
}

function allocating(cost: Range, result: Range): CallEstimate {
  return { cost: plus(cost, fixed(11)), result }
}

function selfCompare(one: Sized, texts: boolean): CallEstimate {
  const square = times(sizeOf(one), sizeOf(one))
  return allocating(scaled(square, texts ? 2.1 : 2), square)
}

/** The list and set libraries of cel-go, by overload. */
export function extensionCall(id: string, target: Sized | undefined, args: readonly Sized[]): CallEstimate | undefined {
  switch (id) {
    case 'list_sets_contains_list':
    case 'list_sets_intersects_list':
    case 'list_sets_equivalent_list': {
      const both = times(sizeOf(args[0]!), sizeOf(args[1]!))
      return { cost: plus(scaled(both, id === 'list_sets_equivalent_list' ? 2 : 1), ONE) }
    }
    case 'list_slice': {
      const start = constant(args[0], 0)
      const end = constant(args[1], sizeOf(target!).max)
      const size = fixed(end < start ? LIMIT : end === start ? 0 : end - start)
      return allocating(size, size)
    }
    case 'list_flatten':
    case 'list_flatten_int': {
      const size = sizeOf(target!)
      const depth = args.length === 0 ? 1 : constant(args[0], LIMIT)
      return allocating(scaled(size, depth), size)
    }
    case 'lists_range': {
      const size = fixed(constant(args[0], LIMIT))
      return allocating(size, size)
    }
    case 'list_reverse':
      return allocating(sizeOf(target!), sizeOf(target!))
    case 'list_distinct':
      return selfCompare(target!, false)
    default: {
      const sorts = /^list_(.+)_(sort|sortByAssociatedKeys)$/.exec(id)
      if (sorts === null || target === undefined) return undefined
      return selfCompare(sorts[2] === 'sort' ? target : args[0]!, sorts[1] === 'string' || sorts[1] === 'bytes')
    }
  }
}

/** The standard library. */
export function standardCall(id: string, target: Sized | undefined, args: readonly Sized[]): CallEstimate | undefined {
  const [first, second] = args
  switch (id) {
    case 'string_format':
      return target === undefined ? undefined : scan(target)
    case 'string_to_bytes': {
      const size = sizeOf(first!)
      return { ...scan(first!), result: range(size.min, size.max * 4) }
    }
    case 'bytes_to_string': {
      const size = sizeOf(first!)
      return { ...scan(first!), result: range(Math.trunc(size.min / 4), size.max) }
    }
    case 'strings_quote': {
      const size = sizeOf(first!)
      return { ...scan(first!), result: range(size.min + 2, size.max * 2 + 2) }
    }
    case 'starts_with_string':
    case 'ends_with_string':
      return scan(first!)
    case 'in_list':
      return { cost: sizeOf(second!) }
    case 'matches_string':
      return target === undefined ? undefined : { cost: search(target, first!) }
    case 'matches':
      return target === undefined ? { cost: search(first!, second!) } : undefined
    case 'contains_string':
      return { cost: times(scaled(sizeOf(target!), SCAN), scaled(sizeOf(first!), SCAN)) }
    case 'add_string':
    case 'add_bytes': {
      const result = plus(sizeOf(first!), sizeOf(second!))
      return { cost: scaled(result, SCAN), result }
    }
    case 'add_list':
      return { cost: ONE, result: plus(sizeOf(first!), sizeOf(second!)) }
    default: {
      if (!/^(?:(?:less|greater)(?:_equals)?_(?:string|bytes)|equals|not_equals)$/.test(id)) return undefined
      const max = Math.min(sizeOf(first!).max, sizeOf(second!).max)
      return { cost: scaled(range(max > 0 ? 1 : 0, max), SCAN) }
    }
  }
}
