/** Schemas of custom resources, from the structural schema of a version. */
import type { SchemaProps } from '../schema/index.ts'
import { builtinSchema } from './builtin.ts'
import { fieldElement } from './element.ts'
import { isMap } from './gotext.ts'
import type { FieldSchema, ListSchema, MapSchema, Schema } from './schema.ts'
import { ANY_SCALAR, BOOLEAN, DEDUCED, NUMERIC, STRING, UNTYPED, structSchema } from './schema.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

const schemas = new WeakMap<object, Schema>()

/** The schema of a custom resource: what its definition says, with the metadata of all objects. */
export function customSchema(props: SchemaProps): Schema {
  let schema = schemas.get(props)
  if (schema === undefined) schemas.set(props, (schema = { map: objectOf(props, false, true) }))
  return schema
}

/** `preserving`: an enclosing object keeps unknown fields, and so does everything in it. */
function schemaOf(props: SchemaProps, preserving: boolean): Schema {
  const keeps = preserving || props['x-kubernetes-preserve-unknown-fields'] === true
  switch (props.type) {
    case 'object':
      return { map: objectOf(props, keeps, props['x-kubernetes-embedded-resource'] === true) }
    case 'array':
      return { list: listOf(props, keeps) }
    case 'integer':
    case 'number':
      return NUMERIC
    case 'boolean':
      return BOOLEAN
    case 'string':
      return props.format === undefined || props.format === '' || props.format === 'byte' ? STRING : ANY_SCALAR
    default:
      return { scalar: 'untyped', list: listOf(props, keeps), map: objectOf(props, keeps, false) }
  }
}

function objectOf(props: SchemaProps, preserving: boolean, resource: boolean): MapSchema {
  const keeps = preserving || props['x-kubernetes-preserve-unknown-fields'] === true
  const { properties = {} } = props
  const lookup = (name: string): FieldSchema | undefined => {
    const element = fieldElement(name)
    if (resource) {
      if (name === 'metadata') return { schema: builtinSchema(META), element }
      if (name === 'apiVersion' || name === 'kind') return { schema: STRING, element }
    }
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!isMap(property)) return undefined
    const field = { schema: schemaOf(property, keeps), element }
    return property['default'] === undefined ? field : { ...field, default: property['default'] }
  }
  const declared = resource || Object.keys(properties).length > 0
  const rest = restOf(props, keeps, declared)
  const map = structSchema(lookup, {
    atomic: props['x-kubernetes-map-type'] === 'atomic',
    ...(rest === undefined ? {} : { rest }),
  })
  return declared ? map : { ...map, deduced: rest === DEDUCED || rest === ANY_SCALAR }
}

function restOf(props: SchemaProps, keeps: boolean, declared: boolean): Schema | undefined {
  const { additionalProperties } = props
  if (additionalProperties === undefined) return keeps || !declared ? DEDUCED : undefined
  if (additionalProperties === true) return DEDUCED
  return additionalProperties === false ? undefined : schemaOf(additionalProperties, keeps)
}

function listOf(props: SchemaProps, preserving: boolean): ListSchema {
  const type = props['x-kubernetes-list-type']
  const item = props.items === undefined ? UNTYPED : schemaOf(props.items, preserving)
  const keys = type === 'map' ? (props['x-kubernetes-list-map-keys'] ?? []) : []
  return { atomic: type !== 'set' && type !== 'map', item, keys }
}
