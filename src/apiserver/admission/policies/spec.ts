/** Policies and bindings as they are stored, with their defaults. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { MatchCondition } from '../../../machinery/policy/conditions.ts'
import type { Variable } from '../../../machinery/policy/composition.ts'
import type { MatchResources } from '../match/resources.ts'
import type { ParamKind, ParamRef } from './params.ts'

export interface PolicySpec {
  readonly failurePolicy?: 'Fail' | 'Ignore'
  readonly paramKind?: ParamKind
  readonly matchConstraints?: MatchResources
  readonly matchConditions?: readonly MatchCondition[]
  readonly variables?: readonly Variable[]
}

export interface Validation {
  readonly expression: string
  readonly message?: string
  readonly messageExpression?: string
  readonly reason?: string
}

export interface ValidatingSpec extends PolicySpec {
  readonly validations?: readonly Validation[]
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[]
}

export interface MutatingSpec extends PolicySpec {
  readonly mutations?: readonly {
    readonly patchType: 'ApplyConfiguration' | 'JSONPatch'
    readonly applyConfiguration?: { readonly expression: string }
    readonly jsonPatch?: { readonly expression: string }
  }[]
  readonly reinvocationPolicy?: 'Never' | 'IfNeeded'
}

export interface BindingSpec {
  readonly policyName?: string
  readonly paramRef?: ParamRef
  readonly matchResources?: MatchResources
  readonly validationActions?: readonly string[]
}

export const specOf = <T>(object: KubeObject): T => (object['spec'] ?? {}) as T
