/** Whether a value fits its schema, in upstream's words. */
import { elementText, indexElement } from './element.ts'
import { goPlain, goSyntax, goTypeName, isMap } from './gotext.ts'
import type { ListSchema, MapSchema, Scalar, Schema } from './schema.ts'
import { elementOf } from './schema.ts'
import type { TypedProblem } from './walk.ts'
import { TypedError, formOf, itemElement } from './walk.ts'

/** More problems than this are not listed. */
const MAX_PROBLEMS = 100

/** @throws TypedError for values of wrong types, undeclared fields, repeated and keyless items */
export function checkTyped(value: unknown, schema: Schema): void {
  const problems: TypedProblem[] = []
  visit(value, schema, '', problems)
  if (problems.length > 0) throw new TypedError(problems)
}

function visit(value: unknown, schema: Schema, path: string, out: TypedProblem[]): void {
  if (value === null || value === undefined || out.length >= MAX_PROBLEMS) return
  switch (formOf(schema, value)) {
    case 'map':
      if (isMap(value)) members(value, schema.map!, path, out)
      else out.push({ path, text: `expected map, got ${boxed(value)}` })
      break
    case 'list':
      if (Array.isArray(value)) items(value, schema.list!, path, out)
      else out.push({ path, text: `expected list, got ${boxed(value)}` })
      break
    default: {
      const text = scalarProblem(value, schema.scalar!)
      if (text !== undefined) out.push({ path, text })
    }
  }
}

/** A value as upstream's library prints the box it keeps it in. */
function boxed(value: unknown): string {
  return `&{${goPlain(value)}}`
}

function scalarProblem(value: unknown, scalar: Scalar): string | undefined {
  const type = goTypeName(value)
  const number = type === 'int64' || type === 'float64'
  switch (scalar) {
    case 'numeric':
      return number ? undefined : `expected numeric (int or float), got ${type}`
    case 'string':
      return type === 'string' ? undefined : `expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`
    case 'boolean':
      return type === 'bool' ? undefined : `expected boolean, got ${boxed(value)}`
    default:
      return number || type === 'string' || type === 'bool' ? undefined : `expected any scalar, got ${boxed(value)}`
  }
}

function members(value: { readonly [key: string]: unknown }, map: MapSchema, path: string, out: TypedProblem[]): void {
  for (const key of Object.keys(value)) {
    const schema = map.field(key)?.schema ?? map.rest
    const at = path + elementText(elementOf(map, key))
    if (schema !== undefined) visit(value[key], schema, at, out)
    else {
      // Upstream's library gives up on an object at the first field that it does not know.
      out.push({ path: at, text: 'field not declared in schema' })
      return
    }
  }
}

function items(value: readonly unknown[], list: ListSchema, path: string, out: TypedProblem[]): void {
  const seen = new Set<string>()
  for (let i = 0; i < value.length; i++) {
    const element = list.atomic ? indexElement(i) : itemElement(list, value[i])
    if (typeof element === 'string') {
      out.push({ path, text: `element ${i}: ${element}` })
      return
    }
    if (seen.has(element.text)) out.push({ path, text: `duplicate entries for key ${elementText(element)}` })
    seen.add(element.text)
    visit(value[i], list.item, path + elementText(element), out)
  }
}
