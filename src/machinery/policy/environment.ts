/** What expressions of admission policies and match conditions may name: variables with their types, as upstream declares them. */
import type { CelType } from '../cel/contract.ts'

const DYN: CelType = { kind: 'dyn' }
const STRING: CelType = { kind: 'string' }
const BOOL: CelType = { kind: 'bool' }
const INT: CelType = { kind: 'int' }
const TIMESTAMP: CelType = { kind: 'timestamp' }
const STRINGS: CelType = { kind: 'list', item: STRING }
const LABELS: CelType = { kind: 'map', key: STRING, value: STRING }
const AUTHORIZER: CelType = { kind: 'opaque', name: 'kubernetes.authorization.Authorizer' }
const RESOURCE_CHECK: CelType = { kind: 'opaque', name: 'kubernetes.authorization.ResourceCheck' }

/** A message type with these fields. */
export function objectType(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  const known = new Map(Object.entries(fields))
  return { kind: 'object', name, field: (field) => known.get(field) }
}

const KIND = objectType('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = objectType('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = objectType('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: STRINGS,
  extra: { kind: 'map', key: STRING, value: STRINGS },
})
const REQUEST = objectType('kubernetes.AdmissionRequest', {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER,
  dryRun: BOOL,
  options: DYN,
})
const NAMESPACE = objectType('kubernetes.Namespace', {
  metadata: objectType('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: LABELS,
    annotations: LABELS,
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: STRINGS,
  }),
  spec: objectType('kubernetes.NamespaceSpec', { finalizers: STRINGS }),
  status: objectType('kubernetes.NamespaceStatus', {
    conditions: {
      kind: 'list',
      item: objectType('kubernetes.NamespaceCondition', {
        status: STRING,
        type: STRING,
        lastTransitionTime: TIMESTAMP,
        message: STRING,
        reason: STRING,
      }),
    },
    phase: STRING,
  }),
})

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
    ['namespaceObject', NAMESPACE],
    ['request', REQUEST],
  ])
  if (scope.params) out.set('params', scope.paramsType ?? DYN)
  if (scope.authorizer) {
    out.set('authorizer', AUTHORIZER)
    out.set('authorizer.requestResource', RESOURCE_CHECK)
  }
  if (composed !== undefined) {
    out.set('variables', { kind: 'object', name: 'kubernetes.variables', field: (name) => composed.get(name) })
    for (const [name, type] of composed) out.set(`${VARIABLES}${name}`, type)
  }
  return out
}
