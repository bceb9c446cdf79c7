/** Every place in an object that the type table knows, and what may be done to it. */
import { typeTable } from '../../../src/machinery/types/index.ts'
import type { FieldInfo, SpecialType, TypeInfo } from '../../../src/machinery/types/table.ts'
import type { Json, JsonObject } from '../case.ts'

export type Path = readonly (string | number)[]

export interface Site {
  readonly path: Path
  /** `spec.containers[0].image` */
  readonly text: string
  readonly field: FieldInfo
  /** Whether it stands for the field itself, not for an element of it. */
  readonly whole: boolean
  /** Absent: the field is not in the object. */
  readonly value: Json | undefined
}

/** A change of one place: `undefined` takes it away. */
export interface Mutation {
  /** `drop spec.replicas` */
  readonly label: string
  readonly path: Path
  readonly value: Json | undefined
  /** Asked of every field; the others are chosen by the budget. */
  readonly always: boolean
}

/** Places of an object in the order of the type table; `metadata`, `kind` and `apiVersion` of the object are left out. */
export function sitesOf(object: JsonObject, type: TypeInfo): Site[] {
  const out: Site[] = []
  struct(object, type, [], out)
  return out
}

function struct(object: JsonObject, type: TypeInfo, path: Path, out: Site[]): void {
  for (const field of type.fields) {
    if (path.length === 0 && ['metadata', 'kind', 'apiVersion'].includes(field.name)) continue
    visit(object[field.name], field, [...path, field.name], out)
  }
}

function visit(value: Json | undefined, field: FieldInfo, path: Path, out: Site[]): void {
  out.push({ path, text: textOf(path), field, whole: true, value: value ?? undefined })
  if (value === undefined || value === null) return
  const inner = field.type === undefined ? undefined : typeTable.type(field.type)
  if (field.container === 'none') {
    if (inner !== undefined && inner.special === undefined && isObject(value)) struct(value, inner, path, out)
    return
  }
  const items: [string | number, Json][] = Array.isArray(value)
    ? [...value.entries()]
    : isObject(value)
      ? Object.entries(value)
      : []
  for (const [key, item] of items) {
    const at = [...path, key]
    if (inner !== undefined && inner.special === undefined && isObject(item)) struct(item, inner, at, out)
    else out.push({ path: at, text: textOf(at), field, whole: false, value: item })
  }
}

export function textOf(path: Path): string {
  return path
    .map((part, i) =>
      typeof part === 'number' ? `[${part}]` : /^[\w-]+$/.test(part) ? `${i === 0 ? '' : '.'}${part}` : `[${part}]`,
    )
    .join('')
}

/** A copy with one place changed. */
export function mutate(object: JsonObject, path: Path, value: Json | undefined): JsonObject {
  const copy = structuredClone(object)
  let at: Json = copy
  for (const part of path.slice(0, -1)) at = (at as JsonObject)[part]!
  const last = path.at(-1)!
  if (value !== undefined) (at as JsonObject)[last] = value
  else if (Array.isArray(at)) at.splice(last as number, 1)
  else delete (at as JsonObject)[last]
  return copy
}

export function mutationsOf(sites: readonly Site[]): Mutation[] {
  return sites.flatMap((site) => (site.value === undefined ? additions(site) : changes(site)))
}

/** A field that the seed does not have, with something in it. */
function additions(site: Site): Mutation[] {
  const { field, path, text } = site
  const good = sample(field, 0)
  const out: Mutation[] = [{ label: `add ${text}`, path, value: good, always: true }]
  for (const [label, value] of bad(field).slice(0, 2))
    out.push({ label: `add ${label} ${text}`, path, value: wrap(field, value), always: false })
  return out
}

function changes(site: Site): Mutation[] {
  const { field, path, text, value, whole } = site
  const out: Mutation[] = []
  const add = (label: string, changed: Json | undefined, always = false) =>
    out.push({ label: `${label} ${text}`, path, value: changed, always })
  if (whole) {
    add('drop', undefined, true)
    add('null', null)
  }
  if (whole && field.container === 'list') {
    const list = value as Json[]
    add('empty list', [])
    add('text for list', 'x')
    if (list.length > 0) add('twice', [...list, structuredClone(list[0]!)], true)
    add('null in', [...list, null])
    add(
      'many',
      Array.from({ length: 300 }, () => structuredClone(list[0] ?? 'x')),
    )
  } else if (whole && field.container === 'map') {
    const map = value as JsonObject
    const item = Object.values(map)[0] ?? 'x'
    add('empty map', {})
    add('list for map', [])
    add('bad key', { ...map, 'Not a key!': item }, true)
    add('empty key', { ...map, '': item })
    add('long key', { ...map, ['k'.repeat(300)]: item })
  } else {
    let first = true
    for (const [label, changed] of bad(field)) {
      add(label, changed, first && field.type === undefined)
      first = false
    }
  }
  return out
}

function wrap(field: FieldInfo, value: Json): Json {
  return field.container === 'list' ? [value] : field.container === 'map' ? { k: value } : value
}

/** Values that are wrong, or on the edge, for one value of the field. */
function bad(field: FieldInfo): [string, Json][] {
  switch (field.kind) {
    case 'string':
      return field.enum === undefined
        ? [['bad text', 'Not a Name!'], ['empty', ''], ['long', 'x'.repeat(300)], ['number for text', 5], ['object for text', {}], ['ordinary', 'x-1'], ['slashed', 'example.com/x'], ['dotted', 'a.b']] // prettier-ignore
        : [['unknown', 'Unknown'], ['empty', ''], ['number for text', 5], ...field.enum.map((text): [string, Json] => [text, text])] // prettier-ignore
    case 'bool':
      return [['text for bool', 'yes'], ['true', true], ['false', false], ['number for bool', 1]] // prettier-ignore
    case 'int32':
      return [['-1', -1], ['0', 0], ['1', 1], ['huge', 2147483648], ['70000', 70000], ['text for number', 'x'], ['1.5', 1.5], ['2147483647', 2147483647]] // prettier-ignore
    case 'int64':
      return [['-1', -1], ['0', 0], ['1', 1], ['text for number', 'x'], ['1.5', 1.5], ['86400000', 86400000], ['2147483648', 2147483648]] // prettier-ignore
    case 'double':
      return [['-1', -1], ['text for number', 'x'], ['1.5', 1.5]] // prettier-ignore
    case 'bytes':
      return [['bad base64', 'not base64!'], ['bytes', 'aGVsbG8='], ['number for bytes', 5]] // prettier-ignore
    default: {
      const special = typeTable.type(field.type!).special
      if (special !== undefined) return badSpecial(special)
      return [['empty struct', {}], ['text for struct', 'x'], ['list for struct', []]] // prettier-ignore
    }
  }
}

function badSpecial(special: SpecialType): [string, Json][] {
  switch (special) {
    case 'Quantity':
      return [['-1', '-1'], ['bad quantity', '1.5.0x'], ['0', '0'], ['number', 2], ['1500m', '1500m'], ['0.5Gi', '0.5Gi'], ['empty', '']] // prettier-ignore
    case 'IntOrString':
      return [['-1', -1], ['0', 0], ['x', 'x'], ['150%', '150%'], ['10%', '10%'], ['70000', 70000], ['empty', ''], ['http', 'http'], ['bool', true]] // prettier-ignore
    case 'Time':
    case 'MicroTime':
      return [['bad time', 'yesterday'], ['time', '2020-01-01T00:00:00Z'], ['zoned time', '2020-01-01T01:00:00+01:00'], ['micro time', '2020-01-01T00:00:00.123456Z'], ['number for time', 5]] // prettier-ignore
    case 'Duration':
      return [['bad duration', '5 parsecs'], ['-1s', '-1s'], ['1h', '1h'], ['number', 5]] // prettier-ignore
    default:
      return [['text', 'x'], ['object', { a: 1 }], ['list', [1]]] // prettier-ignore
  }
}

const BY_NAME: Readonly<Record<string, Json>> = {
  image: 'example.com/image:1',
  path: '/path',
  mountPath: '/mnt',
  devicePath: '/dev/x',
  host: 'host.example.com',
  ip: '10.1.2.3',
  port: 80,
  containerPort: 80,
  operator: 'In',
  key: 'key',
  cidr: '10.0.0.0/8',
  apiGroup: 'example.com',
  apiVersion: 'v1',
  uid: '00000000-0000-0000-0000-000000000001',
  expression: 'true',
}

/** A plausible value of a whole field. */
function sample(field: FieldInfo, depth: number): Json {
  return wrap(field, sampleItem(field, depth))
}

function sampleItem(field: FieldInfo, depth: number): Json {
  if (field.kind !== 'object') {
    if (field.enum !== undefined) return field.enum[0]!
    const named = BY_NAME[field.name]
    switch (field.kind) {
      case 'string':
        return typeof named === 'string' ? named : 'x'
      case 'bool':
        return true
      case 'bytes':
        return 'aGVsbG8='
      default:
        return typeof named === 'number' ? named : Math.max(1, field.minimum ?? 1)
    }
  }
  const type = typeTable.type(field.type!)
  switch (type.special) {
    case 'Quantity':
      return '1'
    case 'IntOrString':
      return 1
    case 'Time':
      return '2020-01-01T00:00:00Z'
    case 'MicroTime':
      return '2020-01-01T00:00:00.000000Z'
    case 'Duration':
      return '1s'
    case undefined:
      break
    default:
      return { a: 1 }
  }
  if (depth > 4) return {}
  const out: JsonObject = {}
  for (const inner of type.fields) if (inner.required) out[inner.name] = sample(inner, depth + 1)
  // Something must be in it: an empty struct says little.
  const first = type.fields[0]
  if (Object.keys(out).length === 0 && first !== undefined) out[first.name] = sample(first, depth + 1)
  return out
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
