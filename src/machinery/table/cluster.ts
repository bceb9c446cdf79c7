/** Tables of what governs a cluster: networking, RBAC, certificates, admission, coordination, scheduling. */
import { humanDuration } from '../duration.ts'
import type { KubeObject } from '../object.ts'
import { age, hasEntry, int, list, nameOf, orNone, selectorAsGo, selectorText, simple, text } from './cells.ts'
import type { Condition } from './cells.ts'
import type { LabelSelectorObject } from '../selector/labels.ts'
import { columns, wide } from './contract.ts'
import type { TableDefinition } from './contract.ts'
import { ingressText } from './core.ts'

function hosts(rules: readonly { readonly host?: string }[]): string {
  const shown: string[] = []
  let more = false
  for (const { host } of rules) {
    if (shown.length === 3) more = true
    if (!more && text(host) !== '') shown.push(host!)
  }
  if (shown.length === 0) return '*'
  return more ? `${shown.join(',')} + ${rules.length - 3} more...` : shown.join(',')
}

export const ingressTable: TableDefinition = {
  columns: columns('Name', 'Class', 'Hosts', 'Address', 'Ports', 'Age'),
  cells: simple(
    (object) => (object['spec']?.ingressClassName as string | undefined) ?? '<none>',
    (object) => hosts(list(object['spec']?.rules as { host?: string }[] | undefined)),
    (object) => ingressText(object['status']?.loadBalancer),
    (object) => (list(object['spec']?.tls as unknown[] | undefined).length > 0 ? '80, 443' : '80'),
  ),
}

/** Not of internalversion: the aggregator prints its own. */
export const apiServiceTable: TableDefinition = {
  columns: columns('Name', 'Service', 'Available', 'Age'),
  cells(object, now) {
    const service = object['spec']?.service as { namespace?: string; name?: string } | null | undefined
    const conditions = list(object['status']?.conditions as Condition[] | undefined)
    const available = conditions.find(({ type }) => type === 'Available')
    const { status = 'Unknown', reason } = available ?? {}
    return [
      nameOf(object),
      service === undefined || service === null ? 'Local' : `${text(service.namespace)}/${text(service.name)}`,
      available === undefined || status === 'True' ? status : `${status} (${text(reason)})`,
      age(object, now),
    ]
  },
}

export const ingressClassTable: TableDefinition = {
  columns: columns('Name', 'Controller', 'Parameters', 'Age'),
  cells(object, now) {
    const chosen = hasEntry(object.metadata.annotations, 'ingressclass.kubernetes.io/is-default-class', 'true')
    const parameters = object['spec']?.parameters as { kind?: string; apiGroup?: string; name?: string } | undefined
    const group = parameters?.apiGroup === undefined ? '' : `.${parameters.apiGroup}`
    return [
      chosen ? `${nameOf(object)} (default)` : nameOf(object),
      text(object['spec']?.controller as string | undefined),
      parameters === undefined ? '<none>' : `${text(parameters.kind)}${group}/${text(parameters.name)}`,
      age(object, now),
    ]
  },
}

export const networkPolicyTable: TableDefinition = {
  columns: columns('Name', 'Pod-Selector', 'Age'),
  cells: simple((object) => selectorText(object['spec']?.podSelector ?? {})),
}

export const serviceCidrTable: TableDefinition = {
  columns: columns('Name', 'CIDRs', 'Age'),
  cells: simple((object) => list(object['spec']?.cidrs as string[] | undefined).join(',')),
}

export const ipAddressTable: TableDefinition = {
  columns: columns('Name', 'ParentRef'),
  // The age has a cell, but no column, upstream.
  cells(object, now) {
    const ref = object['spec']?.parentRef as Record<string, string | undefined> | undefined
    if (ref === undefined) return [nameOf(object), '<none>', age(object, now)]
    const { group, resource, namespace, name } = ref
    const kind = text(group) === '' ? text(resource) : `${text(resource)}.${group}`
    const parts = [kind.toLowerCase(), ...(text(namespace) === '' ? [] : [namespace!]), text(name)]
    return [nameOf(object), parts.join('/'), age(object, now)]
  },
}

interface RbacSubject {
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
}

export const bindingTable: TableDefinition = {
  columns: columns('Name', 'Role', 'Age', ...wide('Users', 'Groups', 'ServiceAccounts')),
  cells(object, now) {
    const subjects = list(object['subjects'] as RbacSubject[] | undefined)
    const names = (kind: string) =>
      subjects
        .filter((one) => one.kind === kind)
        .map((one) => (kind === 'ServiceAccount' ? `${text(one.namespace)}/${text(one.name)}` : text(one.name)))
        .join(', ')
    return [
      nameOf(object),
      `${text(object['roleRef']?.kind as string | undefined)}/${text(object['roleRef']?.name as string | undefined)}`,
      age(object, now),
      names('User'),
      names('Group'),
      names('ServiceAccount'),
    ]
  },
}

function requestState(object: KubeObject): string {
  const types = new Set(list(object['status']?.conditions as Condition[] | undefined).map((one) => one.type))
  const state = types.has('Denied') ? 'Denied' : types.has('Approved') ? 'Approved' : 'Pending'
  const failed = types.has('Failed') ? ',Failed' : ''
  return `${state}${failed}${text(object['status']?.certificate as string | undefined) === '' ? '' : ',Issued'}`
}

export const certificateRequestTable: TableDefinition = {
  columns: columns('Name', 'Age', 'SignerName', 'Requestor', 'RequestedDuration', 'Condition'),
  cells(object, now) {
    const seconds = object['spec']?.expirationSeconds as number | undefined
    return [
      nameOf(object),
      age(object, now),
      orNone(object['spec']?.signerName as string | undefined),
      text(object['spec']?.username as string | undefined),
      seconds === undefined ? '<none>' : humanDuration(seconds * 1000),
      requestState(object),
    ]
  },
}

export const trustBundleTable: TableDefinition = {
  columns: columns('Name', 'SignerName'),
  cells: (object) => [nameOf(object), orNone(object['spec']?.signerName as string | undefined)],
}

export const leaseTable: TableDefinition = {
  columns: columns('Name', 'Holder', 'Age'),
  cells: simple((object) => text(object['spec']?.holderIdentity as string | undefined)),
}

export const leaseCandidateTable: TableDefinition = {
  columns: columns('Name', 'LeaseName', 'BinaryVersion', 'EmulationVersion', 'Age'),
  cells: simple(
    (object) => text(object['spec']?.leaseName as string | undefined),
    (object) => text(object['spec']?.binaryVersion as string | undefined),
    (object) => text(object['spec']?.emulationVersion as string | undefined),
  ),
}

export const priorityClassTable: TableDefinition = {
  columns: columns('Name', ['Value', 'integer'], ['Global-Default', 'boolean'], 'Age', 'PreemptionPolicy'),
  cells: (object, now) => [
    nameOf(object),
    int(object['value'] as number | undefined),
    object['globalDefault'] === true,
    age(object, now),
    text(object['preemptionPolicy'] as string | undefined),
  ],
}

export const runtimeClassTable: TableDefinition = {
  columns: columns('Name', 'Handler', 'Age'),
  cells: simple((object) => text(object['handler'] as string | undefined)),
}

export const webhookTable: TableDefinition = {
  columns: columns('Name', ['Webhooks', 'integer'], 'Age'),
  cells: simple((object) => list(object['webhooks'] as unknown[] | undefined).length),
}

/** Admission policies: how many rules, and the kind of their parameters. */
export function policyTable(column: 'Validations' | 'Mutations'): TableDefinition {
  const field = column.toLowerCase()
  return {
    columns: columns('Name', [column, 'integer'], 'ParamKind', 'Age'),
    cells: simple(
      (object) => list(object['spec']?.[field] as unknown[] | undefined).length,
      (object) => {
        const kind = object['spec']?.paramKind as { apiVersion?: string; kind?: string } | undefined
        return kind === undefined ? '<unset>' : `${text(kind.apiVersion)}/${text(kind.kind)}`
      },
    ),
  }
}

interface ParamRef {
  readonly name?: string
  readonly namespace?: string
  readonly selector?: LabelSelectorObject
}

export const policyBindingTable: TableDefinition = {
  columns: columns('Name', 'PolicyName', 'ParamRef', 'Age'),
  cells: simple(
    (object) => text(object['spec']?.policyName as string | undefined),
    (object) => {
      const ref = object['spec']?.paramRef as ParamRef | undefined
      if (ref === undefined) return '<unset>'
      if (text(ref.name) !== '') return `${text(ref.namespace) || '*'}/${ref.name}`
      return ref.selector === undefined ? '<unset>' : selectorAsGo(ref.selector)
    },
  ),
}

export const flowSchemaTable: TableDefinition = {
  // As requests meet them.
  compare: (a, b) =>
    int(a['spec']?.matchingPrecedence as number | undefined) -
      int(b['spec']?.matchingPrecedence as number | undefined) || (nameOf(a) < nameOf(b) ? -1 : 1),
  columns: columns('Name', 'PriorityLevel', 'MatchingPrecedence', 'DistinguisherMethod', 'Age', 'MissingPL'),
  cells: (object, now) => [
    nameOf(object),
    text(object['spec']?.priorityLevelConfiguration?.name as string | undefined),
    int(object['spec']?.matchingPrecedence as number | undefined),
    (object['spec']?.distinguisherMethod?.type as string | undefined) ?? '<none>',
    age(object, now),
    list(object['status']?.conditions as Condition[] | undefined).find((one) => one.type === 'Dangling')?.status ?? '?',
  ],
}

export const priorityLevelTable: TableDefinition = {
  columns: columns('Name', 'Type', 'NominalConcurrencyShares', 'Queues', 'HandSize', 'QueueLengthLimit', 'Age'),
  cells: simple(
    (object) => text(object['spec']?.type as string | undefined),
    (object) =>
      object['spec']?.limited === undefined
        ? '<none>'
        : int(object['spec'].limited.nominalConcurrencyShares as number | undefined),
    ...['queues', 'handSize', 'queueLengthLimit'].map((field) => (object: KubeObject) => {
      const queuing = object['spec']?.limited?.limitResponse?.queuing as Record<string, number> | undefined
      return queuing === undefined ? '<none>' : int(queuing[field])
    }),
  ),
}
