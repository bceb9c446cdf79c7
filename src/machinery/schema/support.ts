/** Whether the defaults of a structural schema fit it, in upstream's words. */
import { equalJson } from '../equality.ts'
import type { FieldError } from '../field.ts'
import { child, invalid, key } from '../field.ts'
import { compileCheck } from './check.ts'
import { compileEmbedded } from './embedded.ts'
import { copyJson, isObject } from './props.ts'
import type { SchemaProps } from './props.ts'
import { compilePrune } from './prune.ts'
import { Report } from './report.ts'
import { checkRules, ruleTree } from './rules.ts'
import type { Steps } from './steps.ts'

/** @param unpruned whether defaults may hold fields that the schema does not know */
export function* defaultErrors(schema: SchemaProps, path: string, unpruned: boolean): Steps<FieldError[]> {
  const out: FieldError[] = []
  yield* visit(schema, path, true, unpruned, out)
  return out
}

function* visit(schema: SchemaProps, path: string, root: boolean, unpruned: boolean, out: FieldError[]): Steps<void> {
  if (schema.default !== undefined) yield* checkDefault(schema, child(path, 'default'), root, unpruned, out)
  if (schema.items !== undefined) yield* visit(schema.items, child(path, 'items'), false, unpruned, out)
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    yield* visit(property, key(child(path, 'properties'), name), false, unpruned, out)
}

function* checkDefault(
  schema: SchemaProps,
  where: string,
  root: boolean,
  unpruned: boolean,
  out: FieldError[],
): Steps<void> {
  const value = schema.default
  const embedded = root || schema['x-kubernetes-embedded-resource'] === true
  if (!unpruned && !equalJson(value, prunedDefault(schema)))
    out.push(invalid(where, value, 'must not have unknown fields'))
  const report = new Report()
  const asResource = embedded ? { ...schema, 'x-kubernetes-embedded-resource': true } : schema
  compileEmbedded(asResource, !embedded)?.(value, where, report)
  if (report.list.length === 0) {
    const found = new Report()
    compileCheck(schema, 'default')?.(value, undefined, '', found)
    yield* found.rest()
    for (const error of found.list)
      report.push({
        ...error,
        field: error.field === '' || error.field === '<nil>' ? where : child(where, error.field),
      })
  }
  const rules = report.list.length > 0 ? undefined : ruleTree(schema, embedded)
  if (rules !== undefined) {
    const options = { path: where, value, ratchet: false, report }
    yield* checkRules(rules, { ...options, old: value })
    if (report.list.length === 0) yield* checkRules(rules, { ...options, old: undefined })
  }
  out.push(...report.list)
}

function prunedDefault(schema: SchemaProps): unknown {
  const value = copyJson(schema.default)
  const prune = isObject(value) || Array.isArray(value) ? compilePrune(schema, false) : undefined
  prune?.(value, '', undefined)
  return value
}

/** Whether some default holds fields that its schema does not know. */
export function hasUnprunedDefaults(schema: SchemaProps): boolean {
  if (schema.default !== undefined && !equalJson(schema.default, prunedDefault(schema))) return true
  if (schema.items !== undefined && hasUnprunedDefaults(schema.items)) return true
  return Object.values(schema.properties ?? {}).some(hasUnprunedDefaults)
}
