/** What a structural schema needs beyond being structural: defaults that fit, and nothing that is not implemented here. */
import type { FieldError } from '../field.ts'
import { child, forbidden, index, invalid, key } from '../field.ts'
import { compileCheck } from './check.ts'
import { compileDefaults } from './defaults.ts'
import { copyJson, isObject } from './props.ts'
import type { SchemaProps } from './props.ts'
import { compilePrune } from './prune.ts'

/** A schema and all below it, each with its path. */
function* nodes(schema: SchemaProps, path: string): Generator<[SchemaProps, string]> {
  yield [schema, path]
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    yield* nodes(property, key(child(path, 'properties'), name))
  const { additionalProperties } = schema
  if (typeof additionalProperties === 'object') yield* nodes(additionalProperties, child(path, 'additionalProperties'))
  if (schema.items !== undefined) yield* nodes(schema.items, child(path, 'items'))
  for (const name of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, inner] of (schema[name] ?? []).entries()) yield* nodes(inner, index(child(path, name), i))
  }
  if (schema.not !== undefined) yield* nodes(schema.not, child(path, 'not'))
}

/** Defaults that do not fit their own schema, in upstream's words. The schema must be structural. */
export function defaultErrors(schema: SchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [inner, at] of nodes(schema, path)) {
    if (inner.default !== undefined) checkDefault(inner, child(at, 'default'), errors)
  }
  return errors
}

function checkDefault(schema: SchemaProps, where: string, errors: FieldError[]): void {
  const value = copyJson(schema.default)
  compileDefaults(schema, false)?.(value)
  const unknown: string[] = []
  if (isObject(value) || Array.isArray(value)) compilePrune(schema, false)?.(value, '', unknown)
  if (unknown.length > 0) {
    errors.push(invalid(where, schema.default, 'must not have unknown fields'))
    return
  }
  const found: FieldError[] = []
  compileCheck(schema, false)?.(value, undefined, '', found)
  for (const error of found) errors.push({ ...error, field: error.field === '' ? where : child(where, error.field) })
}

/** Rules that this server does not evaluate: they are refused, never ignored. */
export function unsupportedErrors(schema: SchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = []
  for (const [inner, at] of nodes(schema, path)) {
    if ((inner['x-kubernetes-validations'] ?? []).length > 0)
      errors.push(
        forbidden(child(at, 'x-kubernetes-validations'), 'CEL validation rules are not supported by this server'),
      )
  }
  return errors
}
