/** Defaulting by a structural schema. */
import { copyJson, isObject, own, setOwn } from './props.ts'
import type { Data, SchemaProps } from './props.ts'

/** Fills in defaults in place. */
export type Default = (value: unknown) => void

interface Property {
  readonly name: string
  /** Absent: no default of its own. */
  readonly value?: unknown
  readonly nullable: boolean
  readonly inner: Default | undefined
}

const META = new Set(['apiVersion', 'kind', 'metadata'])

function property(name: string, schema: SchemaProps): Property {
  const inner = compileDefaults(schema, false)
  const nullable = schema.nullable === true
  return schema.default === undefined ? { name, nullable, inner } : { name, nullable, inner, value: schema.default }
}

/**
 * The defaulter of a schema, undefined when it never has anything to do. A null that is not nullable is replaced by the
 * default, or dropped when there is none.
 */
export function compileDefaults(schema: SchemaProps, root: boolean): Default | undefined {
  const properties = Object.entries(schema.properties ?? {})
    .filter(([name]) => !(root && META.has(name)))
    .map(([name, props]) => property(name, props))
  const known = new Set(Object.keys(schema.properties ?? {}))
  const additional =
    typeof schema.additionalProperties === 'object' ? property('', schema.additionalProperties) : undefined
  const items = schema.items === undefined ? undefined : property('', schema.items)
  if (properties.length === 0 && additional === undefined && items === undefined) return undefined
  return (value) => {
    if (Array.isArray(value)) {
      if (items !== undefined) defaultItems(items, value)
    } else if (isObject(value)) {
      for (const p of properties) defaultProperty(p, value)
      if (additional === undefined) return
      for (const name of Object.keys(value)) {
        if (!known.has(name)) defaultMember(additional, value, name)
      }
    }
  }
}

function defaultItems(items: Property, list: unknown[]): void {
  for (let i = 0; i < list.length; i++) {
    if (list[i] === null && !items.nullable && items.value !== undefined) list[i] = copyJson(items.value)
    items.inner?.(list[i])
  }
}

function defaultProperty(p: Property, value: Data): void {
  const now = own(value, p.name)
  if (now === undefined) {
    if (p.value === undefined) return
    setOwn(value, p.name, copyJson(p.value))
  } else if (now === null && !p.nullable) {
    if (p.value === undefined) {
      delete value[p.name]
      return
    }
    setOwn(value, p.name, copyJson(p.value))
  }
  p.inner?.(own(value, p.name))
}

function defaultMember(p: Property, value: Data, name: string): void {
  if (value[name] === null && !p.nullable) {
    if (p.value === undefined) delete value[name]
    else setOwn(value, name, copyJson(p.value))
  }
  p.inner?.(own(value, name))
}
