/** The chain of an embedded cluster, in upstream's order. */
import { randomUUID } from 'node:crypto'
import type { RuleSource } from '../authz/rbac.ts'
import {
  certificateApproval,
  certificateRequester,
  certificateSigning,
  certificateSubjectRestriction,
  podCertificateSigning,
  clusterTrustBundleAttest,
} from './certificates.ts'
import type { Dialler } from '../dial/contract.ts'
import type { AdmissionPlugin } from './contract.ts'
import { defaultIngressClass } from './default-ingress-class.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeDeclaredFeatureValidator } from './node-declared-features.ts'
import { nodeRestriction } from './node-restriction/plugin.ts'
import { deviceAdminAccess } from './device-admin-access.ts'
import { deviceStatus } from './device-status.ts'
import { podResizeValidator } from './pod-resize.ts'
import { podTopologyLabels } from './pod-topology-labels.ts'
import { persistentVolumeClaimResize } from './pvc-resize.ts'
import { mutatingAdmissionPolicy } from './policies/mutating-plugin.ts'
import { policyReadAccess } from './policies/read-access.ts'
import { validatingAdmissionPolicy } from './policies/validating-plugin.ts'
import { podSecurity } from './pod-security.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-protection.ts'
import { taintNodesByCondition } from './taint-nodes.ts'
import { Caller } from './webhooks/call.ts'
import { mutatingWebhooks } from './webhooks/mutating.ts'
import { validatingWebhooks } from './webhooks/validating.ts'

export interface PluginOptions {
  /** What roles hold, for the escalation check. @default no check: only for clusters without RBAC */
  readonly rules?: RuleSource
  /** Whether the controller that takes storage finalizers off is running. @default false */
  readonly storageProtection?: boolean
  /** What webhooks are called over. @default none are called */
  readonly dialler?: Dialler
  /** Milliseconds since the epoch. @default the system's clock */
  readonly now?: () => number
}

export function defaultPlugins(options: PluginOptions): readonly AdmissionPlugin[] {
  const { rules, storageProtection = false, dialler, now = Date.now } = options
  const caller = dialler === undefined ? undefined : new Caller({ dialler, uuid: randomUUID })
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccount,
    nodeRestriction,
    taintNodesByCondition,
    podSecurity,
    priority,
    defaultTolerationSeconds,
    defaultStorageClass,
    ...(storageProtection ? [storageObjectInUseProtection] : []),
    persistentVolumeClaimResize,
    runtimeClass,
    certificateRequester,
    certificateApproval,
    certificateSigning,
    podCertificateSigning,
    clusterTrustBundleAttest,
    certificateSubjectRestriction,
    defaultIngressClass,
    podTopologyLabels,
    nodeDeclaredFeatureValidator,
    podResizeValidator,
    mutatingAdmissionPolicy,
    ...(caller === undefined ? [] : [mutatingWebhooks(caller)]),
    ...(rules === undefined ? [] : [rbacEscalation(rules)]),
    policyReadAccess,
    deviceAdminAccess,
    deviceStatus,
    validatingAdmissionPolicy,
    ...(caller === undefined ? [] : [validatingWebhooks(caller)]),
    resourceQuota(now),
  ]
}
