/** One validating policy, with one parameter, against one write. */
import type { KubeObject } from '../../../machinery/object.ts'
import { withVariables } from '../../../machinery/policy/composition.ts'
import { meetsConditions } from '../../../machinery/policy/conditions.ts'
import type { Outcome, Values } from '../../../machinery/policy/evaluate.ts'
import { BINDING_BUDGET, OutOfBudget, evaluate } from '../../../machinery/policy/evaluate.ts'
import type { CelBudget } from '../../../machinery/cel/contract.ts'
import type { ServedResource } from '../../contract.ts'
import type { View } from '../match/view.ts'
import { activate } from './activation.ts'
import type { CompiledValidating } from './compiled.ts'

/** What one validation says. `index`: its place in the policy, or of what failed as a whole 0. */
export interface Denial {
  readonly index: number
  readonly message: string
  readonly reason: string
}

export interface Validated {
  readonly denials: readonly Denial[]
  /** Values for the audit log. */
  readonly annotations: readonly { readonly key: string; readonly value: string }[]
  /** Validations that failed and do not count, by the failure policy. */
  readonly ignored: readonly string[]
  /** Annotations that failed: they refuse, whatever the binding's actions are. */
  readonly errors: readonly string[]
}

const NOTHING: Validated = { denials: [], annotations: [], errors: [], ignored: [] }
const MOST_MESSAGE_BYTES = 5 * 1024

export function* validateOne(
  name: string,
  policy: CompiledValidating,
  view: View,
  matched: ServedResource,
  params: KubeObject | null,
): Generator<void, Validated> {
  const { ignore, composed } = policy
  const failed = (message: string): Validated =>
    ignore ? { ...NOTHING, ignored: [message] } : { ...NOTHING, denials: [{ index: 0, message, reason: '' }] }
  if (policy.conditions.length > 0) {
    const since = performance.now()
    const values = withVariables(composed, activate(view, matched, params, true))
    const met = yield* meetsConditions(policy.conditions, values, ignore)
    if (!met.matches) {
      const { state, operation } = view.request
      const outcome = 'failed' in met ? 'failed' : 'excluded'
      const seconds = (performance.now() - since) / 1000
      state.metrics.admission.conditions('policy', name, 'validate', operation, outcome, seconds)
      return 'error' in met ? failed(met.error) : NOTHING
    }
  }
  const values = activate(view, matched, params, false)
  try {
    const found = yield* validations(policy, values)
    return { ...found, ...(yield* annotations(policy, values)) }
  } catch (error) {
    if (error instanceof OutOfBudget) return failed(error.message)
    throw error
  }
}

function* validations(
  policy: CompiledValidating,
  values: Values,
): Generator<void, Pick<Validated, 'denials' | 'ignored'>> {
  const { composed, ignore } = policy
  const budget = { left: BINDING_BUDGET }
  const own = withVariables(composed, values)
  const outcomes: Outcome[] = []
  for (const validation of policy.validations) {
    outcomes.push(evaluate(validation, own, budget))
    yield
  }
  const { authorizer: _hidden, 'authorizer.requestResource': _too, ...seen } = values
  const messageValues = withVariables(composed, seen)
  const out: Denial[] = []
  const ignored: string[] = []
  for (const [index, outcome] of outcomes.entries()) {
    if (!outcome.ok) {
      if (ignore) ignored.push(outcome.error)
      else out.push({ index, message: outcome.error, reason: '' })
    } else if (outcome.value !== true) {
      const denial = denied(policy, index, messageValues, budget)
      if (denial !== undefined) out.push(denial)
      yield
    }
  }
  return { denials: out, ignored }
}

function denied(policy: CompiledValidating, index: number, values: Values, budget: CelBudget): Denial | undefined {
  const { spec, messageExpression } = policy.validations[index]!
  let message = ''
  try {
    const outcome = messageExpression === undefined ? undefined : evaluate(messageExpression, values, budget)
    if (outcome?.ok === true && typeof outcome.value === 'string') message = usable(outcome.value)
  } catch (error) {
    if (!(error instanceof OutOfBudget)) throw error
    return policy.ignore ? undefined : { index, message: `failed messageExpression: ${error.message}`, reason: '' }
  }
  if (message === '') message = (spec.message ?? '').trim()
  if (message === '') message = `failed expression: ${spec.expression.trim()}`
  return { index, message, reason: spec.reason ?? '' }
}

/** One line of at most 5 KiB, or nothing. */
function usable(message: string): string {
  const text = message.trim()
  return text.includes('\n') || Buffer.byteLength(text) > MOST_MESSAGE_BYTES ? '' : text
}

function* annotations(
  policy: CompiledValidating,
  values: Values,
): Generator<void, Pick<Validated, 'annotations' | 'errors'>> {
  const { composed, ignore } = policy
  const budget = { left: BINDING_BUDGET }
  const { authorizer: _hidden, 'authorizer.requestResource': _too, ...seen } = values
  const own = withVariables(composed, seen)
  const out: { key: string; value: string }[] = []
  const errors: string[] = []
  for (const annotation of policy.annotations) {
    const outcome = evaluate(annotation, own, budget)
    if (!outcome.ok) {
      if (!ignore) errors.push(outcome.error)
    } else if (typeof outcome.value === 'string' && outcome.value.trim() !== '') {
      out.push({ key: annotation.key, value: outcome.value.trim() })
    }
    yield
  }
  return { annotations: out, errors }
}
