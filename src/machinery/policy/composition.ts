/** Composed variables of a policy: evaluated when an expression first reads them, once for a group of expressions. */
import { setOwn } from '../codec/exact.ts'
import type { CelBudget, CelResult, CelType } from '../cel/contract.ts'
import { Lazy } from '../cel/contract.ts'
import type { Steps } from '../schema/steps.ts'
import type { Scope } from './environment.ts'
import { VARIABLES } from './environment.ts'
import type { Values } from './evaluate.ts'
import type { Expression } from './expression.ts'
import { compileExpression, composedType } from './expression.ts'

export interface Variable {
  readonly name: string
  readonly expression: string
}

export interface Composed {
  readonly types: ReadonlyMap<string, CelType>
  readonly variables: ReadonlyMap<string, Expression>
}

/** Compiles variables in their order; each sees those before it. */
export function* compose(list: readonly Variable[], scope: Scope): Steps<Composed> {
  const types = new Map<string, CelType>()
  const variables = new Map<string, Expression>()
  for (const { name, expression: text } of list) {
    yield undefined
    const expression = yield* compileExpression(text, { ...scope, composed: types }, 'any')
    types.set(name, expression.ok ? composedType(expression.program.type) : { kind: 'dyn' })
    variables.set(name, expression)
  }
  return { types, variables }
}

/** The values with `variables` among them. To be made for each group of expressions: what is read is remembered. */
export function withVariables({ variables }: Composed, values: Values): Values {
  if (variables.size === 0) return values
  // Each is a variable of its own, under its qualified name; the whole only says which there are.
  const whole: Record<string, unknown> = {}
  const out: Record<string, unknown> = { ...values, variables: whole }
  for (const [name, expression] of variables) {
    let known: CelResult | undefined
    setOwn(whole, name, true)
    out[`${VARIABLES}${name}`] = new Lazy((budget) => {
      if (known !== undefined) return { ...known, cost: 0 }
      return (known = read(name, expression, out, budget))
    })
  }
  return out
}

function read(name: string, expression: Expression, values: Values, budget: CelBudget): CelResult {
  const fails = `composited variable ${JSON.stringify(name)} fails to`
  if (!expression.ok) return { ok: false, kind: 'runtime', cost: 0, error: `${fails} compile: ${expression.why}` }
  const result = expression.program.evaluate(values, budget)
  return result.ok || result.kind === 'budget' ? result : { ...result, error: `${fails} evaluate: ${result.error}` }
}
