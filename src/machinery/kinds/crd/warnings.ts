/** What the writer of a CustomResourceDefinition is told beside the answer. */
import { entriesOf, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { formatCheck } from '../../schema/formats.ts'

interface Told {
  readonly formats: string[]
  readonly sets: Set<string>
}

const NUMERIC: Readonly<Record<string, readonly string[]>> = {
  integer: ['int32', 'int64'],
  number: ['float', 'double'],
}

function look(schema: Json, told: Told): void {
  if (!isSet(schema) || typeof schema !== 'object') return
  const { format, type } = schema
  if (format && !isKnown(format, type ?? '')) told.formats.push(format)
  const items: Json = isSet(schema.items) && !Array.isArray(schema.items) ? schema.items : undefined
  if (schema['x-kubernetes-list-type'] === 'set' && (items?.type === 'object' || items?.type === 'array')) {
    const text = `x-kubernetes-list-type: set for items of type ${JSON.stringify(items.type)} is not supported by server-side apply or CEL validation rules`
    told.sets.add(text)
  }
  look(items, told)
  for (const [, property] of entriesOf(schema.properties)) look(property, told)
  look(schema.additionalProperties, told)
  for (const field of ['allOf', 'oneOf', 'anyOf']) for (const inner of listOf(schema[field])) look(inner, told)
  look(schema.not, told)
}

function isKnown(format: string, type: string): boolean {
  if (type === '' || type === 'string') return formatCheck(format) !== undefined
  return NUMERIC[type]?.includes(format) === true
}

/** Versions that share one schema are told of once. */
function toldOf(crd: Json): Told {
  const told: Told = { formats: [], sets: new Set<string>() }
  const versions = listOf(crd?.spec?.versions)
  const shared = versions.every((version) => same(version.schema, versions[0].schema))
  for (const version of shared ? versions.slice(0, 1) : versions) look(version.schema?.openAPIV3Schema, told)
  return told
}

/** Formats that nobody checks, and sets that apply cannot merge; on updates only those that are new. */
export function definitionWarnings(crd: Json, old: Json): string[] {
  if (old !== undefined && same(crd.spec?.versions, old.spec?.versions)) return []
  const now = toldOf(crd)
  const before = toldOf(old)
  const formats = now.formats.filter((format) => !before.formats.includes(format))
  const sets = [...now.sets].toSorted().filter((text) => !before.sets.has(text))
  return [...formats.map((format) => `unrecognized format ${JSON.stringify(format)}`), ...sets]
}
