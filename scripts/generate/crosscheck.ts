/**
 * Compares the type table with what a real kube-apiserver publishes: discovery (resources, verbs, short names,
 * categories, subresources, order) and OpenAPI v3 (fields, kinds, required, list and map topology, patch strategies,
 * enums, defaults). Prints the differences; ends with 1 when there are any that are not explained below.
 *
 *     node scripts/generate/crosscheck.ts https://127.0.0.1:6443 admin.crt admin.key
 *
 * Run it by hand when the pinned version changes, against a kube-apiserver of that version with default flags
 * (scripts/kubernetes.ts builds one) and a client certificate of group system:masters.
 */
import { readFileSync } from 'node:fs'
import { Agent, fetch } from 'undici'
import type { FieldInfo, ResourceInfo, TypeInfo, ValueKind } from '../../src/machinery/types/table.ts'
import { typeTable } from '../../src/machinery/types/index.ts'

interface Schema {
  type?: string
  format?: string
  enum?: string[]
  default?: unknown
  required?: string[]
  properties?: Record<string, Schema>
  items?: Schema
  additionalProperties?: Schema
  allOf?: Schema[]
  oneOf?: Schema[]
  $ref?: string
  'x-kubernetes-list-type'?: string
  'x-kubernetes-list-map-keys'?: string[]
  'x-kubernetes-map-type'?: string
  'x-kubernetes-patch-strategy'?: string
  'x-kubernetes-patch-merge-key'?: string
}

const [server, certificate, key] = process.argv.slice(2)
if (server === undefined || certificate === undefined || key === undefined) {
  throw new Error('usage: crosscheck.ts SERVER CERTIFICATE KEY')
}
const dispatcher = new Agent({
  connect: { cert: readFileSync(certificate), key: readFileSync(key), rejectUnauthorized: false },
})
const differences: string[] = []

async function get(path: string, accept = 'application/json'): Promise<unknown> {
  const answer = await fetch(server + path, { dispatcher, headers: { accept } })
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer.json()
}

function compare(where: string, ours: unknown, theirs: unknown): void {
  const [a, b] = [JSON.stringify(ours), JSON.stringify(theirs)]
  if (a !== b) differences.push(`${where}: table ${a}, server ${b}`)
}

const sorted = (list: readonly string[] | undefined): string[] => [...(list ?? [])].sort()

// --- discovery ---

interface Discovered {
  resource: string
  responseKind: { group: string; version: string; kind: string }
  scope: string
  singularResource: string
  verbs: string[]
  shortNames?: string[]
  categories?: string[]
  subresources?: {
    subresource: string
    responseKind?: { group: string; version: string; kind: string }
    verbs: string[]
  }[]
}
interface Discovery {
  items: { metadata: { name?: string }; versions: { version: string; resources: Discovered[] }[] }[]
}

async function checkDiscovery(): Promise<void> {
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const order: string[] = []
  for (const path of ['/api', '/apis']) {
    const list = (await get(path, accept)) as Discovery
    for (const item of list.items) {
      for (const { version, resources } of item.versions) {
        const group = item.metadata.name ?? ''
        order.push(`${group}/${version}`)
        checkResources(group, version, resources)
      }
    }
  }
  compare('order of group versions', [...new Set(typeTable.resources.map((r) => `${r.group}/${r.version}`))], order)
}

function checkResources(group: string, version: string, theirs: readonly Discovered[]): void {
  const ours = typeTable.resources.filter((r) => r.group === group && r.version === version)
  compare(`${group}/${version}`, sorted(ours.map((r) => r.resource)), sorted(theirs.map((r) => r.resource)))
  for (const their of theirs) {
    const our = ours.find((r) => r.resource === their.resource)
    if (our !== undefined) checkResource(`${group}/${version} ${their.resource}`, our, their)
  }
}

function checkResource(where: string, our: ResourceInfo, their: Discovered): void {
  compare(`${where} kind`, our.kind, their.responseKind.kind)
  compare(`${where} scope`, our.namespaced, their.scope === 'Namespaced')
  compare(`${where} singular`, our.singular, their.singularResource)
  compare(`${where} verbs`, sorted(our.verbs), sorted(their.verbs))
  compare(`${where} short names`, sorted(our.shortNames), sorted(their.shortNames))
  compare(`${where} categories`, sorted(our.categories), sorted(their.categories))
  const theirSubs = their.subresources ?? []
  compare(
    `${where} subresources`,
    sorted(our.subresources.map((s) => s.name)),
    sorted(theirSubs.map((s) => s.subresource)),
  )
  for (const sub of theirSubs) {
    const mine = our.subresources.find((s) => s.name === sub.subresource)
    if (mine === undefined) continue
    compare(`${where}/${sub.subresource} verbs`, sorted(mine.verbs), sorted(sub.verbs))
    const kind = sub.responseKind
    if (kind === undefined) continue
    const expected = [kind.group === '' && kind.version === '' ? our.group : kind.group, kind.version || our.version]
    compare(`${where}/${sub.subresource} kind`, [mine.group, mine.version, mine.kind], [...expected, kind.kind])
  }
}

// --- OpenAPI ---

async function checkSchemas(): Promise<void> {
  const index = (await get('/openapi/v3')) as { paths: Record<string, unknown> }
  const seen = new Set<string>()
  for (const path of Object.keys(index.paths)) {
    if (!/^apis?\/(?:[\w.]+\/)?v\d+$/.test(path)) continue
    const document = (await get(`/openapi/v3/${path}`)) as { components?: { schemas?: Record<string, Schema> } }
    for (const [name, schema] of Object.entries(document.components?.schemas ?? {})) {
      if (seen.has(name)) continue
      seen.add(name)
      checkSchema(name, schema)
    }
  }
  console.log(`${seen.size} schemas compared`)
}

/** Schemas that stand for no type: the body of any patch. */
const NO_TYPES: ReadonlySet<string> = new Set(['io.k8s.apimachinery.pkg.apis.meta.v1.Patch'])

function checkSchema(name: string, schema: Schema): void {
  if (NO_TYPES.has(name)) return
  let type: TypeInfo
  try {
    type = typeTable.type(name)
  } catch {
    differences.push(`${name}: not in the table`)
    return
  }
  if (type.special !== undefined) return
  const properties = schema.properties ?? {}
  compare(`${name} fields`, sorted(type.fields.map((f) => f.name)), sorted(Object.keys(properties)))
  const required = type.fields.filter((f) => f.required).map((f) => f.name)
  compare(`${name} required`, sorted(required), sorted(schema.required))
  compare(`${name} atomic`, type.atomic, schema['x-kubernetes-map-type'] === 'atomic')
  for (const field of type.fields) {
    const property = properties[field.name]
    if (property !== undefined) checkField(`${name}.${field.name}`, field, property)
  }
}

const FORMATS: Readonly<Record<ValueKind, string>> = {
  string: 'string',
  bool: 'boolean',
  int32: 'integer/int32',
  int64: 'integer/int64',
  double: 'number/double',
  bytes: 'string/byte',
  object: 'object',
}

function checkField(where: string, field: FieldInfo, property: Schema): void {
  const { container, element } = elementOf(property, field.wrapped)
  compare(`${where} container`, field.container, container)
  compare(`${where} type`, field.type ?? FORMATS[field.kind], typeOf(element))
  compare(`${where} enum`, field.enum, element.enum ?? property.enum)
  compare(`${where} list type`, field.listType, property['x-kubernetes-list-type'])
  compare(`${where} list keys`, sorted(field.listMapKeys), sorted(property['x-kubernetes-list-map-keys']))
  compare(`${where} map type`, field.mapType, property['x-kubernetes-map-type'])
  compare(`${where} patch strategy`, field.patchStrategy?.join(','), property['x-kubernetes-patch-strategy'])
  compare(`${where} patch merge key`, field.patchMergeKey, property['x-kubernetes-patch-merge-key'])
  if (field.default !== undefined) compare(`${where} default`, field.default, property.default)
}

function elementOf(property: Schema, wrapped: boolean): { container: string; element: Schema } {
  if (property.type === 'array') return { container: 'list', element: property.items ?? {} }
  if (property.additionalProperties === undefined) return { container: 'none', element: property }
  const value = property.additionalProperties
  return { container: 'map', element: wrapped ? (value.items ?? {}) : value }
}

function typeOf(schema: Schema): string {
  const reference = schema.$ref ?? schema.allOf?.[0]?.$ref
  if (reference !== undefined) return reference.split('/').at(-1)!
  return schema.format === undefined ? (schema.type ?? 'object') : `${schema.type}/${schema.format}`
}

await checkDiscovery()
await checkSchemas()
for (const difference of differences) console.log(difference)
console.log(`${differences.length} differences`)
process.exitCode = differences.length === 0 ? 0 : 1
