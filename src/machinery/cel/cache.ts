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

/** The compiled expression, made when it is not known. The least recently used are forgotten. */
export function remembered(text: string, options: CompileOptions, make: () => Compiled): Compiled {
  if (text.length > MAX_KEPT) return make()
  const key = keyOf(text, options)
  const known = kept.get(key)
  if (known !== undefined) {
    kept.delete(key)
    kept.set(key, known)
    return known
  }
  const made = make()
  kept.set(key, made)
  characters += key.length
  for (const oldest of kept.keys()) {
    if (characters <= MAX_CHARACTERS) break
    kept.delete(oldest)
    characters -= oldest.length
  }
  return made
}
