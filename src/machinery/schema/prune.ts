/** Pruning: fields that a structural schema does not know are dropped, or only reported. */
import { isObject, own } from './props.ts'
import type { Data, SchemaProps } from './props.ts'

/** Drops unknown fields of `value` in place; with `unknown`, reports their paths and leaves the value alone. */
export type Prune = (value: unknown, path: string, unknown: string[] | undefined) => void

const META = new Set(['apiVersion', 'kind', 'metadata'])
const NO_NAMES: ReadonlySet<string> = new Set()
const child = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

/** The pruner of a schema, undefined when it never has anything to do. Without a schema everything is unknown. */
export function compilePrune(schema: SchemaProps | undefined, root: boolean): Prune | undefined {
  if (schema === undefined) return pruneAll
  const preserve = schema['x-kubernetes-preserve-unknown-fields'] === true
  const embedded = root || schema['x-kubernetes-embedded-resource'] === true
  const properties = new Map<string, Prune | undefined>()
  for (const name of Object.keys(schema.properties ?? {})) {
    if (embedded && META.has(name)) continue
    properties.set(name, compilePrune(schema.properties![name], false))
  }
  const { additionalProperties } = schema
  const open = additionalProperties !== undefined && additionalProperties !== false
  const additional = open
    ? compilePrune(typeof additionalProperties === 'object' ? additionalProperties : undefined, false)
    : undefined
  const items = schema.items === undefined && preserve ? undefined : compilePrune(schema.items, false)
  const names = embedded ? META : NO_NAMES
  const inner = { properties, names, preserve, open, additional }
  const scalar = schema.type !== undefined && schema.type !== 'object' && schema.type !== 'array'
  if (scalar && properties.size === 0) return pruneMistyped
  return (value, path, unknown) => {
    if (Array.isArray(value)) {
      if (items === undefined) return
      for (let i = 0; i < value.length; i++) {
        const item: unknown = value[i]
        if (typeof item === 'object' && item !== null)
          items(item, unknown === undefined ? '' : `${path}[${i}]`, unknown)
      }
    } else if (isObject(value)) {
      pruneObject(inner, value, path, unknown)
      if (embedded && !root) pruneMetadata(value, path, unknown)
    }
  }
}

interface Inner {
  readonly properties: ReadonlyMap<string, Prune | undefined>
  readonly names: ReadonlySet<string>
  readonly preserve: boolean
  readonly open: boolean
  readonly additional: Prune | undefined
}

function pruneObject(inner: Inner, value: Data, path: string, unknown: string[] | undefined): void {
  for (const name of Object.keys(value)) {
    if (inner.names.has(name)) continue
    if (inner.properties.has(name) || inner.open) {
      const prune = inner.properties.has(name) ? inner.properties.get(name) : inner.additional
      const item = value[name]
      if (prune !== undefined && typeof item === 'object' && item !== null) {
        prune(item, unknown === undefined ? '' : child(path, name), unknown)
      }
    } else if (!inner.preserve) {
      if (unknown === undefined) delete value[name]
      else unknown.push(child(path, name))
    }
  }
}

/** Where no schema is, every field is unknown. */
function pruneAll(value: unknown, path: string, unknown: string[] | undefined): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) pruneAll(value[i], `${path}[${i}]`, unknown)
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      if (unknown === undefined) delete value[name]
      else unknown.push(child(path, name))
    }
  }
}

/** An object where the schema wants a scalar: its fields are unknown too; validation says the rest. */
const pruneMistyped: Prune = pruneAll

/** Field of a resource's own metadata that the server knows. */
const METADATA = new Set([
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
])

/** Drops, or reports, what metadata may not have. */
export function pruneMetadata(object: Data, path: string, unknown: string[] | undefined): void {
  const metadata = own(object, 'metadata')
  if (!isObject(metadata)) return
  for (const name of Object.keys(metadata)) {
    if (METADATA.has(name)) continue
    if (unknown === undefined) delete metadata[name]
    else unknown.push(child(child(path, 'metadata'), name))
  }
}
