/** What a node may do with pods: mirror its own, report on those it runs, and let them go. */
import type { KubeObject } from '../../../machinery/object.ts'
import { errors } from '../../../machinery/status.ts'
import { equalJson } from '../../../machinery/equality.ts'
import type { AdmissionRequest } from '../contract.ts'
import { refusal } from '../refusal.ts'
import { apiReference } from './reference.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const quoted = (text: string): string => JSON.stringify(text)

export function checkPod(request: AdmissionRequest, node: string): void {
  switch (request.operation) {
    case 'CREATE':
      checkMirror(request, node)
      return
    case 'DELETE':
      if (request.old?.['spec']?.nodeName === node) return
      throw refusal(request, `node ${quoted(node)} can only delete pods with spec.nodeName set to itself`)
    default: {
      const text = `unexpected operation ${quoted(request.operation)}, node ${quoted(node)} can only create and delete mirror pods`
      throw refusal(request, text)
    }
  }
}

interface Owner {
  readonly apiVersion?: string
  readonly kind?: string
  readonly name?: string
  readonly uid?: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

function checkMirror(request: AdmissionRequest, node: string): void {
  const { object } = request
  const no = (why: string): Error => refusal(request, why)
  const only = (what: string): Error => no(`node ${quoted(node)} can only create pods with ${what}`)
  if (!Object.hasOwn(object.metadata.annotations ?? {}, MIRROR)) {
    throw no(`pod does not have ${quoted(MIRROR)} annotation, node ${quoted(node)} can only create mirror pods`)
  }
  if (object['spec']?.nodeName !== node) throw only('spec.nodeName set to itself')
  const owners = (object.metadata.ownerReferences ?? []) as readonly Owner[]
  if (owners.length > 1) throw only('a single owner reference set to itself')
  const owner = owners[0]
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) {
    throw only('an owner reference set to itself')
  }
  if (owner.controller !== true) throw only('a controller owner reference set to itself')
  if (owner.blockOwnerDeletion === true) {
    throw no(`node ${quoted(node)} must not set blockOwnerDeletion on an owner reference`)
  }
  const found = request.state.find('', 'nodes', '', node)
  if (found === undefined) throw errors.notFound({ group: '', resource: 'nodes' }, node)
  if (found.metadata.uid !== owner.uid) {
    throw no(`node ${node} UID mismatch: expected ${owner.uid ?? ''} got ${found.metadata.uid}`)
  }
  const reference = apiReference(object)
  if (reference !== undefined) throw no(`node ${quoted(node)} can not create pods that reference ${reference}`)
}

const CLAIM_STATUSES = [
  ['resourceClaimStatuses', 'resource claim statues'],
  ['extendedResourceClaimStatus', 'extended resource claim status'],
  ['nodeAllocatableResourceClaimStatuses', 'node allocatable resource claim statuses'],
] as const

export function checkPodStatus(request: AdmissionRequest, node: string): void {
  const { operation, object, old } = request
  if (operation !== 'UPDATE' || old === undefined) throw refusal(request, `unexpected operation ${quoted(operation)}`)
  if (old['spec']?.nodeName !== node) {
    const text = `node ${quoted(node)} can only update pod status for pods with spec.nodeName set to itself`
    throw refusal(request, text)
  }
  if (!equalJson(object.metadata.labels ?? {}, old.metadata.labels ?? {})) {
    throw refusal(request, `node ${quoted(node)} cannot update labels through pod status`)
  }
  for (const [field, name] of CLAIM_STATUSES) {
    if (equalJson(statusField(object, field), statusField(old, field))) continue
    throw refusal(request, `node ${quoted(node)} cannot update ${name}`)
  }
}

const statusField = (pod: KubeObject, field: string): unknown => pod['status']?.[field] ?? null

export function checkEviction(request: AdmissionRequest, node: string): void {
  const { operation, namespace, name, object } = request
  if (operation !== 'CREATE') throw refusal(request, `unexpected operation ${operation}`)
  const wanted = name === '' ? (object.metadata.name ?? '') : name
  if (wanted === '') throw refusal(request, 'could not determine pod from request data')
  const pod = request.state.find('', 'pods', namespace, wanted)
  if (pod === undefined) throw errors.notFound({ group: '', resource: 'pods' }, wanted)
  if (pod['spec']?.nodeName === node) return
  throw refusal(request, `node ${node} can only evict pods with spec.nodeName set to itself`)
}
