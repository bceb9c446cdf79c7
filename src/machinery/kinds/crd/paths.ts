/** JSON paths in a CustomResourceDefinition: printer columns, the scale subresource, selectable fields. */
import { child, duplicate, index, invalid, required, tooMany } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { findPath } from '../../schema/rule-path.ts'
import type { SchemaProps } from '../../schema/props.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

/** One of `additionalPrinterColumns`. */
export function printerColumn(column: Json, path: string, out: Errors): void {
  if (!column.name) out.push(required(child(path, 'name')))
  const types = `must be one of ${COLUMN_TYPES.join(',')}`
  if (!column.type) out.push(required(child(path, 'type'), types))
  else if (!COLUMN_TYPES.includes(column.type)) out.push(invalid(child(path, 'type'), column.type, types))
  if (column.format && !COLUMN_FORMATS.includes(column.format)) {
    out.push(invalid(child(path, 'format'), column.format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  }
  if (!column.jsonPath) out.push(required(child(path, 'JSONPath')))
  else simplePath(column.jsonPath, child(path, 'JSONPath'), out)
}

function simplePath(text: string, path: string, out: Errors): boolean {
  if (text.startsWith('.')) return true
  out.push(invalid(path, text, 'must be a simple json path starting with .'))
  return false
}

/** The paths of the scale subresource. */
export function scale(value: Json, path: string, out: Errors): void {
  if (!isSet(value)) return
  for (const [field, prefix] of [
    ['specReplicasPath', '.spec.'],
    ['statusReplicasPath', '.status.'],
  ] as const) {
    const text: string = value[field] ?? ''
    const at = child(path, field)
    if (text === '') out.push(required(at))
    else if (simplePath(text, at, out) && !text.startsWith(prefix)) {
      out.push(invalid(at, text, `should be a json path under ${prefix.slice(0, -1)}`))
    }
  }
  const selector: Json = value.labelSelectorPath
  if (!selector) return
  const at = child(path, 'labelSelectorPath')
  if (!simplePath(selector, at, out)) return
  if (!selector.startsWith('.spec.') && !selector.startsWith('.status.')) {
    out.push(invalid(at, selector, 'should be a json path under either .spec or .status'))
  }
}

const SCALARS: readonly (string | undefined)[] = ['string', 'boolean', 'integer']

/** `selectableFields`: at most eight (more if they were stored), each a scalar that the schema knows. */
export function selectableFields(list: Json, root: Json, stored: boolean, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((field, i) => {
    const text: string = field.jsonPath ?? ''
    const at = child(index(path, i), 'jsonPath')
    if (text === '') {
      out.push(required(at))
      return
    }
    const found = findPath(text, root as SchemaProps, false)
    if (!found.ok) {
      out.push(invalid(at, text, `is an invalid path: ${found.why}`))
      return
    }
    if (/^metadata(?:[.[]|$)/.test(found.text)) {
      out.push(invalid(at, text, 'must not point to fields in metadata'))
    }
    if (!SCALARS.includes(found.schema.type)) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      out.push(invalid(at, text, detail))
    }
    if (seen.has(found.text)) out.push(duplicate(at, text))
    seen.add(found.text)
  })
  if (seen.size > 8 && !stored) out.push(tooMany(path, seen.size, 8))
}
