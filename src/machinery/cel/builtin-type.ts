/** Types of built-in kinds, of requests and of namespaces, as admission rules see them. */
import type { FieldInfo, TypeTable } from '../types/table.ts'
import type { CelType } from './contract.ts'
import { isNameOf, unescapeField } from './escape.ts'

const STRING: CelType = { kind: 'string' }
const TIMESTAMP: CelType = { kind: 'timestamp' }
const INT: CelType = { kind: 'int' }
const DYN: CelType = { kind: 'dyn' }
const STRINGS: CelType = { kind: 'list', item: STRING }
const STRING_MAP: CelType = { kind: 'map', key: STRING, value: STRING }

function objectType(name: string, fields: Readonly<Record<string, CelType>>): CelType {
  return { kind: 'object', name, field: (field) => (Object.hasOwn(fields, field) ? fields[field] : undefined) }
}

const KIND = objectType('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = objectType('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = objectType('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: STRINGS,
  extra: { kind: 'map', key: STRING, value: STRINGS },
})

/** The variable `request`. */
export const REQUEST_TYPE: CelType = objectType('kubernetes.AdmissionRequest', {
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
  dryRun: { kind: 'bool' },
  options: DYN,
})

/** The variable `namespaceObject`. */
export const NAMESPACE_TYPE: CelType = objectType('kubernetes.Namespace', {
  metadata: objectType('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels: STRING_MAP,
    annotations: STRING_MAP,
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

/** The variables `authorizer` and `authorizer.requestResource`. */
export const AUTHORIZER_TYPE: CelType = { kind: 'opaque', name: 'kubernetes.authorization.Authorizer' }
export const RESOURCE_CHECK_TYPE: CelType = { kind: 'opaque', name: 'kubernetes.authorization.ResourceCheck' }

const SCALARS: Readonly<Record<string, CelType>> = {
  string: STRING,
  bool: { kind: 'bool' },
  int32: INT,
  int64: INT,
  double: { kind: 'double' },
  bytes: { kind: 'bytes' },
}
/** As OpenAPI describes those types: `FieldsV1` and raw extensions are objects without fields. */
const SPECIALS: Readonly<Record<string, CelType>> = {
  Time: TIMESTAMP,
  MicroTime: TIMESTAMP,
  Duration: STRING,
  Quantity: STRING,
  IntOrString: DYN,
  RawExtension: objectType('object', {}),
  FieldsV1: objectType('object', {}),
  JSON: DYN,
  JSONSchemaPropsOrBool: DYN,
  JSONSchemaPropsOrArray: DYN,
  JSONSchemaPropsOrStringArray: DYN,
}

const made = new WeakMap<TypeTable, Map<string, CelType>>()

/** The type of a name of the type table (`io.k8s.api.core.v1.Pod`). Fields are looked up when they are asked for. */
export function typeOfBuiltin(table: TypeTable, name: string): CelType {
  let known = made.get(table)
  if (known === undefined) made.set(table, (known = new Map()))
  const found = known.get(name)
  if (found !== undefined) return found
  const { special, byName } = table.type(name)
  const fields = new Map<string, CelType>()
  const type: CelType =
    special === undefined
      ? {
          kind: 'object',
          name,
          field(escaped) {
            const cached = fields.get(escaped)
            if (cached !== undefined) return cached
            const plain = unescapeField(escaped)
            const info = isNameOf(escaped, plain) ? byName.get(plain) : undefined
            if (info === undefined) return undefined
            const field = fieldType(table, info)
            if (field === undefined) return undefined
            fields.set(escaped, field)
            return field
          },
        }
      : SPECIALS[special]!
  known.set(name, type)
  return type
}

/** Undefined for quantities: OpenAPI gives them no type of their own, and what has none is not seen. */
function fieldType(table: TypeTable, info: FieldInfo): CelType | undefined {
  if (info.kind === 'object' && table.type(info.type!).special === 'Quantity') return undefined
  const item = info.kind === 'object' ? typeOfBuiltin(table, info.type!) : SCALARS[info.kind]!
  const value: CelType = info.wrapped ? { kind: 'list', item } : item
  if (info.container === 'map') return { kind: 'map', key: STRING, value }
  if (info.container === 'none') return value
  const { listType, listMapKeys } = info
  if (listType === undefined) return { kind: 'list', item: value }
  return listMapKeys === undefined
    ? { kind: 'list', item: value, listType }
    : { kind: 'list', item: value, listType, keys: listMapKeys }
}
