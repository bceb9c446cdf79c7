/** Expressions in policies, checked where they stand. */
import { child, index, invalid, required } from '../../field.ts'
import type { CelType } from '../../cel/contract.ts'
import type { Scope } from '../../policy/environment.ts'
import type { ResultRule } from '../../policy/expression.ts'
import { compileExpression, composedType } from '../../policy/expression.ts'
import type { Steps } from '../../schema/steps.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

/** `shown` is the value in the message. */
export function* expression(
  text: string,
  scope: Scope,
  rule: ResultRule,
  path: string,
  out: Errors,
  shown: string = text,
): Steps<void> {
  yield undefined
  const compiled = yield* compileExpression(text, scope, rule)
  if (!compiled.ok) out.push(invalid(path, shown, compiled.why))
}

/** Says what is wrong with an expression at a path. */
export type CheckExpression = (text: string, path: string, out: Errors) => Steps<void>

/** Match conditions see no composed variables. */
export function conditionExpression(params: boolean): CheckExpression {
  const scope: Scope = { params, authorizer: true }
  return (text, path, out) => expression(text, scope, 'bool', path, out)
}

const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** Checks composed variables in order; each sees those before it. Answers their types. */
export function* variables(spec: Json, path: string, out: Errors): Steps<ReadonlyMap<string, CelType>> {
  const composed = new Map<string, CelType>()
  const scope: Scope = { params: isSet(spec.paramKind), authorizer: true, composed }
  for (const [i, variable] of listOf(spec.variables).entries()) {
    yield undefined
    const at = index(child(path, 'variables'), i)
    const name: string = variable.name ?? ''
    const text: string = variable.expression ?? ''
    if (name.trim() === '') out.push(required(child(at, 'name'), 'name is not specified'))
    else if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
      out.push(invalid(child(at, 'name'), name, 'must be a valid CEL identifier'))
    }
    if (text.trim() === '') {
      out.push(required(child(at, 'expression'), 'expression is not specified'))
      continue
    }
    const compiled = yield* compileExpression(text, scope, 'any')
    if (!compiled.ok) out.push(invalid(child(at, 'expression'), text, compiled.why))
    composed.set(name, compiled.ok ? composedType(compiled.program.type) : { kind: 'dyn' })
  }
  return composed
}
