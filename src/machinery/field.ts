/**
 * Field errors, worded as `k8s.io/apimachinery/pkg/util/validation/field` words them,
 * because clients show and match them.
 */
import { escapeHtml, goQuote } from './quote.ts'

export type FieldErrorType =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueNotFound'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

/** One problem at one path, such as `spec.containers[0].image`. */
export interface FieldError {
  type: FieldErrorType
  field: string
  /** The message without the path, as it stands in a Status cause. */
  message: string
}

const quote = (value: unknown): string => {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return goQuote(value)
  if (typeof value === 'object') return escapeHtml(JSON.stringify(value))
  return String(value as number | boolean)
}

/** `<path>: Required value[: detail]` */
export function required(field: string, detail = ''): FieldError {
  return { type: 'FieldValueRequired', field, message: detail === '' ? 'Required value' : `Required value: ${detail}` }
}

/** `<path>: Invalid value: <value>[: <detail>]` */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  const tail = detail === '' ? '' : `: ${detail}`
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${quote(value)}${tail}` }
}

/** `<path>: Invalid value: "<type>": <detail>`: a value of a wrong JSON type. */
export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return { type: 'FieldValueTypeInvalid', field, message: `Invalid value: ${quote(value)}: ${detail}` }
}

/** `<path>: Unsupported value: <value>: supported values: "A", "B"` (in the order given). */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const tail = supported.length === 0 ? '' : `: supported values: ${supported.map(goQuote).join(', ')}`
  return { type: 'FieldValueNotSupported', field, message: `Unsupported value: ${quote(value)}${tail}` }
}

/** `<path>: Duplicate value: <value>` */
export function duplicate(field: string, value: unknown): FieldError {
  return { type: 'FieldValueDuplicate', field, message: `Duplicate value: ${quote(value)}` }
}

/** `<path>: Forbidden[: <detail>]` */
export function forbidden(field: string, detail: string): FieldError {
  return { type: 'FieldValueForbidden', field, message: detail === '' ? 'Forbidden' : `Forbidden: ${detail}` }
}

/** `<path>: Not found: <value>` */
export function notFound(field: string, value: unknown): FieldError {
  return { type: 'FieldValueNotFound', field, message: `Not found: ${quote(value)}` }
}

/** `<path>: Too long: may not be more than <max> bytes` */
export function tooLong(field: string, max: number): FieldError {
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${max} bytes` }
}

/** `<path>: Too long: may not be more than <max> characters` */
export function tooLongCharacters(field: string, max: number): FieldError {
  return { type: 'FieldValueTooLong', field, message: `Too long: may not be more than ${max} characters` }
}

/** `<path>: Too many: <actual>: must have at most <max> items` */
export function tooMany(field: string, actual: number, max: number): FieldError {
  return {
    type: 'FieldValueTooMany',
    field,
    message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
  }
}

/** `<path>: Internal error: <detail>` */
export function internal(field: string, detail: string): FieldError {
  return { type: 'InternalError', field, message: `Internal error: ${detail}` }
}

/** `a` + `b` → `a.b`; an empty parent gives the child alone. */
export function child(parent: string, name: string): string {
  return parent === '' ? name : `${parent}.${name}`
}

/** `a` + 3 → `a[3]` */
export function index(parent: string, i: number): string {
  return `${parent}[${i}]`
}

/** `a` + `x` → `a[x]` */
export function key(parent: string, name: string): string {
  return `${parent}[${name}]`
}
