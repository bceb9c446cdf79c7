/** How small values of a schema can be as JSON: how often they fit into one request at most. */
import type { SchemaProps } from './props.ts'

/** Bytes of the largest request that upstream reckons with. */
const MAX_REQUEST = 3 * 1024 * 1024
const EMPTY = 2
const BOOLEAN = 4
const SIZE_BY_FORMAT: Readonly<Record<string, number>> = { duration: 3, date: 12, 'date-time': 21 }

/** At least so many bytes a value has; undefined when rules cannot see values of this schema. */
export function smallest(schema: SchemaProps, root: boolean): number | undefined {
  if (schema['x-kubernetes-int-or-string'] === true) return 1
  switch (schema.type) {
    case 'array': {
      if (schema.items === undefined) return undefined
      return smallest(schema.items, false) === undefined ? undefined : EMPTY
    }
    case 'object': {
      const { additionalProperties, properties = {}, required = [] } = schema
      if (typeof additionalProperties === 'object' && !root)
        return smallest(additionalProperties, false) === undefined ? undefined : EMPTY
      let size = EMPTY
      for (const name of required) {
        const inner = Object.hasOwn(properties, name) ? properties[name] : undefined
        if (inner === undefined || inner.default !== undefined) continue
        const least = smallest(inner, false)
        if (least !== undefined) size += Buffer.byteLength(name) + least + 4
      }
      return size
    }
    case 'string':
      return SIZE_BY_FORMAT[schema.format ?? ''] ?? EMPTY
    case 'boolean':
      return BOOLEAN
    case 'integer':
    case 'number':
      return 1
    default:
      return undefined
  }
}

/** How many values of a schema one object holds at most, where nothing else bounds them. */
export function mostInRequest(schema: SchemaProps, root: boolean): number {
  return Math.floor(MAX_REQUEST / ((smallest(schema, root) ?? 0) + 1))
}
