/** Evaluation of an admission expression under the budget of its group, with upstream's words for what fails. */
import type { CelBudget } from '../cel/contract.ts'
import type { Expression } from './expression.ts'

/** Cost units that the expressions of one binding with one parameter may use. */
export const BINDING_BUDGET = 10_000_000
/** The same for the match conditions of a policy or webhook. */
export const CONDITIONS_BUDGET = 2_500_000

/** An expression with its text, which messages show. */
export interface Checked {
  readonly text: string
  readonly expression: Expression
}

export type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: string }

/** The budget of a group is used up: nothing more of it is evaluated. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
    this.name = 'OutOfBudget'
  }
}

export type Values = Readonly<Record<string, unknown>>

/** @throws OutOfBudget */
export function evaluate({ text, expression }: Checked, values: Values, budget: CelBudget): Outcome {
  if (!expression.ok) return { ok: false, error: `compilation error: ${expression.why}` }
  const result = expression.program.evaluate(values, budget)
  if (result.ok) return result
  if (result.kind === 'budget') throw new OutOfBudget()
  return { ok: false, error: `expression '${text}' resulted in error: ${result.error}` }
}
