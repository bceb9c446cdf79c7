/** One mutating policy, with one parameter, on one write. */
import type { KubeObject } from '../../../machinery/object.ts'
import { withVariables } from '../../../machinery/policy/composition.ts'
import type { Checked } from '../../../machinery/policy/evaluate.ts'
import { BINDING_BUDGET, OutOfBudget, evaluate } from '../../../machinery/policy/evaluate.ts'
import { MutationError, configurationOf, operationsOf } from '../../../machinery/policy/mutation.ts'
import type { ServedResource } from '../../contract.ts'
import type { View } from '../match/view.ts'
import { activate } from './activation.ts'
import type { CompiledMutating } from './compiled.ts'
import { replaceObject } from './object.ts'
import type { Pause } from './slices.ts'
import { applyConfiguration, applyOperations } from './patch.ts'

export interface Mutated {
  readonly changed: boolean
  /** What could not be done, and why. */
  readonly failed: readonly string[]
}

/**
 * Changes the request's object by each mutation in order. Those that fail are told; the others count.
 * @throws StatusError when what came out is no object of the kind
 */
export function* mutateOne(
  policy: CompiledMutating,
  view: View,
  matched: ServedResource,
  params: KubeObject | null,
): Generator<Pause, Mutated> {
  const failed: string[] = []
  let changed = false
  for (const mutation of policy.mutations) {
    yield view.ready(matched)
    const { object } = view.in(matched)
    if (object === null) continue
    const values = withVariables(policy.composed, activate(view, matched, params, false))
    try {
      const value = valueOf(mutation, values)
      const made =
        mutation.type === 'JSONPatch'
          ? applyOperations(object, operationsOf(value))
          : applyConfiguration(object, configurationOf(value), matched, view.subresource)
      checkVersion(view, matched)
      if (made !== object && (yield* replaceObject(view, matched, made))) changed = true
    } catch (error) {
      if (!(error instanceof MutationError || error instanceof OutOfBudget)) throw error
      failed.push(error.message)
    }
    yield
  }
  return { changed, failed }
}

/** Upstream cannot bring a built-in object back that a policy met in another version than the request's. */
function checkVersion({ requested }: View, matched: ServedResource): void {
  if (matched === requested || matched.custom !== undefined) return
  const name = ({ info }: ServedResource): string => `${info.version}.${info.kind}`
  throw new MutationError(`converting (${name(matched)}) to (${name(requested)}): unknown conversion`)
}

/** @throws MutationError when the expression does not compile or fails */
function valueOf(mutation: Checked, values: Readonly<Record<string, unknown>>): unknown {
  if (!mutation.expression.ok) throw new MutationError(mutation.expression.why)
  const outcome = evaluate(mutation, values, { left: BINDING_BUDGET })
  if (!outcome.ok) throw new MutationError(outcome.error)
  return outcome.value
}
