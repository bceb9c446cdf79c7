/** Tables of devices and their claims, and of kinds that name other kinds: definitions, migrations, certificates of pods. */
import { ageOf } from '../duration.ts'
import type { KubeObject } from '../object.ts'
import { age, isTrue, labelsText, list, nameOf, simple, text } from './cells.ts'
import type { Condition } from './cells.ts'
import { columns, wide } from './contract.ts'
import type { TableDefinition } from './contract.ts'

export const claimTable: TableDefinition = {
  columns: columns('Name', 'State', 'Age'),
  cells: simple((object) => {
    const deleted = object.metadata.deletionTimestamp !== undefined
    const states = deleted ? ['deleted'] : []
    const status = object['status'] as { allocation?: object | null; reservedFor?: readonly object[] } | undefined
    if (status?.allocation === undefined || status.allocation === null) {
      if (!deleted) states.push('pending')
    } else {
      states.push('allocated')
      if (list(status.reservedFor).length > 0) states.push('reserved')
    }
    return states.join(',')
  }),
}

export const sliceTable: TableDefinition = {
  columns: columns('Name', 'Node', 'Driver', 'Pool', 'Age'),
  cells: simple(
    (object) => text(object['spec']?.nodeName as string | undefined),
    (object) => text(object['spec']?.driver as string | undefined),
    (object) => text(object['spec']?.pool?.name as string | undefined),
  ),
}

const taint = (field: 'key' | 'value' | 'effect') => (object: KubeObject) =>
  text(object['spec']?.taint?.[field] as string | undefined)

export const deviceTaintTable: TableDefinition = {
  columns: columns('Name', 'Key', 'Value', 'Effect', 'TimeAdded', 'Age'),
  cells(object, now) {
    const added = object['spec']?.taint?.timeAdded as string | null | undefined
    const [key, value, effect] = [taint('key'), taint('value'), taint('effect')].map((of) => of(object))
    const since = added === undefined || added === null ? '' : ageOf(added, now)
    return [nameOf(object), key!, value!, effect!, since, age(object, now)]
  },
}

export const migrationTable: TableDefinition = {
  // The name has no format here, as upstream has it.
  columns: columns(['Name', 'string', 0, ''], 'Resource', 'Status'),
  cells(object) {
    const { group = '', resource = '' } = (object['spec']?.resource ?? {}) as { group?: string; resource?: string }
    let state = 'Unknown'
    for (const { type, status } of list(object['status']?.conditions as Condition[] | undefined)) {
      if (status === 'True' && ['Running', 'Failed', 'Succeeded'].includes(type)) state = type
    }
    return [nameOf(object), group === '' ? resource : `${resource}.${group}`, state]
  },
}

export const podCertificateTable: TableDefinition = {
  columns: columns(
    'Name',
    'PodName',
    'ServiceAccountName',
    'NodeName',
    'SignerName',
    'State',
    'UnverifiedUserAnnotations',
  ),
  cells(object) {
    const spec = (object['spec'] ?? {}) as Record<string, string | undefined>
    let state = 'Pending'
    for (const { type } of list(object['status']?.conditions as Condition[] | undefined)) {
      if (['Issued', 'Denied', 'Failed'].includes(type)) state = type
    }
    const { podName, serviceAccountName, nodeName, signerName } = spec
    const annotations = labelsText(spec['unverifiedUserAnnotations'] as never)
    return [
      nameOf(object),
      text(podName),
      text(serviceAccountName),
      text(nodeName),
      text(signerName),
      state,
      annotations,
    ]
  },
}

interface Definition {
  readonly group?: string
  readonly scope?: string
  readonly names?: { readonly kind?: string; readonly shortNames?: readonly string[] | null }
  readonly versions?: readonly { readonly name: string; readonly served?: boolean; readonly storage?: boolean }[]
}

export const definitionTable: TableDefinition = {
  nullable: true,
  columns: columns('Name', 'Scope', 'Versions', ['Created At', 'date'], ...wide('Group', 'Kind', 'ShortNames'), [
    'Established',
    'boolean',
    1,
  ]),
  cells(object) {
    const { group, scope, names, versions } = (object['spec'] ?? {}) as Definition
    const served = list(versions)
      .filter((version) => version.served === true)
      .map((version) => (version.storage === true ? `${version.name}(storage)` : version.name))
    return [
      nameOf(object),
      text(scope),
      served.toSorted().join(','),
      object.metadata.creationTimestamp ?? '0001-01-01T00:00:00Z',
      text(group),
      text(names?.kind),
      list(names?.shortNames).join(','),
      isTrue(object['status']?.conditions as Condition[] | undefined, 'Established'),
    ]
  },
}
