/** OpenAPI schemas of custom resources. */
import type { GroupVersionKind } from '../object.ts'
import { setOwn } from '../codec/exact.ts'
import type { SchemaProps } from '../schema/index.ts'
import { fieldDescription } from './descriptions.ts'
import type { Dialect, Schema } from './schemas.ts'

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

/** `com.example.v1.Foo` of `example.com/v1, Kind=Foo` */
export function definitionName({ group, version, kind }: GroupVersionKind): string {
  return [...group.split('.').toReversed(), version, kind].join('.')
}

/** The schema of a custom kind as it is published: with apiVersion, kind and metadata. */
export function customSchema(schema: SchemaProps | undefined, gvk: GroupVersionKind, dialect: Dialect): Schema {
  const kinds = { 'x-kubernetes-group-version-kind': [gvk] }
  const open = dialect.version === 2 && schema?.[PRESERVE] === true
  // With any property, not even those of every object, kubectl would refuse all others.
  if (schema === undefined || open) return { type: 'object', ...kinds }
  const own = published(schema, dialect)
  return { ...own, type: 'object', properties: { ...(own['properties'] as Schema), ...typeMeta(dialect) }, ...kinds }
}

const PRESERVE = 'x-kubernetes-preserve-unknown-fields'
const EMBEDDED = 'x-kubernetes-embedded-resource'

/** The properties of every object. */
function typeMeta(dialect: Dialect): Schema {
  const reference = { $ref: `${dialect.prefix}${META}ObjectMeta` }
  const description = fieldDescription('', 'metadata')
  return {
    apiVersion: { type: 'string', description: fieldDescription('', 'apiVersion') },
    kind: { type: 'string', description: fieldDescription('', 'kind') },
    metadata: dialect.version === 3 ? { description, allOf: [reference] } : { description, ...reference },
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

/** What version 2 does not know. */
const DROPPED: ReadonlySet<string> = new Set(['nullable', 'oneOf', 'anyOf', 'allOf', 'not'])
/** What is published of a schema that kubectl, by version 2, is not to look into. */
const CLOSED: ReadonlySet<string> = new Set([...DROPPED, 'items', 'properties'])
const NONE: ReadonlySet<string> = new Set()

/** A schema in a dialect: what version 2 cannot say becomes open; embedded objects get what every object has. */
function published(schema: SchemaProps, dialect: Dialect): Schema {
  const old = dialect.version === 2
  const open = schema[PRESERVE] === true
  const closed = old && (open || schema.nullable === true)
  const dropped = closed ? CLOSED : old ? DROPPED : NONE
  const out: Schema = {}
  for (const [name, value] of Object.entries(schema)) if (!dropped.has(name)) out[name] = value
  if (old) lower(schema, out)
  const { items, additionalProperties, properties = {} } = schema
  if (items !== undefined && !closed) out['items'] = published(items, dialect)
  if (typeof additionalProperties === 'object') out['additionalProperties'] = published(additionalProperties, dialect)
  if (schema.properties !== undefined && !closed) {
    const inner: Schema = {}
    for (const [name, value] of Object.entries(properties)) setOwn(inner, name, published(value, dialect))
    out['properties'] = inner
  }
  if (schema[EMBEDDED] === true && !(old && open)) {
    out['properties'] = { ...(out['properties'] as Schema | undefined), ...typeMeta(dialect) }
    out['required'] = [...new Set([...((out['required'] as string[] | undefined) ?? []), 'kind', 'apiVersion'])]
  }
  return out
}

/** Changes of version 2 beside the fields that go. */
function lower(schema: SchemaProps, out: Schema): void {
  const untyped = schema.nullable === true || schema['x-kubernetes-int-or-string'] === true
  const typeless = (schema.type === 'object' && schema[PRESERVE] === true) || (schema.type === 'array' && !out['items'])
  if (untyped || typeless) delete out['type']
  if (schema.additionalProperties === false) delete out['additionalProperties']
  const required = (schema.required ?? []).filter((name) => {
    const inner = schema.properties
    return inner === undefined || !Object.hasOwn(inner, name) || inner[name]?.nullable !== true
  })
  if (required.length > 0) out['required'] = required
  else delete out['required']
}
