/**
 * The chain of an embedded cluster, in upstream's order. Seats that are kept and empty so far, at their place below:
 * the admission policies and webhooks. An empty seat enforces nothing; a cluster must not be sold as enforcing it.
 */
import type { RuleSource } from '../authz/rbac.ts'
import { certificateApproval, certificateRequester, certificateSigning } from './certificates.ts'
import { customResourceLimits } from '../crd/limits.ts'
import type { AdmissionPlugin } from './contract.ts'
import { defaultStorageClass } from './default-storage-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { podSecurity } from './pod-security.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-protection.ts'
import { taintNodesByCondition } from './taint-nodes.ts'

export interface PluginOptions {
  /** What roles hold, for the escalation check. @default no check: only for clusters without RBAC */
  readonly rules?: RuleSource
  /** Whether the controller that takes storage finalizers off is running. @default false */
  readonly storageProtection?: boolean
  /** Milliseconds since the epoch. @default the system's clock */
  readonly now?: () => number
}

export function defaultPlugins(options: PluginOptions): readonly AdmissionPlugin[] {
  const { rules, storageProtection = false, now = Date.now } = options
  return [
    namespaceLifecycle,
    limitRanger,
    serviceAccount,
    taintNodesByCondition,
    podSecurity,
    priority,
    defaultTolerationSeconds,
    defaultStorageClass,
    ...(storageProtection ? [storageObjectInUseProtection] : []),
    runtimeClass,
    certificateRequester,
    certificateApproval,
    certificateSigning,
    // MutatingAdmissionPolicy, MutatingAdmissionWebhook
    ...(rules === undefined ? [] : [rbacEscalation(rules)]),
    customResourceLimits,
    // ValidatingAdmissionPolicy, ValidatingAdmissionWebhook
    resourceQuota(now),
  ]
}
