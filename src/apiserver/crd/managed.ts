/** Who manages the status of a definition: the server itself. */
import type { Definition } from './definition.ts'

const MANAGER = 'kube-apiserver'
const VERSION = 'apiextensions.k8s.io/v1'

interface ManagedEntry {
  readonly manager: string
  readonly operation: string
  readonly time?: string
  readonly subresource?: string
  readonly [field: string]: unknown
}

/**
 * The definition with the server named as the manager of its names and conditions. One whose managers are not known
 * stays as it is.
 */
export function withStatusManager(definition: Definition, now: string): Definition {
  const list = definition.metadata.managedFields as readonly ManagedEntry[] | undefined
  const { acceptedNames = {}, conditions = [] } = definition.status ?? {}
  if (list === undefined || list.length === 0) return definition
  const owned = Object.fromEntries(
    conditions
      .map((one) => [`k:${JSON.stringify({ type: one.type })}`, { '.': {}, ...named(one) }] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
  const own: ManagedEntry = {
    manager: MANAGER,
    operation: 'Update',
    apiVersion: VERSION,
    time: now,
    fieldsType: 'FieldsV1',
    fieldsV1: { 'f:status': { 'f:acceptedNames': named(acceptedNames), 'f:conditions': owned } },
    subresource: 'status',
  }
  const others = list.filter(
    ({ manager, subresource, operation }) => manager !== MANAGER || subresource !== 'status' || operation !== 'Update',
  )
  return { ...definition, metadata: { ...definition.metadata, managedFields: [...others, own].toSorted(order) } }
}

function named(object: object): Record<string, object> {
  return Object.fromEntries(
    Object.keys(object)
      .toSorted()
      .map((field) => [`f:${field}`, {}]),
  )
}

/** Those who apply first, then by time and name. */
function order(a: ManagedEntry, b: ManagedEntry): number {
  const key = ({ operation, time = '', manager }: ManagedEntry): string => `${operation} ${time} ${manager}`
  return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0
}
