/** Which kind has which table (`kubernetes/pkg/printers/internalversion`). */
import { autoscalerTable } from './autoscaler.ts'
import { nameOf } from './cells.ts'
import * as cluster from './cluster.ts'
import { columns } from './contract.ts'
import type { TableDefinition } from './contract.ts'
import * as core from './core.ts'
import * as devices from './devices.ts'
import { podTable } from './pod.ts'
import * as storage from './storage.ts'
import * as workloads from './workloads.ts'

export type { TableDefinition } from './contract.ts'

/** What kinds without columns of their own show: name, and the moment of creation. */
export const defaultTable: TableDefinition = {
  nullable: true,
  columns: columns('Name', ['Created At', 'date']),
  cells: (object) => [nameOf(object), object.metadata.creationTimestamp ?? '0001-01-01T00:00:00Z'],
}

const tables: ReadonlyMap<string, TableDefinition> = new Map([
  ['/Pod', podTable],
  ['/PodTemplate', core.podTemplateTable],
  ['/Service', core.serviceTable],
  ['/Endpoints', core.endpointsTable],
  ['/ConfigMap', core.configMapTable],
  ['/Secret', core.secretTable],
  ['/ServiceAccount', core.nameAndAge],
  ['/Namespace', core.namespaceTable],
  ['/Node', core.nodeTable],
  ['/Event', core.eventTable],
  ['events.k8s.io/Event', core.eventTable],
  ['/ResourceQuota', core.resourceQuotaTable],
  ['/ComponentStatus', core.componentStatusTable],
  ['/ReplicationController', workloads.replicationControllerTable],
  ['/PersistentVolume', storage.persistentVolumeTable],
  ['/PersistentVolumeClaim', storage.persistentVolumeClaimTable],
  ['apps/Deployment', workloads.deploymentTable],
  ['apps/ReplicaSet', workloads.replicaSetTable],
  ['apps/StatefulSet', workloads.statefulSetTable],
  ['apps/DaemonSet', workloads.daemonSetTable],
  ['apps/ControllerRevision', workloads.controllerRevisionTable],
  ['batch/Job', workloads.jobTable],
  ['batch/CronJob', workloads.cronJobTable],
  ['autoscaling/HorizontalPodAutoscaler', autoscalerTable],
  ['autoscaling/Scale', workloads.scaleTable],
  ['policy/PodDisruptionBudget', workloads.podDisruptionBudgetTable],
  ['discovery.k8s.io/EndpointSlice', core.endpointSliceTable],
  ['apiregistration.k8s.io/APIService', cluster.apiServiceTable],
  ['networking.k8s.io/Ingress', cluster.ingressTable],
  ['networking.k8s.io/IngressClass', cluster.ingressClassTable],
  ['networking.k8s.io/NetworkPolicy', cluster.networkPolicyTable],
  ['networking.k8s.io/ServiceCIDR', cluster.serviceCidrTable],
  ['networking.k8s.io/IPAddress', cluster.ipAddressTable],
  ['rbac.authorization.k8s.io/RoleBinding', cluster.bindingTable],
  ['rbac.authorization.k8s.io/ClusterRoleBinding', cluster.bindingTable],
  ['certificates.k8s.io/CertificateSigningRequest', cluster.certificateRequestTable],
  ['certificates.k8s.io/ClusterTrustBundle', cluster.trustBundleTable],
  ['coordination.k8s.io/Lease', cluster.leaseTable],
  ['coordination.k8s.io/LeaseCandidate', cluster.leaseCandidateTable],
  ['scheduling.k8s.io/PriorityClass', cluster.priorityClassTable],
  ['node.k8s.io/RuntimeClass', cluster.runtimeClassTable],
  ['admissionregistration.k8s.io/MutatingWebhookConfiguration', cluster.webhookTable],
  ['admissionregistration.k8s.io/ValidatingWebhookConfiguration', cluster.webhookTable],
  ['admissionregistration.k8s.io/ValidatingAdmissionPolicy', cluster.policyTable('Validations')],
  ['admissionregistration.k8s.io/MutatingAdmissionPolicy', cluster.policyTable('Mutations')],
  ['admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding', cluster.policyBindingTable],
  ['admissionregistration.k8s.io/MutatingAdmissionPolicyBinding', cluster.policyBindingTable],
  ['flowcontrol.apiserver.k8s.io/FlowSchema', cluster.flowSchemaTable],
  ['flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration', cluster.priorityLevelTable],
  ['storage.k8s.io/StorageClass', storage.storageClassTable],
  ['storage.k8s.io/VolumeAttributesClass', storage.volumeAttributesClassTable],
  ['storage.k8s.io/VolumeAttachment', storage.volumeAttachmentTable],
  ['storage.k8s.io/CSINode', storage.csiNodeTable],
  ['storage.k8s.io/CSIDriver', storage.csiDriverTable],
  ['resource.k8s.io/DeviceClass', core.nameAndAge],
  ['resource.k8s.io/DeviceTaintRule', devices.deviceTaintTable],
  ['resource.k8s.io/ResourceClaim', devices.claimTable],
  ['resource.k8s.io/ResourceSlice', devices.sliceTable],
  ['storagemigration.k8s.io/StorageVersionMigration', devices.migrationTable],
  ['certificates.k8s.io/PodCertificateRequest', devices.podCertificateTable],
  ['apiextensions.k8s.io/CustomResourceDefinition', devices.definitionTable],
  ['resource.k8s.io/ResourceClaimTemplate', core.nameAndAge],
])

/** The table of a kind; `undefined` where the {@link defaultTable} serves (roles, CRDs, limit ranges …). */
export function tableFor(group: string, kind: string): TableDefinition | undefined {
  return tables.get(`${group}/${kind}`)
}
