/** Equality by type, where it matters whether an empty struct is there at all. */
import { typeTable } from '../types/index.ts'
import type { FieldInfo } from '../types/table.ts'
import { entriesOf, entry, isSet, listOf, same } from './json.ts'
import type { Json } from './json.ts'

/**
 * Whether two values of a type (`io.k8s.api.core.v1.PodSpec`) are equal as upstream's semantic equality has it: an absent
 * list or map equals an empty one, and a field that is absent equals its zero value; but where Go has a pointer, a struct
 * without anything in it differs from none.
 */
export function sameAs(type: string, a: Json, b: Json): boolean {
  if (a === b) return true
  const info = typeTable.type(type)
  if (info.special !== undefined) return same(a, b)
  return info.fields.every((field) => sameField(field, a?.[field.name], b?.[field.name]))
}

function sameField(field: FieldInfo, a: Json, b: Json): boolean {
  if (a === b) return true
  const { container, type } = field
  if (container === 'list') {
    const [x, y] = [listOf(a), listOf(b)]
    return x.length === y.length && x.every((item, i) => sameItem(type, item, y[i]))
  }
  if (container === 'map') {
    const [x, y] = [entriesOf(a), entriesOf(b)]
    return (
      x.length === y.length && x.every(([key, item]) => isSet(entry(b, key)) && sameItem(type, item, entry(b, key)))
    )
  }
  if (field.pointer && isSet(a) !== isSet(b)) return false
  if (type !== undefined) return sameAs(type, a, b)
  return isSet(a) && isSet(b) ? a === b : !(a ?? b)
}

function sameItem(type: string | undefined, a: Json, b: Json): boolean {
  return type === undefined ? same(a, b) : sameAs(type, a, b)
}
