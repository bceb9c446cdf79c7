/**
 * What upstream's strategies say of a whole kind, for kinds whose rules (machinery/kinds) do not say it themselves.
 * Names are `<group>/<resource>`.
 */
import type { ServedResource } from '../contract.ts'
import { rulesOf } from './core.ts'

/** PUT to a missing name creates. */
const CREATE_ON_UPDATE: ReadonlySet<string> = new Set([
  'coordination.k8s.io/leases',
  'coordination.k8s.io/leasecandidates',
  '/endpoints',
  '/events',
  'events.k8s.io/events',
  '/limitranges',
  '/services',
  'node.k8s.io/runtimeclasses',
  'rbac.authorization.k8s.io/clusterroles',
  'rbac.authorization.k8s.io/clusterrolebindings',
  'rbac.authorization.k8s.io/roles',
  'rbac.authorization.k8s.io/rolebindings',
])

/** An update must carry a resourceVersion. */
const CONDITIONAL: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  'admissionregistration.k8s.io/validatingwebhookconfigurations',
  'apiextensions.k8s.io/customresourcedefinitions',
  'apiregistration.k8s.io/apiservices',
  'internal.apiserver.k8s.io/storageversions',
  'certificates.k8s.io/clustertrustbundles',
  'certificates.k8s.io/podcertificaterequests',
  'coordination.k8s.io/leases',
  'coordination.k8s.io/leasecandidates',
  'node.k8s.io/runtimeclasses',
  'policy/poddisruptionbudgets',
  'scheduling.k8s.io/podgroups',
  'scheduling.k8s.io/workloads',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/csistoragecapacities',
  'storage.k8s.io/volumeattachments',
  'storagemigration.k8s.io/storageversionmigrations',
])

/** Kinds that count changes of their spec in metadata.generation. */
const GENERATION: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  'admissionregistration.k8s.io/validatingwebhookconfigurations',
  'apiextensions.k8s.io/customresourcedefinitions',
  'apps/daemonsets',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'autoscaling/horizontalpodautoscalers',
  'batch/cronjobs',
  'batch/jobs',
  '/pods',
  '/podtemplates',
  '/replicationcontrollers',
  'discovery.k8s.io/endpointslices',
  'flowcontrol.apiserver.k8s.io/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations',
  'networking.k8s.io/ingresses',
  'networking.k8s.io/ingressclasses',
  'networking.k8s.io/networkpolicies',
  'policy/poddisruptionbudgets',
  'resource.k8s.io/deviceclasses',
  'resource.k8s.io/devicetaintrules',
  'resource.k8s.io/resourceslices',
  'scheduling.k8s.io/priorityclasses',
])

/** A delete answers with the object, not with a Status. */
const ANSWERED: ReadonlySet<string> = new Set([
  '/namespaces',
  '/persistentvolumeclaims',
  '/persistentvolumes',
  '/pods',
  '/podtemplates',
  '/resourcequotas',
  '/serviceaccounts',
  '/services',
  'resource.k8s.io/deviceclasses',
  'resource.k8s.io/resourceclaims',
  'resource.k8s.io/resourceclaimtemplates',
  'resource.k8s.io/resourceslices',
  'storage.k8s.io/csidrivers',
  'storage.k8s.io/csinodes',
  'storage.k8s.io/storageclasses',
  'storage.k8s.io/volumeattachments',
  'storage.k8s.io/volumeattributesclasses',
])

const nameOf = ({ info }: ServedResource): string => `${info.group}/${info.resource}`

export function createsOnUpdate(served: ServedResource): boolean {
  if (served.custom !== undefined) return false
  return rulesOf(served).createOnUpdate ?? CREATE_ON_UPDATE.has(nameOf(served))
}

export function allowsUnconditionalUpdate(served: ServedResource): boolean {
  if (served.custom !== undefined) return false
  return rulesOf(served).unconditionalUpdate ?? !CONDITIONAL.has(nameOf(served))
}

/** Whether the answer to a finished delete is the object. */
export function answersDeleted(served: ServedResource): boolean {
  return served.custom === undefined && ANSWERED.has(nameOf(served))
}

/** What becomes of the dependents of a deleted object when nobody says it; `none`: nobody may own it to begin with. */
export function dependentsOf(served: ServedResource): 'delete' | 'orphan' | 'none' {
  const name = nameOf(served)
  if (name === '/replicationcontrollers' || name === 'batch/jobs') return 'orphan'
  return name === '/events' || name === 'events.k8s.io/events' ? 'none' : 'delete'
}

/** Whether objects of a kind have a generation at all. */
export function hasGeneration(served: ServedResource): boolean {
  if (served.custom !== undefined) return true
  const { generation } = rulesOf(served)
  return generation === undefined ? GENERATION.has(nameOf(served)) : generation !== false
}
