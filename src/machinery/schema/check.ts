/** Validation by a structural schema, in the words of upstream's validator (go-openapi's, mapped to field errors). */
import { equalJson } from '../equality.ts'
import type { RE2JS } from 're2js'
import type { FieldError } from '../field.ts'
import { invalid, notSupported, required, tooLong, tooMany, typeInvalid } from '../field.ts'
import { correlation, unchanged } from './correlate.ts'
import { formatCheck, formatOf } from './formats.ts'
import { bestOf } from './match-count.ts'
import { compilePattern } from './pattern.ts'
import { isObject, own } from './props.ts'
import type { Data, SchemaProps } from './props.ts'
import { Report } from './report.ts'

/**
 * Says what is wrong with `value` at `path`. `old` is the value at the same place before an update, undefined if
 * there is none: what was wrong before and has not changed is let through.
 */
export type Check = (value: unknown, old: unknown, path: string, errors: Report) => void

const body = (path: string, text: string): string => (path === '' ? ` in body ${text}` : `${path} in body ${text}`)
const trim = (path: string): string => (path.startsWith('.') ? path.slice(1) : path)
const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)

type JsonType = 'null' | 'boolean' | 'string' | 'integer' | 'number' | 'array' | 'object'

function typeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null'
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'boolean':
      return 'boolean'
    case 'number':
      return Number.isInteger(value) ? 'integer' : 'number'
    default:
      if (Array.isArray(value)) return 'array'
      return JSON.isRawJSON(value) ? 'integer' : 'object'
  }
}

const numeric = (value: unknown): number => (typeof value === 'number' ? value : Number(JSON.stringify(value)))

/** What is checked: something that was written, or the default of a schema, of which upstream's validator knows less. */
export type Use = 'written' | 'default'

/** A check of one kind of value; undefined when a schema asks nothing of it. */
type Part = Check | undefined

function typeCheck(schema: SchemaProps, use: Use): Part {
  // Upstream asks a default for no type where both fit, and for formats that it otherwise leaves out.
  const either = schema['x-kubernetes-int-or-string'] === true
  const wanted = !either ? schema.type : use === 'default' ? undefined : 'integer,string'
  if (wanted === undefined || wanted === '') return undefined
  const allowed = new Set(wanted.split(','))
  if (allowed.has('number')) allowed.add('integer')
  const nullable = schema.nullable === true
  // A format is asked for first; where one stands, texts and lists pass for what is no number.
  const format = (use === 'default' ? schema.format : formatOf(schema)) || undefined
  const numeric = allowed.has('integer')
  return (value, _old, path, errors) => {
    const type = typeOf(value)
    if (allowed.has(type) || (type === 'null' && nullable)) return
    if (format !== undefined && type !== 'null') {
      if (type !== 'string' && type !== 'array') {
        const found = type === 'integer' ? 'int64' : type === 'number' ? 'float64' : ''
        errors.push(typeInvalid(trim(path), found, body(path, `must be of type ${format}: "${found}"`)))
        return
      }
      if (!numeric) return
    }
    errors.push(typeInvalid(trim(path), type, body(path, `must be of type ${wanted}: "${type}"`)))
  }
}

function stringCheck(schema: SchemaProps): Part {
  const { minLength, maxLength, pattern, format } = schema
  const known = format === undefined || format === '' ? undefined : formatCheck(format)
  const textual = schema.type === undefined || schema.type === 'string'
  const formatted = textual ? known : undefined
  const patterned = pattern !== undefined && pattern !== ''
  if (minLength === undefined && maxLength === undefined && !patterned && formatted === undefined) return undefined
  // Compiled when the first value is there: a schema may have thousands.
  let expression: RE2JS | undefined
  return (value, old, path, errors) => {
    const text = value as string
    const field = trim(path)
    if (maxLength !== undefined && text.length > maxLength && countRunes(text) > maxLength) {
      errors.push(tooLong(field, maxLength))
    } else if (minLength !== undefined && text.length < 2 * minLength && countRunes(text) < minLength) {
      errors.push(invalid(field, text, body(path, `should be at least ${minLength} chars long`)))
    } else if (patterned) {
      const wrong = (): FieldError => invalid(field, text, body(path, `should match '${pattern}'`))
      errors.match((expression ??= compilePattern(pattern)), text, field, text === old, wrong)
    }
    if (formatted !== undefined && !formatted(text)) {
      errors.push(typeInvalid(field, text, body(path, `must be of type ${format}: ${JSON.stringify(text)}`)))
    }
  }
}

function countRunes(text: string): number {
  let count = text.length
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      count--
      i++
    }
  }
  return count
}

/** Errors that upstream's validator gives without a place. */
const placeless = (message: string): FieldError => invalid('<nil>', '', message)

/** What a number must be to be one of the type and format. */
function rangeOf(schema: SchemaProps): { holds(n: number): boolean; name: string } | undefined {
  const { type, format } = schema
  if (type === 'integer') {
    const bound = format === 'int32' ? 2 ** 31 : 2 ** 63
    const name = format === 'int32' || format === 'int64' ? `with format ${format}` : '(default format)'
    return { holds: (n) => Number.isInteger(n) && n >= -bound && n < bound, name }
  }
  if (type === 'number' && format === 'float')
    return { holds: (n) => Math.abs(n) <= 3.4028234663852886e38, name: `with format ${format}` }
  return undefined
}

function numberCheck(schema: SchemaProps): Part {
  const { minimum, maximum, multipleOf } = schema
  const inRange = rangeOf(schema)
  if (minimum === undefined && maximum === undefined && multipleOf === undefined && inRange === undefined)
    return undefined
  const over = schema.exclusiveMaximum === true
  const under = schema.exclusiveMinimum === true
  return (value, _old, path, errors) => {
    const n = numeric(value)
    const say = (text: string) => errors.push(invalid(trim(path), value, body(path, text)))
    if (inRange !== undefined && !inRange.holds(n))
      errors.push(placeless(`Checked value must be of type ${schema.type} ${inRange.name} in ${path}`))
    if (multipleOf !== undefined && !Number.isInteger(multipleOf < 1 ? (1 / multipleOf) * n : n / multipleOf))
      say(`should be a multiple of ${multipleOf}`)
    if (maximum !== undefined && (over ? n >= maximum : n > maximum))
      say(`should be less than ${over ? '' : 'or equal to '}${maximum}`)
    if (minimum !== undefined && (under ? n <= minimum : n < minimum))
      say(`should be greater than ${under ? '' : 'or equal to '}${minimum}`)
  }
}

function enumCheck(schema: SchemaProps): Part {
  const values = schema.enum
  if (values === undefined || values.length === 0) return undefined
  const scalars = new Set(values.filter((v) => typeof v !== 'object'))
  const objects = values.filter((v) => typeof v === 'object')
  const shown = values.map((v) => (typeof v === 'string' ? v : JSON.stringify(v)))
  return (value, _old, path, errors) => {
    // Upstream finds null in no list, also where it stands in it.
    if (value !== null && (scalars.has(value) || objects.some((v) => equalJson(v, value)))) return
    errors.push(notSupported(trim(path), value, shown))
  }
}

function listCheck(schema: SchemaProps, use: Use): Part {
  const items = schema.items === undefined ? undefined : compileCheck(schema.items, use)
  const { minItems, maxItems } = schema
  const correlate = correlation(schema)
  if (items === undefined && minItems === undefined && maxItems === undefined) return undefined
  return (value, old, path, errors) => {
    const list = value as unknown[]
    if (items !== undefined) {
      const before = Array.isArray(old) ? correlate?.(old) : undefined
      for (let i = 0; i < list.length && !errors.full; i++) items(list[i], before?.(list[i]), `${path}[${i}]`, errors)
    }
    if (minItems !== undefined && list.length < minItems)
      errors.push(invalid(trim(path), list.length, body(path, `should have at least ${minItems} items`)))
    if (maxItems !== undefined && list.length > maxItems) errors.push(tooMany(trim(path), list.length, maxItems))
  }
}

const TYPE: ReadonlySet<string> = new Set(['apiVersion', 'kind'])

function objectCheck(schema: SchemaProps, root: boolean, use: Use): Part {
  const properties = Object.entries(schema.properties ?? {}).map(([name, s]) => ({
    name,
    check: compileCheck(s, use),
  }))
  const checked = properties.filter((p) => p.check !== undefined)
  const known = new Set(properties.map((p) => p.name))
  const { additionalProperties, minProperties, maxProperties } = schema
  const wanted = schema.required ?? []
  const additional = typeof additionalProperties === 'object' ? compileCheck(additionalProperties, use) : undefined
  const closed = additionalProperties === false
  return (value, old, path, errors) => {
    const data = value as Data
    const before = isObject(old) ? old : undefined
    if (minProperties !== undefined || maxProperties !== undefined) {
      const count = Object.keys(data).length
      if (minProperties !== undefined && count < minProperties)
        errors.push(invalid(trim(path), count, body(path, `should have at least ${minProperties} properties`)))
      if (maxProperties !== undefined && count > maxProperties) errors.push(tooMany(trim(path), count, maxProperties))
    }
    if (closed || additional !== undefined) {
      for (const name of Object.keys(data)) {
        if (known.has(name)) continue
        if (closed) errors.push(invalid(trim(path), '', `${path}.${name} in body is a forbidden property`))
        else additional!(data[name], before === undefined ? undefined : own(before, name), `${path}.${name}`, errors)
      }
    }
    for (const { name, check } of checked) {
      if (!Object.hasOwn(data, name)) continue
      // The type of an object that was written cannot be correlated.
      const was = before === undefined || (root && TYPE.has(name)) ? undefined : own(before, name)
      check!(data[name], was, join(path, name), errors)
    }
    for (const name of wanted) if (!Object.hasOwn(data, name)) errors.push(required(join(trim(path), name)))
  }
}

function junctionCheck(schema: SchemaProps, use: Use): Part {
  const compile = (list: readonly SchemaProps[] | undefined) => (list ?? []).map((s) => compileCheck(s, use) ?? pass)
  const anyOf = compile(schema.anyOf)
  const oneOf = compile(schema.oneOf)
  const allOf = compile(schema.allOf)
  const not = schema.not === undefined ? undefined : (compileCheck(schema.not, use) ?? pass)
  if (anyOf.length + oneOf.length + allOf.length === 0 && not === undefined) return undefined
  return (value, _old, path, errors) => {
    const place = JSON.stringify(path)
    const results = (checks: readonly Check[]) => {
      return checks.map((check) => {
        const found = new Report(errors)
        check(value, undefined, path, found)
        return found.list
      })
    }
    if (anyOf.length > 0) {
      const found = results(anyOf)
      if (found.every((f) => f.length > 0))
        errors.push(
          placeless(`${place} must validate at least one schema (anyOf)`),
          ...best(schema.anyOf!, value, found),
        )
    }
    if (oneOf.length > 0) {
      const found = results(oneOf)
      const valid = found.filter((f) => f.length === 0).length
      const text = `${place} must validate one and only one schema (oneOf).`
      if (valid === 0) errors.push(placeless(`${text} Found none valid`), ...best(schema.oneOf!, value, found))
      else if (valid > 1) errors.push(placeless(`${text} Found ${valid} valid alternatives`))
    }
    if (allOf.length > 0) {
      const found = results(allOf)
      const valid = found.filter((f) => f.length === 0).length
      if (valid < allOf.length) {
        errors.push(...found.flat())
        const none = valid === 0 ? '. None validated' : ''
        errors.push(placeless(`${place} must validate all the schemas (allOf)${none}`))
      }
    }
    if (not !== undefined && results([not])[0]!.length === 0)
      errors.push(placeless(`${place} must not validate the schema (not)`))
  }
}

/** The errors of the alternative that explains best why none holds. */
function best(alternatives: readonly SchemaProps[], value: unknown, found: readonly FieldError[][]): FieldError[] {
  return found[bestOf(alternatives, value)]!
}

const pass: Check = () => undefined

/**
 * The check of a schema, undefined when everything is right. It throws for a pattern that is none.
 *
 * @param root what is checked is a whole object
 */
export function compileCheck(schema: SchemaProps, use: Use, root = false): Check | undefined {
  const type = typeCheck(schema, use)
  const string = stringCheck(schema)
  const number = numberCheck(schema)
  const enumeration = enumCheck(schema)
  const junction = junctionCheck(schema, use)
  const can = (t: string) => schema.type === undefined || schema.type === t
  const list = can('array') ? listCheck(schema, use) : undefined
  const object = can('object') ? objectCheck(schema, root, use) : undefined
  if ([type, string, number, enumeration, junction, list, object].every((part) => part === undefined)) return undefined
  const check: Check = (value, old, path, errors) => {
    type?.(value, old, path, errors)
    if (value !== null) junction?.(value, old, path, errors)
    if (typeof value === 'string') string?.(value, old, path, errors)
    else if (Array.isArray(value)) list?.(value, old, path, errors)
    else if (isObject(value)) object?.(value, old, path, errors)
    else if (typeof value === 'number' || JSON.isRawJSON(value)) number?.(value, old, path, errors)
    enumeration?.(value, old, path, errors)
  }
  return (value, old, path, errors) => {
    const { list } = errors
    const before = list.length
    check(value, old, path, errors)
    if (junction !== undefined) errors.tellOnce(before)
    // What was wrong already and did not change passes: a schema may be tightened after objects exist.
    if (list.length > before && old !== undefined && unchanged(schema, value, old, errors.same)) list.length = before
  }
}
