/** Lists of type set hold each item once, lists of type map each key. */
import type { FieldError } from '../field.ts'
import { child, duplicate, index, invalid, key } from '../field.ts'
import { isObject } from './props.ts'
import type { Data, SchemaProps } from './props.ts'
import { Report } from './report.ts'
import type { Steps } from './steps.ts'

export type Unique = (value: unknown, path: string, report: Report) => Steps<void>

/** The check of a schema and all below it, undefined when there is no such list. */
export function compileUnique(schema: SchemaProps): Unique | undefined {
  const items = schema.items === undefined ? undefined : compileUnique(schema.items)
  const own = ownCheck(schema)
  const properties = new Map<string, Unique>()
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const unique = compileUnique(inner)
    if (unique !== undefined) properties.set(name, unique)
  }
  const { additionalProperties } = schema
  const additional = typeof additionalProperties === 'object' ? compileUnique(additionalProperties) : undefined
  if (items === undefined && own === undefined && properties.size === 0 && additional === undefined) return undefined
  return function* (value, path, report) {
    if (report.full) return
    if (Array.isArray(value)) {
      if (own !== undefined) yield* own(value, path, report)
      if (items === undefined) return
      for (let i = 0; i < value.length; i++) {
        if (i % STRIDE === STRIDE - 1) yield
        if (isContainer(value[i])) yield* items(value[i], index(path, i), report)
      }
    } else if (isObject(value)) {
      let count = 0
      if (additional !== undefined)
        for (const name of Object.keys(value)) {
          if (++count % STRIDE === 0) yield
          if (isContainer(value[name])) yield* additional(value[name], key(path, name), report)
        }
      for (const [name, unique] of properties)
        if (Object.hasOwn(value, name)) yield* unique(value[name], child(path, name), report)
    }
  }
}

/** Items of one step. */
const STRIDE = 128
const isContainer = (value: unknown): boolean => typeof value === 'object' && value !== null

type ListCheck = (list: readonly unknown[], path: string, report: Report) => Steps<void>

function ownCheck(schema: SchemaProps): ListCheck | undefined {
  const type = schema['x-kubernetes-list-type']
  if (type === 'set') {
    return function* (list, path, report) {
      for (const i of yield* repeated(list, (item) => item)) report.push(duplicate(index(path, i), list[i]))
    }
  }
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  if (type !== 'map') return undefined
  return function* (list, path, report) {
    const strange = list.findIndex((item) => item !== null && !isObject(item))
    if (strange >= 0) {
      report.push(invalid(index(path, strange), list[strange], 'must be an object for an array of list-type map'))
      return
    }
    const keyed = (item: unknown): Data => {
      const out: Data = {}
      if (isObject(item)) for (const name of keys) if (Object.hasOwn(item, name)) out[name] = item[name]
      return out
    }
    for (const i of yield* repeated(list, keyed)) report.push(duplicate(index(path, i), keyed(list[i])))
  }
}

/** Where an item stands for the second time. */
function* repeated(list: readonly unknown[], keyOf: (item: unknown) => unknown): Steps<number[]> {
  const times = new Map<string, number>()
  const out: number[] = []
  for (let i = 0; i < list.length; i++) {
    if (i % STRIDE === STRIDE - 1) yield
    const text = canonical(keyOf(list[i]))
    const before = times.get(text) ?? 0
    times.set(text, before + 1)
    if (before === 1) out.push(i)
  }
  return out
}

/** JSON text with sorted keys: equal for equal values. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const names = Object.keys(value).toSorted()
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`
}

/** Everything that is twice. On updates nothing is said where something was twice before. */
export function* uniqueErrors(unique: Unique | undefined, value: Data, old: Data | undefined): Steps<FieldError[]> {
  if (unique === undefined) return []
  const found = new Report()
  yield* unique(value, '', found)
  if (found.list.length === 0 || old === undefined) return found.list
  const before = new Report()
  yield* unique(old, '', before)
  return before.list.length === 0 ? found.list : []
}
