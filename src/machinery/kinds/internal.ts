/**
 * Values as upstream's error texts show them: by the names, and in the order, of the fields of its internal types, which
 * have no JSON names. What is absent is shown, too.
 */
import { internals } from '../types/generated/internal.ts'
import { typeTable } from '../types/index.ts'
import type { FieldInfo } from '../types/table.ts'
import { entriesOf, isSet, setEntry, sortedMap } from './json.ts'
import type { Json } from './json.ts'

/** A field of an internal type; `published` is its published form, absent for embedded metadata. */
interface InternalField {
  readonly name: string
  readonly pointer: boolean
  readonly published: FieldInfo | undefined
}

const rows = new Map<string, string>()
const types = new Map<string, readonly InternalField[]>()

/**
 * A value of a published type (`io.k8s.api.core.v1.PodSpec`) as its internal type is printed; a type without an internal
 * one is shown as it is.
 */
export function shownAs(type: string, value: Json): Json {
  const fields = fieldsOf(type)
  if (fields === undefined) return value
  const out: Json = {}
  for (const { name, pointer, published } of fields) {
    if (published === undefined) Object.assign(out, value?.metadata)
    else out[name] = shownField(published, pointer, value?.[published.name])
  }
  return out
}

/** As {@link shownAs}, of a list. */
export function shownListAs(type: string, list: Json): Json {
  return isSet(list) ? list.map((item: Json) => shownAs(type, item)) : null
}

function shownField(field: FieldInfo, pointer: boolean, value: Json): Json {
  const { container, type } = field
  if (container === 'none') {
    if (!isSet(value) && pointer) return null
    return type === undefined ? (value ?? zeroOf(field)) : shownObject(type, value)
  }
  if (!isSet(value)) return null
  if (type === undefined) return container === 'map' ? sortedMap(value) : value
  if (container === 'list') return value.map((item: Json) => shownObject(type, item))
  const out: Json = {}
  for (const [key, item] of entriesOf(sortedMap(value))) setEntry(out, key, shownObject(type, item))
  return out
}

function shownObject(type: string, value: Json): Json {
  if (fieldsOf(type) !== undefined) return shownAs(type, value)
  if (isSet(value)) return value
  switch (typeTable.type(type).special) {
    case 'Quantity':
      return '0'
    case 'IntOrString':
      return 0
    default:
      return null
  }
}

function zeroOf({ kind }: FieldInfo): Json {
  return kind === 'string' ? '' : kind === 'bool' ? false : kind === 'bytes' ? null : 0
}

function fieldsOf(type: string): readonly InternalField[] | undefined {
  const known = types.get(type)
  if (known !== undefined) return known
  if (rows.size === 0) {
    for (const line of internals.split('\n')) rows.set(line.slice(0, line.indexOf(' ')), line)
  }
  const row = rows.get(type)
  if (row === undefined) return undefined
  const { byName } = typeTable.type(type)
  const fields = row
    .split(' ')
    .slice(1)
    .map((text): InternalField => {
      const [, name = '', star, json = ''] = /^(\w*)(\*?)(?:=(.*))?$/.exec(text.replace('+', ''))!
      return { name, pointer: star !== '', published: byName.get(json) }
    })
  types.set(type, fields)
  return fields
}
