/** OpenAPI schemas of custom resources. */
import type { GroupVersionKind } from '../object.ts'
import type { SchemaProps } from '../schema/index.ts'
import type { Dialect, Schema } from './schemas.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

/** `com.example.v1.Foo` of `example.com/v1, Kind=Foo` */
export function definitionName({ group, version, kind }: GroupVersionKind): string {
  return [...group.split('.').toReversed(), version, kind].join('.')
}

const EMPTY: SchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** The schema of a custom kind as it is published: with apiVersion, kind and metadata. */
export function customSchema(schema: SchemaProps | undefined, gvk: GroupVersionKind, dialect: Dialect): Schema {
  const own: Schema = dialect.version === 3 ? { ...(schema ?? EMPTY) } : lowered(schema ?? EMPTY)
  const metadata = `${dialect.prefix}${META}ObjectMeta`
  const open = dialect.version === 2 && schema?.['x-kubernetes-preserve-unknown-fields'] === true
  const properties = open ? {} : ((own['properties'] as Schema | undefined) ?? {})
  return {
    ...own,
    type: 'object',
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: 'Group and version of the schema that the object is written in.' },
      kind: { type: 'string', description: 'The kind of the object.' },
      metadata:
        dialect.version === 3
          ? { description: 'What every object has.', allOf: [{ $ref: metadata }] }
          : { description: 'What every object has.', $ref: metadata },
    },
    'x-kubernetes-group-version-kind': [gvk],
  }
}

/** The schema of its list. */
export function customListSchema(listKind: string, gvk: GroupVersionKind, dialect: Dialect): Schema {
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { $ref: `${dialect.prefix}${META}ListMeta` },
      items: { type: 'array', items: { $ref: `${dialect.prefix}${definitionName(gvk)}` } },
    },
    'x-kubernetes-group-version-kind': [{ ...gvk, kind: listKind }],
  }
}

const DROPPED = new Set(['nullable', 'default', 'oneOf', 'anyOf', 'allOf', 'not', 'x-kubernetes-validations'])

/** What version 2 can say of a schema; what it can not becomes open. */
function lowered(schema: SchemaProps): Schema {
  const out: Schema = {}
  for (const [name, value] of Object.entries(schema)) if (!DROPPED.has(name)) out[name] = value
  const nullable = schema.nullable === true
  const open = schema['x-kubernetes-preserve-unknown-fields'] === true
  if (nullable || schema['x-kubernetes-int-or-string'] === true) {
    delete out['type']
    delete out['format']
  }
  if (open || nullable) {
    delete out['items']
    delete out['properties']
    delete out['additionalProperties']
    delete out['required']
    return out
  }
  if (schema.items !== undefined) out['items'] = lowered(schema.items)
  if (typeof schema.additionalProperties === 'object') {
    out['additionalProperties'] = lowered(schema.additionalProperties)
  } else if (schema.additionalProperties === false) delete out['additionalProperties']
  if (schema.properties !== undefined) {
    const properties: Schema = {}
    for (const [name, inner] of Object.entries(schema.properties)) {
      Object.defineProperty(properties, name, {
        value: lowered(inner),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    }
    out['properties'] = properties
  }
  return out
}
