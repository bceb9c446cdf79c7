/** The rules of each kind, by group and kind. */
import { mutatingBindingRules, validatingBindingRules } from './admissionregistration/bindings.ts'
import { mutatingPolicyRules } from './admissionregistration/mutating-policy.ts'
import { validatingPolicyRules } from './admissionregistration/validating-policy.ts'
import { mutatingWebhookRules, validatingWebhookRules } from './admissionregistration/webhooks.ts'
import { apiServiceRules } from './apiregistration/apiservice.ts'
import { controllerRevisionRules } from './apps/controller-revision.ts'
import { daemonSetRules } from './apps/daemonset.ts'
import { deploymentRules } from './apps/deployment.ts'
import { replicaSetRules } from './apps/replicaset.ts'
import { statefulSetRules } from './apps/statefulset.ts'
import { horizontalPodAutoscalerRules } from './autoscaling/autoscaler.ts'
import { cronJobRules } from './batch/cronjob.ts'
import { jobRules } from './batch/job.ts'
import { certificateRequestRules } from './certificates/request.ts'
import { podCertificateRequestRules } from './certificates/pod-request.ts'
import { clusterTrustBundleRules } from './certificates/trust-bundle.ts'
import type { KindRules } from './contract.ts'
import { configMapRules, secretRules } from './core/data.ts'
import { endpointSliceRules, endpointsRules } from './core/endpoints.ts'
import { coreEventRules, eventRules } from './core/event.ts'
import { limitRangeRules, resourceQuotaRules } from './core/limits.ts'
import { namespaceRules } from './core/namespace.ts'
import { nodeRules } from './core/node.ts'
import { replicationControllerRules } from './core/replication-controller.ts'
import { serviceRules } from './core/service.ts'
import { disruptionBudgetRules, leaseRules, priorityClassRules, serviceAccountRules } from './core/small.ts'
import { customResourceDefinitionRules } from './crd/rules.ts'
import { priorityLevelRules } from './flowcontrol/level.ts'
import { flowSchemaRules } from './flowcontrol/schema.ts'
import { ipAddressRules, serviceCidrRules } from './networking/addresses.ts'
import { ingressClassRules, ingressRules } from './networking/ingress.ts'
import { networkPolicyRules } from './networking/policy.ts'
import { runtimeClassRules } from './node/runtime-class.ts'
import { podRules, podTemplateRules } from './pod/rules.ts'
import { clusterRoleBindingRules, clusterRoleRules, roleBindingRules, roleRules } from './rbac/rules.ts'
import { volumeAttachmentRules } from './storage/attachment.ts'
import { storageCapacityRules } from './storage/capacity.ts'
import { storageClassRules, volumeAttributesClassRules } from './storage/classes.ts'
import { csiDriverRules } from './storage/csi-driver.ts'
import { csiNodeRules } from './storage/csi-node.ts'
import { resourceClaimRules, resourceClaimTemplateRules } from './resource/claim.ts'
import { deviceClassRules } from './resource/class.ts'
import { resourceSliceRules } from './resource/slice.ts'
import { deviceTaintRuleRules } from './resource/taint-rule.ts'
import { persistentVolumeClaimRules } from './storage/persistent-claim.ts'
import { persistentVolumeRules } from './storage/volume.ts'
import { storageVersionMigrationRules } from './storage/migration.ts'

export { localCondition } from './apiregistration/apiservice.ts'
export { validateApproval } from './certificates/request.ts'
export { validateNamespaceFinalize } from './core/namespace.ts'
export {
  finalizerWarnings,
  validateAnnotationMap,
  validateLabelMap,
  validateMetadata,
  validateMetadataUpdate,
} from './metadata.ts'
export { defaultTokenRequest, validateScale, validateTokenRequest } from './requests.ts'
export {
  prepareEphemeralContainers,
  prepareResize,
  validateBinding,
  validateEphemeralContainers,
  validateResize,
} from './pod/subresources.ts'

const NONE: KindRules = {}

const RULES: ReadonlyMap<string, KindRules> = new Map<string, KindRules>([
  ['/ConfigMap', configMapRules],
  ['/Endpoints', endpointsRules],
  ['/Event', coreEventRules],
  ['/LimitRange', limitRangeRules],
  ['/Namespace', namespaceRules],
  ['/Node', nodeRules],
  ['/PersistentVolume', persistentVolumeRules],
  ['/PersistentVolumeClaim', persistentVolumeClaimRules],
  ['/Pod', podRules],
  ['/PodTemplate', podTemplateRules],
  ['/ReplicationController', replicationControllerRules],
  ['/ResourceQuota', resourceQuotaRules],
  ['/Secret', secretRules],
  ['/Service', serviceRules],
  ['/ServiceAccount', serviceAccountRules],
  ['admissionregistration.k8s.io/MutatingAdmissionPolicy', mutatingPolicyRules],
  ['admissionregistration.k8s.io/MutatingAdmissionPolicyBinding', mutatingBindingRules],
  ['admissionregistration.k8s.io/MutatingWebhookConfiguration', mutatingWebhookRules],
  ['admissionregistration.k8s.io/ValidatingWebhookConfiguration', validatingWebhookRules],
  ['admissionregistration.k8s.io/ValidatingAdmissionPolicy', validatingPolicyRules],
  ['admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding', validatingBindingRules],
  ['apiextensions.k8s.io/CustomResourceDefinition', customResourceDefinitionRules],
  ['apiregistration.k8s.io/APIService', apiServiceRules],
  ['apps/ControllerRevision', controllerRevisionRules],
  ['apps/DaemonSet', daemonSetRules],
  ['apps/Deployment', deploymentRules],
  ['apps/ReplicaSet', replicaSetRules],
  ['apps/StatefulSet', statefulSetRules],
  ['autoscaling/HorizontalPodAutoscaler', horizontalPodAutoscalerRules],
  ['batch/CronJob', cronJobRules],
  ['batch/Job', jobRules],
  ['certificates.k8s.io/CertificateSigningRequest', certificateRequestRules],
  ['certificates.k8s.io/ClusterTrustBundle', clusterTrustBundleRules],
  ['certificates.k8s.io/PodCertificateRequest', podCertificateRequestRules],
  ['coordination.k8s.io/Lease', leaseRules],
  ['discovery.k8s.io/EndpointSlice', endpointSliceRules],
  ['events.k8s.io/Event', eventRules],
  ['flowcontrol.apiserver.k8s.io/FlowSchema', flowSchemaRules],
  ['flowcontrol.apiserver.k8s.io/PriorityLevelConfiguration', priorityLevelRules],
  ['networking.k8s.io/IPAddress', ipAddressRules],
  ['networking.k8s.io/Ingress', ingressRules],
  ['networking.k8s.io/IngressClass', ingressClassRules],
  ['networking.k8s.io/NetworkPolicy', networkPolicyRules],
  ['networking.k8s.io/ServiceCIDR', serviceCidrRules],
  ['node.k8s.io/RuntimeClass', runtimeClassRules],
  ['policy/PodDisruptionBudget', disruptionBudgetRules],
  ['rbac.authorization.k8s.io/ClusterRole', clusterRoleRules],
  ['rbac.authorization.k8s.io/ClusterRoleBinding', clusterRoleBindingRules],
  ['rbac.authorization.k8s.io/Role', roleRules],
  ['rbac.authorization.k8s.io/RoleBinding', roleBindingRules],
  ['resource.k8s.io/DeviceClass', deviceClassRules],
  ['resource.k8s.io/DeviceTaintRule', deviceTaintRuleRules],
  ['resource.k8s.io/ResourceClaim', resourceClaimRules],
  ['resource.k8s.io/ResourceClaimTemplate', resourceClaimTemplateRules],
  ['resource.k8s.io/ResourceSlice', resourceSliceRules],
  ['scheduling.k8s.io/PriorityClass', priorityClassRules],
  ['storage.k8s.io/CSIDriver', csiDriverRules],
  ['storage.k8s.io/CSINode', csiNodeRules],
  ['storage.k8s.io/CSIStorageCapacity', storageCapacityRules],
  ['storage.k8s.io/StorageClass', storageClassRules],
  ['storage.k8s.io/VolumeAttachment', volumeAttachmentRules],
  ['storage.k8s.io/VolumeAttributesClass', volumeAttributesClassRules],
  ['storagemigration.k8s.io/StorageVersionMigration', storageVersionMigrationRules],
])

/** What is written by hand for a built-in kind; kinds without an entry follow the type table alone. */
export function rulesFor(group: string, kind: string): KindRules {
  return RULES.get(`${group}/${kind}`) ?? NONE
}
