/** Leases, CSI nodes, resource slices, claims and certificate requests of nodes. */
import type { KubeObject } from '../../../machinery/object.ts'
import { readRequest } from '../../../machinery/pki/request.ts'
import { equalJson } from '../../../machinery/equality.ts'
import type { AdmissionRequest } from '../contract.ts'
import { refusal } from '../refusal.ts'

export function checkLease(request: AdmissionRequest, node: string): void {
  if (request.namespace !== 'kube-node-lease') {
    throw refusal(request, 'can only access leases in the "kube-node-lease" system namespace')
  }
  if (nameOf(request) === node) return
  throw refusal(request, 'can only access node lease with the same name as the requesting node')
}

export function checkCsiNode(request: AdmissionRequest, node: string): void {
  if (nameOf(request) !== node) {
    throw refusal(request, 'can only access CSINode with the same name as the requesting node')
  }
  if (request.subresource === 'status') throw refusal(request, 'CSIVolumeHealth feature gate is disabled')
}

function nameOf({ operation, name, object }: AdmissionRequest): string {
  return operation === 'CREATE' ? (object.metadata.name ?? '') : name
}

export function checkSlice(request: AdmissionRequest, node: string): void {
  const { operation, object } = request
  if (operation === 'UPDATE' || object['spec']?.nodeName === node) return
  const verb = operation === 'CREATE' ? 'create' : 'delete'
  throw refusal(request, `can only ${verb} ResourceSlice with the same NodeName as the requesting node`)
}

export function checkClaimStatus(request: AdmissionRequest, node: string): void {
  const { subresource, operation, object, old } = request
  if (subresource !== 'status') throw refusal(request, 'may only update PVC status')
  if (operation !== 'UPDATE' || old === undefined) {
    throw refusal(request, `unexpected operation ${JSON.stringify(operation)}`)
  }
  if (equalJson(withoutReport(object), withoutReport(old))) return
  const text = `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions`
  throw refusal(request, text)
}

/** A claim without what its node reports. */
function withoutReport({ metadata, status, ...rest }: KubeObject): object {
  const { resourceVersion: _version, managedFields: _managers, ...meta } = metadata
  const {
    capacity: _capacity,
    conditions: _conditions,
    allocatedResourceStatuses: _statuses,
    allocatedResources: _resources,
    ...other
  } = (status ?? {}) as Record<string, unknown>
  return { ...rest, metadata: meta, status: other }
}

const KUBELET_SIGNERS = ['kubernetes.io/kubelet-serving', 'kubernetes.io/kube-apiserver-client-kubelet']

export function checkRequest(request: AdmissionRequest, node: string): void {
  const spec = request.object['spec'] ?? {}
  if (request.operation !== 'CREATE' || !KUBELET_SIGNERS.includes(String(spec.signerName))) return
  let commonName: string
  try {
    commonName = readRequest(Buffer.from(String(spec.request ?? ''), 'base64').toString('latin1')).commonName
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw refusal(request, `unable to parse csr: ${error.message}`)
  }
  if (commonName === `system:node:${node}`) return
  throw refusal(request, `can only create a node CSR with CN=system:node:${node}`)
}
