/**
 * Access to devices that others use, for administrators: only in namespaces with a label that says so. Upstream asks
 * for it where claims are validated; here that sees no other objects.
 */
import { forbidden } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'

const GROUP = 'resource.k8s.io'
const LABEL = 'resource.kubernetes.io/admin-access'
const CLAIMS = 'resourceclaims'

export const deviceAdminAccess: AdmissionPlugin = {
  name: 'DeviceAdminAccess',
  handles: (operation, info, subresource) => {
    if (info.group !== GROUP) return false
    if (operation === 'CREATE')
      return subresource === '' && (info.resource === CLAIMS || info.resource === 'resourceclaimtemplates')
    return operation === 'UPDATE' && subresource === 'status' && info.resource === CLAIMS
  },
  validate(request) {
    const path = request.operation === 'CREATE' ? asked(request.object) : granted(request)
    if (path === undefined || isLabelled(request)) return
    const { info } = request.resource
    const why = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`
    throw errors.invalid({ group: GROUP, kind: info.kind }, request.object.metadata.name ?? '', [forbidden(path, why)])
  },
}

/** Upstream names the same path in claims and their templates. */
function asked(object: KubeObject): string | undefined {
  const spec = object.kind === 'ResourceClaim' ? object['spec'] : object['spec']?.spec
  const list = (spec?.devices?.requests ?? []) as readonly { exactly?: { adminAccess?: boolean } }[]
  const i = list.findIndex((one) => one?.exactly?.adminAccess === true)
  return i < 0 ? undefined : `spec.devices.requests[${i}].adminAccess`
}

/** What an allocation had before it keeps. */
function granted({ object, old }: AdmissionRequest): string | undefined {
  if (old !== undefined && firstGrant(old) >= 0) return undefined
  const i = firstGrant(object)
  return i < 0 ? undefined : `status.allocation.devices.results[${i}].adminAccess`
}

function firstGrant(object: KubeObject): number {
  const list = (object['status']?.allocation?.devices?.results ?? []) as readonly { adminAccess?: boolean }[]
  return list.findIndex((one) => one?.adminAccess === true)
}

function isLabelled({ namespace, state }: AdmissionRequest): boolean {
  const labels = state.find('', 'namespaces', '', namespace)?.metadata.labels
  return labels !== undefined && Object.hasOwn(labels, LABEL) && labels[LABEL] === 'true'
}
