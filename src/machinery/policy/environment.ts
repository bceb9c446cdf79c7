/** What expressions of admission policies and match conditions may name: variables with their types, as upstream declares them. */
import { AUTHORIZER_TYPE, NAMESPACE_TYPE, REQUEST_TYPE, RESOURCE_CHECK_TYPE } from '../cel/builtin-type.ts'
import type { CelType } from '../cel/contract.ts'

const DYN: CelType = { kind: 'dyn' }

/** What an expression sees beside the request and its objects. */
export interface Scope {
  /** `params`: the policy names a kind of parameters. */
  readonly params: boolean
  /** `authorizer`: everything but message expressions. */
  readonly authorizer: boolean
  /** Types of the composed variables in their order; absent where there is no `variables` at all. */
  readonly composed?: ReadonlyMap<string, CelType>
  /** Types of objects and parameters, where they are known. @default dyn */
  readonly object?: CelType
  readonly paramsType?: CelType
}

/** What names of composed variables begin with. */
export const VARIABLES = 'variables.'

/** The declared variables of a scope. */
export function declarations(scope: Scope): ReadonlyMap<string, CelType> {
  const { composed } = scope
  const out = new Map<string, CelType>([
    ['object', scope.object ?? DYN],
    ['oldObject', scope.object ?? DYN],
    ['namespaceObject', NAMESPACE_TYPE],
    ['request', REQUEST_TYPE],
  ])
  if (scope.params) out.set('params', scope.paramsType ?? DYN)
  if (scope.authorizer) {
    out.set('authorizer', AUTHORIZER_TYPE)
    out.set('authorizer.requestResource', RESOURCE_CHECK_TYPE)
  }
  if (composed !== undefined) {
    out.set('variables', { kind: 'object', name: 'kubernetes.variables', field: (name) => composed.get(name) })
    for (const [name, type] of composed) out.set(`${VARIABLES}${name}`, type)
  }
  return out
}
