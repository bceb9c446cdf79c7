/** Compiled expressions, shared by all clusters of a process. */
import type { CelType, CompileOptions, Compiled } from './contract.ts'

/** Characters of expressions that are kept; a program takes about 70 bytes for each. */
const MAX_CHARACTERS = 500_000
/** Longer expressions are compiled anew: they are rare, and tenants could fill the memory with them. */
const MAX_KEPT = 20_000

/** Types have no names that tell them apart: they are known by their identity. */
const ids = new WeakMap<CelType, number>()
let last = 0

function idOf(type: CelType): number {
  const known = ids.get(type)
  if (known !== undefined) return known
  ids.set(type, ++last)
  return last
}

function keyOf(text: string, { profile, variables }: CompileOptions): string {
  let key = profile as string
  for (const [name, type] of variables) key += ` ${name}=${typeKey(type)}`
  return `${key}\0${text}`
}

function typeKey(type: CelType): string {
  // `optional` of a type is made anew for every rule.
  if (type.kind === 'optional') return `?${typeKey(type.value)}`
  return simpleKind(type) ?? String(idOf(type))
}

/** Of types that are the same wherever they are declared. */
function simpleKind(type: CelType): string | undefined {
  return 'name' in type || 'item' in type || 'value' in type || ('maxLength' in type && type.maxLength !== undefined)
    ? undefined
    : type.kind
}

const kept = new Map<string, Compiled>()
let characters = 0

/** The compiled expression, if it is kept. */
export function known(text: string, options: CompileOptions): Compiled | undefined {
  if (text.length > MAX_KEPT) return undefined
  const key = keyOf(text, options)
  const found = kept.get(key)
  if (found !== undefined) {
    kept.delete(key)
    kept.set(key, found)
  }
  return found
}

/** Keeps it, unless it is too long. The least recently used are forgotten. */
export function remember(text: string, options: CompileOptions, made: Compiled): void {
  if (text.length > MAX_KEPT) return
  const key = keyOf(text, options)
  // Somebody else may have compiled it meanwhile.
  if (kept.delete(key)) characters -= key.length
  kept.set(key, made)
  characters += key.length
  for (const oldest of kept.keys()) {
    if (characters <= MAX_CHARACTERS) break
    kept.delete(oldest)
    characters -= oldest.length
  }
}
