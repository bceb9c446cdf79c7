/** One step of a field path: a field, the keys of a list item, a value of a set, or an index. */
import { goQuote } from '../quote.ts'
import { compareText, goJson, isMap, isScalar } from './gotext.ts'

/** The keys of a list item by name, in order. */
export type Keys = readonly (readonly [name: string, value: unknown])[]

interface Base {
  /** How FieldsV1 names it: `f:spec`, `k:{"name":"x"}`, `v:"x"`, `i:0`. Equal texts are equal elements. */
  readonly text: string
}

export interface FieldElement extends Base {
  readonly kind: 'f'
  readonly name: string
}
export interface KeyElement extends Base {
  readonly kind: 'k'
  readonly keys: Keys
}
export interface ValueElement extends Base {
  readonly kind: 'v'
  readonly value: unknown
}
export interface IndexElement extends Base {
  readonly kind: 'i'
  readonly index: number
}

export type PathElement = FieldElement | KeyElement | ValueElement | IndexElement

export function fieldElement(name: string): FieldElement {
  return { kind: 'f', text: `f:${name}`, name }
}

/** Names of containers, types of conditions and the like come up again and again. Bounded: they are tenants' words. */
const interned = new Map<string, KeyElement>()
const MAX_INTERNED = 4096
const MAX_INTERNED_LENGTH = 64

/** `keys` in any order. */
export function keyElement(keys: Keys): KeyElement {
  const [first] = keys
  if (keys.length !== 1 || typeof first![1] !== 'string' || first![1].length > MAX_INTERNED_LENGTH) return makeKey(keys)
  const id = `${first![0]}\u0000${first![1]}`
  let element = interned.get(id)
  if (element === undefined) {
    element = makeKey(keys)
    if (interned.size >= MAX_INTERNED) interned.clear()
    interned.set(id, element)
  }
  return element
}

function makeKey(keys: Keys): KeyElement {
  const sorted = keys.length < 2 ? keys : [...keys].sort((a, b) => compareText(a[0], b[0]))
  let text = 'k:{'
  for (const [name, value] of sorted) text += `${text.length > 3 ? ',' : ''}${goJson(name)}:${goJson(value)}`
  return { kind: 'k', text: `${text}}`, keys: sorted }
}

export function valueElement(value: unknown): ValueElement {
  return { kind: 'v', text: `v:${goJson(value)}`, value }
}

export function indexElement(index: number): IndexElement {
  return { kind: 'i', text: `i:${index}`, index }
}

/** A key of FieldsV1. Undefined for a kind of step that is not known. @throws SyntaxError for text that is none */
export function parseElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new SyntaxError('key must be 2 characters long:')
  if (text[1] !== ':') throw new SyntaxError(`missing colon: ${text}`)
  const rest = text.slice(2)
  switch (text[0]) {
    case 'f':
      return { kind: 'f', text, name: rest }
    case 'v':
      return valueElement(parseKey(rest))
    case 'k': {
      const keys = parseKey(rest)
      if (!isMap(keys)) throw new SyntaxError(`no keys: ${text}`)
      return keyElement(Object.entries(keys))
    }
    case 'i':
      if (!/^[+-]?\d{1,18}$/.test(rest)) throw new SyntaxError(`no index: ${text}`)
      return indexElement(Number(rest))
    default:
      return undefined
  }
}

/** Keys are scalars, or little more: what is in this text does not count for the depth of its document. */
const MAX_KEY_DEPTH = 100

function parseKey(text: string): unknown {
  let opened = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if ((c === '[' || c === '{') && ++opened > MAX_KEY_DEPTH) throw new SyntaxError('a key is too deep')
  }
  return JSON.parse(text) as unknown
}

const RANK = { f: 0, k: 1, v: 2, i: 3 } as const

/** The order of elements in FieldsV1: fields, keys, values, indexes. */
export function compareElements(a: PathElement, b: PathElement): number {
  if (a === b) return 0
  if (a.kind === 'f' && b.kind === 'f') return compareText(a.name, b.name)
  if (a.kind !== b.kind) return RANK[a.kind] - RANK[b.kind]
  if (a.text === b.text) return 0
  if (a.kind === 'k') return compareKeys(a.keys, (b as KeyElement).keys)
  if (a.kind === 'v') return compareValues(a.value, (b as ValueElement).value)
  return (a as IndexElement).index - (b as IndexElement).index
}

function compareKeys(a: Keys, b: Keys): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compareText(a[i]![0], b[i]![0]) || compareValues(a[i]![1], b[i]![1])
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Numbers, strings, booleans, lists, maps, null. */
function compareValues(a: unknown, b: unknown): number {
  if (a === b) return 0
  const order = valueRank(a) - valueRank(b)
  if (order !== 0) return order
  if (typeof a === 'string') return compareText(a, b as string)
  if (typeof a === 'boolean') return Number(a) - Number(b)
  if (valueRank(a) === 0) return numberOf(a) - numberOf(b)
  return compareText(goJson(a), goJson(b))
}

function valueRank(value: unknown): number {
  if (typeof value === 'string') return 1
  if (typeof value === 'boolean') return 2
  if (isScalar(value)) return 0
  if (Array.isArray(value)) return 3
  return value === null ? 5 : 4
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : Number(JSON.stringify(value))
}

/** `.name`, `[name="x",port=80]`, `[="x"]`, `[0]` */
export function elementText(element: PathElement): string {
  switch (element.kind) {
    case 'f':
      return `.${element.name}`
    case 'k':
      return `[${element.keys.map(([name, value]) => `${name}=${valueText(value)}`).join(',')}]`
    case 'v':
      return `[=${valueText(element.value)}]`
    default:
      return `[${element.index}]`
  }
}

function valueText(value: unknown): string {
  if (typeof value === 'string') return goQuote(value)
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`
  if (isMap(value))
    return Object.keys(value)
      .map((key) => `${key}=${valueText(value[key])}`)
      .join('')
  return JSON.stringify(value)
}

/** A path as messages have it: `.spec.containers[name="x"].image` */
export function pathText(path: readonly PathElement[]): string {
  return path.map(elementText).join('')
}
