/** Match conditions of webhooks: expressions that decide whether one is called. */
import { compileConditions, meetsConditions } from '../../../machinery/policy/conditions.ts'
import type { MatchCondition, Matched } from '../../../machinery/policy/conditions.ts'
import type { Checked, Values } from '../../../machinery/policy/evaluate.ts'
import type { Steps } from '../../../machinery/schema/steps.ts'
import type { ServedResource } from '../../contract.ts'
import type { View } from '../match/view.ts'
import type { HookPass } from '../../metrics/admission.ts'
import { activate } from '../policies/activation.ts'
import { inSlices, type Pause } from '../policies/slices.ts'
import { refusal } from '../refusal.ts'
import type { Hook } from './hook.ts'

/** Characters of expressions that are kept compiled for all clusters together. */
const MOST_TEXT = 4 * 1024 * 1024

/** Compiled lists by their text, least recently used first: clusters with the same webhooks share them. */
const shared = new Map<string, readonly Checked[]>()
let size = 0
const own = new WeakMap<readonly MatchCondition[], readonly Checked[]>()

function* compiled(conditions: readonly MatchCondition[]): Steps<readonly Checked[]> {
  let found = own.get(conditions)
  if (found === undefined) own.set(conditions, (found = yield* byText(conditions)))
  return found
}

function* byText(conditions: readonly MatchCondition[]): Steps<readonly Checked[]> {
  const text = JSON.stringify(conditions.map(({ expression }) => expression))
  let found = shared.get(text)
  if (found === undefined) {
    found = yield* compileConditions(conditions, { params: false, authorizer: true })
    // Somebody else may have compiled it meanwhile.
    if (!shared.has(text)) size += text.length
  }
  shared.delete(text)
  shared.set(text, found)
  for (const oldest of shared.keys()) {
    if (size <= MOST_TEXT || oldest === text) break
    shared.delete(oldest)
    size -= oldest.length
  }
  return found
}

function* ask(conditions: readonly MatchCondition[], values: Values, ignore: boolean): Generator<Pause, Matched> {
  return yield* meetsConditions(yield* compiled(conditions), values, ignore)
}

/** Whether a webhook that is selected is to be called. @throws StatusError 403 when conditions fail under policy Fail */
export function meets(hook: Hook, view: View, matched: ServedResource, type: HookPass): boolean | Promise<boolean> {
  const { matchConditions, ignore } = hook
  if (matchConditions.length === 0) return true
  const since = performance.now()
  const values = activate(view, matched, null, true)
  const outcome = inSlices(ask(matchConditions, values, ignore), view.request.call)
  const decide = (met: Awaited<typeof outcome>): boolean => {
    if (!met.matches) {
      const { state, operation } = view.request
      const outcome = 'failed' in met ? 'failed' : 'excluded'
      const seconds = (performance.now() - since) / 1000
      state.metrics.admission.conditions('webhook', hook.name, type, operation, outcome, seconds)
    }
    if ('error' in met) throw refusal(view.request, met.error)
    return met.matches
  }
  return outcome instanceof Promise ? outcome.then(decide) : decide(outcome)
}
