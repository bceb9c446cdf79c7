/** JSON paths in a CustomResourceDefinition: printer columns, the scale subresource, selectable fields. */
import { child, duplicate, index, invalid, required, tooMany } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { entry, isSet, listOf } from '../json.ts'
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

const SCALARS = ['string', 'boolean', 'integer']
const STEP = /^\.([A-Za-z_][A-Za-z0-9_]*)/

/** `selectableFields`: at most eight, each a scalar that the schema knows. */
export function selectableFields(list: Json, root: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((field, i) => {
    const text: string = field.jsonPath ?? ''
    const at = child(index(path, i), 'jsonPath')
    if (text === '') {
      out.push(required(at))
      return
    }
    const found = schemaAt(text, root)
    if (typeof found === 'string') {
      out.push(invalid(at, text, `is an invalid path: ${found}`))
      return
    }
    if (text.startsWith('.metadata')) out.push(invalid(at, text, 'must not point to fields in metadata'))
    if (!SCALARS.includes(found.type)) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      out.push(invalid(at, text, detail))
    }
    if (seen.has(text)) {
      out.push(duplicate(at, text))
    }
    seen.add(text)
  })
  if (seen.size > 8) out.push(tooMany(path, seen.size, 8))
}

/** The schema that a dotted path leads to, or why there is none. */
function schemaAt(text: string, root: Json): Json {
  let rest = text
  let current: Json = root
  while (rest !== '') {
    const step = STEP.exec(rest)
    if (step === null) return `expected a dotted path, but got ${JSON.stringify(rest)}`
    current = entry(current?.properties, step[1]!)
    if (current === undefined) return 'does not refer to a valid field'
    rest = rest.slice(step[0].length)
  }
  return current
}
