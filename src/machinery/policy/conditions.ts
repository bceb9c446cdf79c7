/** Match conditions of policies and webhooks: all must be true for a request to be asked about. */
import type { Steps } from '../schema/steps.ts'
import type { Scope } from './environment.ts'
import type { Checked, Values } from './evaluate.ts'
import { CONDITIONS_BUDGET, OutOfBudget, evaluate } from './evaluate.ts'
import { compileExpression } from './expression.ts'

export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

export function* compileConditions(conditions: readonly MatchCondition[], scope: Scope): Steps<readonly Checked[]> {
  const out: Checked[] = []
  for (const { expression: text } of conditions) {
    yield undefined
    out.push({ text, expression: yield* compileExpression(text, scope, 'bool') })
  }
  return out
}

/** `failed`: some failed, none was false. `error`: and the failure policy is Fail. */
export type Matched =
  | { readonly matches: boolean }
  | { readonly matches: false; readonly failed: true }
  | { readonly matches: false; readonly failed: true; readonly error: string }

const FAILED = { matches: false, failed: true } as const

/** Yields where others may have a turn. `ignore`: the failure policy. */
export function* meetsConditions(
  conditions: readonly Checked[],
  values: Values,
  ignore: boolean,
): Generator<void, Matched> {
  const budget = { left: CONDITIONS_BUDGET }
  const failed: string[] = []
  for (const condition of conditions) {
    try {
      const outcome = evaluate(condition, values, budget)
      // Upstream evaluates the rest as well, for nothing but the budget.
      if (outcome.ok && outcome.value === false) return { matches: false }
      if (!outcome.ok) failed.push(outcome.error)
    } catch (error) {
      if (!(error instanceof OutOfBudget)) throw error
      return ignore ? FAILED : { ...FAILED, error: error.message }
    }
    yield
  }
  if (failed.length === 0) return { matches: true }
  return ignore ? FAILED : { ...FAILED, error: together(failed) }
}

/** Several errors as one text; each is said once. */
function together(errors: readonly string[]): string {
  const once = [...new Set(errors)]
  return once.length === 1 ? once[0]! : `[${once.join(', ')}]`
}
