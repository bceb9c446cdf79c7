/** Which fields a write through an endpoint cannot change, and so nobody manages through it: upstream's reset fields. */
import type { ServedResource } from '../contract.ts'
import type { FieldFilter } from '../../machinery/apply/index.ts'
import { fieldSetOf, without } from '../../machinery/apply/index.ts'

const STATUS = without(fieldSetOf(['status']))
const SPEC = without(fieldSetOf(['spec']))
const SPEC_AND_METADATA = without(fieldSetOf(['spec'], ['metadata']))

/** Kinds whose status endpoint takes nothing of metadata, by `<prefix>`. */
const FIXED_METADATA: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io/validatingadmissionpolicies/',
  'apiextensions.k8s.io/customresourcedefinitions/',
  'apiregistration.k8s.io/apiservices/',
  'certificates.k8s.io/podcertificaterequests/',
  'flowcontrol.apiserver.k8s.io/flowschemas/',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/',
  'internal.apiserver.k8s.io/storageversions/',
  'lifecycle.k8s.io/evictionrequests/',
  'networking.k8s.io/servicecidrs/',
  'resource.k8s.io/devicetaintrules/',
  'resource.k8s.io/resourceclaims/',
  'resource.k8s.io/resourcepoolstatusrequests/',
  'scheduling.k8s.io/compositepodgroups/',
  'scheduling.k8s.io/podgroups/',
  'storage.k8s.io/csinodes/',
  'storage.k8s.io/volumeattachments/',
  'storagemigration.k8s.io/storageversionmigrations/',
])

/** Endpoints that do not fit the rules, by `<prefix><subresource>`. */
const SPECIAL: ReadonlyMap<string, FieldFilter> = new Map([
  ['apps/deployments/status', without(fieldSetOf(['spec'], ['metadata', 'labels']))],
  [
    'core/pods/status',
    without(fieldSetOf(['spec'], ['metadata', 'deletionTimestamp'], ['metadata', 'ownerReferences'])),
  ],
  ['core/namespaces/finalize', STATUS],
  ['certificates.k8s.io/certificatesigningrequests/', without(fieldSetOf(['spec'], ['status']))],
  ['certificates.k8s.io/certificatesigningrequests/status', without(fieldSetOf(['spec'], ['status', 'conditions']))],
  ['certificates.k8s.io/certificatesigningrequests/approval', without(fieldSetOf(['spec'], ['status', 'certificate']))],
])

/** The filter of an endpoint; undefined when it can change everything. */
export function trackedFilter(resource: ServedResource, subresource: string): FieldFilter | undefined {
  const special = SPECIAL.get(`${resource.prefix}${subresource}`)
  if (special !== undefined) return special
  if (subresource === '') return resource.subresources.has('status') ? STATUS : undefined
  if (subresource !== 'status') return undefined
  return resource.custom !== undefined || FIXED_METADATA.has(resource.prefix) ? SPEC_AND_METADATA : SPEC
}
