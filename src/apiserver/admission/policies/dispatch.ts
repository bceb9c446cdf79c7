/** Which policies a write meets: with which binding, in which version, and with which parameters. */
import type { KubeObject } from '../../../machinery/object.ts'
import { StatusError } from '../../../machinery/status.ts'
import type { ServedResource } from '../../contract.ts'
import { matchResources } from '../match/resources.ts'
import type { View } from '../match/view.ts'
import { ConfigError, kindText, paramResource, paramsOf } from './params.ts'
import type { Pause } from './slices.ts'
import type { Hook } from './source.ts'
import type { BindingSpec, PolicySpec } from './spec.ts'
import { specOf } from './spec.ts'

/** A policy with a binding and the parameters that it is to be asked with, one after the other. */
export interface Invocation {
  readonly policy: KubeObject
  readonly binding: KubeObject
  readonly matched: ServedResource
  readonly params: readonly (KubeObject | null)[]
}

/** Something about a policy, or one of its bindings, makes asking it impossible. `message` says which. */
export interface Misconfigured {
  readonly policy: KubeObject
  readonly binding?: KubeObject
  readonly message: string
}

/** Yields where others may have a turn, and calls `each` or `wrong` on the way, in the order of names. */
export function* invocationsOf(
  hooks: readonly Hook[],
  view: View,
  each: (invocation: Invocation) => Generator<Pause, void>,
  wrong: (misconfigured: Misconfigured) => void,
): Generator<Pause, void> {
  for (const { policy, bindings } of hooks) {
    const found = attempt(() => targetOf(specOf<PolicySpec>(policy), view))
    if (found instanceof Error) {
      wrong({ policy, message: `failed to configure policy: ${found.message}` })
      continue
    }
    yield found === undefined ? undefined : view.ready(found.matched)
    if (found === undefined) continue
    const { matched, paramKind } = found
    for (const binding of bindings) {
      const spec = specOf<BindingSpec>(binding)
      const params = attempt(() => boundParams(spec, paramKind, view))
      if (params instanceof Error) wrong({ policy, binding, message: `failed to configure binding: ${params.message}` })
      else if (params !== undefined) yield* each({ policy, binding, matched, params })
      yield
    }
  }
}

/** What is wrong with the configuration is an answer, not a failure. */
function attempt<T>(work: () => T): T | ConfigError | StatusError {
  try {
    return work()
  } catch (error) {
    if (error instanceof ConfigError || error instanceof StatusError) return error
    throw error
  }
}

interface Found {
  readonly matched: ServedResource
  readonly paramKind: ServedResource | undefined
}

/** Undefined: the policy is not about the request. */
function targetOf({ matchConstraints, paramKind }: PolicySpec, view: View): Found | undefined {
  if (matchConstraints === undefined) throw new ConfigError('policy contained no match constraints, a required field')
  const matched = matchResources(matchConstraints, view)
  if (matched === undefined) return undefined
  if (paramKind === undefined) return { matched, paramKind: undefined }
  const served = paramResource(view.request.state.catalog, paramKind)
  if (served !== undefined) return { matched, paramKind: served }
  throw new ConfigError(`failed to find resource referenced by paramKind: '${kindText(paramKind)}'`)
}

/** Undefined: the binding is not about the request. */
function boundParams(
  { matchResources: match, paramRef }: BindingSpec,
  paramKind: ServedResource | undefined,
  view: View,
): readonly (KubeObject | null)[] | undefined {
  if (match !== undefined && matchResources(match, view) === undefined) return undefined
  return paramsOf(view.request.state, paramKind, paramRef, view.namespace)
}
