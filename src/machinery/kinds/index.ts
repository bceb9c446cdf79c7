/** The rules of each kind, by group and kind. */
import { deploymentRules } from './apps/deployment.ts'
import { replicaSetRules } from './apps/replicaset.ts'
import type { KindRules } from './contract.ts'
import { configMapRules, secretRules } from './core/data.ts'
import { namespaceRules } from './core/namespace.ts'
import { nodeRules } from './core/node.ts'
import { serviceRules } from './core/service.ts'
import { podRules, podTemplateRules } from './pod/rules.ts'

export { validateNamespaceFinalize } from './core/namespace.ts'
export { clusterIps as validateClusterIps, needsHealthCheck } from './core/service.ts'
export { validateLabelSelector } from './labels.ts'
export { validateMetadata, validateMetadataUpdate } from './metadata.ts'
export { qosClass } from './pod/qos.ts'
export {
  prepareEphemeralContainers,
  prepareResize,
  validateBinding,
  validateEphemeralContainers,
  validateResize,
} from './pod/subresources.ts'

const NONE: KindRules = {}

const RULES: ReadonlyMap<string, KindRules> = new Map([
  ['/ConfigMap', configMapRules],
  ['/Namespace', namespaceRules],
  ['/Node', nodeRules],
  ['/Pod', podRules],
  ['/PodTemplate', podTemplateRules],
  ['/Secret', secretRules],
  ['/Service', serviceRules],
  ['apps/Deployment', deploymentRules],
  ['apps/ReplicaSet', replicaSetRules],
])

/** What is written by hand for a built-in kind; kinds without an entry follow the type table alone. */
export function rulesFor(group: string, kind: string): KindRules {
  return RULES.get(`${group}/${kind}`) ?? NONE
}
