/** What all walks over typed values share: which form a value has, and how items of a list are told apart. */
import type { PathElement } from './element.ts'
import { keyElement, valueElement } from './element.ts'
import { isMap, isScalar } from './gotext.ts'
import type { ListSchema, Schema } from './schema.ts'

/** A value that does not fit its schema, at a path. */
export interface TypedProblem {
  readonly path: string
  readonly text: string
}

/** A value does not fit its schema. The message is upstream's. */
export class TypedError extends Error {
  readonly problems: readonly TypedProblem[]

  constructor(problems: readonly TypedProblem[]) {
    const texts = problems.map(({ path, text }) => (path === '' ? text : `${path}: ${text}`))
    super(texts.length === 1 ? texts[0] : ['errors:', ...texts.map((text) => `  ${text}`)].join('\n'))
    this.name = 'TypedError'
    this.problems = problems
  }
}

/** The form of a schema that a value has; the schema itself when none fits. */
export function formOf(schema: Schema, value: unknown): Form {
  if (value === undefined || value === null) return formOfSchema(schema)
  if (Array.isArray(value)) {
    if (schema.list !== undefined) return 'list'
  } else if (isScalar(value)) {
    if (schema.scalar !== undefined) return 'scalar'
  } else if (schema.map !== undefined) return 'map'
  return formOfSchema(schema)
}

export type Form = 'map' | 'scalar' | 'list'

/** Of several forms the first counts. */
export function formOfSchema(schema: Schema): Form {
  if (schema.map !== undefined) return 'map'
  return schema.scalar === undefined ? 'list' : 'scalar'
}

/** Whether a schema allows more than one form. */
export function hasForms(schema: Schema): boolean {
  return (
    (schema.map === undefined ? 0 : 1) + (schema.scalar === undefined ? 0 : 1) + (schema.list === undefined ? 0 : 1) > 1
  )
}

/** The path element of an item of a set or a map list; a text when it has none. */
export function itemElement(list: ListSchema, item: unknown): PathElement | string {
  if (list.keys.length === 0) {
    if (isScalar(item)) return valueElement(item)
    if (Array.isArray(item)) return 'not supported: associative list with lists as elements'
    return item === null
      ? "associative list without keys has an element that's an explicit null"
      : "associative list without keys has an element that's a map type"
  }
  if (item === null) return 'associative list with keys may not have a null element'
  if (!isMap(item)) return 'associative list with keys may not have non-map elements'
  const keys: (readonly [string, unknown])[] = []
  for (const name of list.keys) {
    const value = Object.hasOwn(item, name) ? item[name] : undefined
    const key = value === undefined ? list.item.map?.field(name)?.default : value
    if (key !== undefined) keys.push([name, key])
  }
  if (keys.length > 0) return keyElement(keys)
  const names = list.keys.map((name) => JSON.stringify(name)).join(' ')
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`
}

/** As {@link itemElement}. @throws TypedError */
export function elementAt(list: ListSchema, items: readonly unknown[], index: number): PathElement {
  const element = itemElement(list, items[index])
  if (typeof element !== 'string') return element
  throw new TypedError([{ path: '', text: `element ${index}: ${element}` }])
}

/** An absent or empty list counts as a leaf, so that null, [] and absent stay apart. */
export function listOf(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value : undefined
}

/** As {@link listOf} for maps. */
export function mapOf(value: unknown): { readonly [key: string]: unknown } | undefined {
  if (!isMap(value)) return undefined
  for (const _ in value) return value
  return undefined
}

/** A value's own member; absent is undefined. */
export function member(map: { readonly [key: string]: unknown } | undefined, key: string): unknown {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined
}
