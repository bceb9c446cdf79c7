/** Which controllers run in which kind of cluster. */
import { isIP } from 'node:net'
import { certificateCleaner } from './certificates/cleaner.ts'
import { certificateSigner } from './certificates/signer.ts'
import { clusterRoleAggregationController } from './cluster-role-aggregation.ts'
import type { ControllerFactory } from './contract.ts'
import { cronJobController } from './cronjob/controller.ts'
import { daemonSetController } from './daemonset/controller.ts'
import { deploymentController } from './deployment/controller.ts'
import type { AggregatedResources, DiscoveredResource } from './discovery.ts'
import { disruptionController } from './disruption/controller.ts'
import { endpointsController } from './endpoints/endpoints-controller.ts'
import { endpointSliceController } from './endpoints/slice-controller.ts'
import { flowSchemaStatusController } from './flowcontrol/status.ts'
import { taintEvictionController } from './eviction/controller.ts'
import { garbageCollector } from './garbage/controller.ts'
import { jobController } from './job/controller.ts'
import { ttlAfterFinishedController } from './job/ttl.ts'
import { kubernetesServiceController } from './kubernetes-service.ts'
import { endpointSliceMirroringController } from './mirroring/controller.ts'
import { storageVersionMigrator } from './migration/controller.ts'
import { namespaceController } from './namespace.ts'
import { nodeTaintController } from './node-taints.ts'
import { podGarbageCollector } from './pod-gc.ts'
import { policyStatusController } from './policies/status.ts'
import { attributesClassProtection } from './protection/attributes-classes.ts'
import { claimProtection } from './protection/claims.ts'
import { volumeProtection } from './protection/volumes.ts'
import { replicaSetController } from './replicaset/controller.ts'
import { replicationController } from './replicationcontroller/controller.ts'
import { resourceQuotaController } from './resourcequota/controller.ts'
import { rootCaController } from './root-ca.ts'
import { scheduler } from './scheduler/controller.ts'
import { serviceAccountController } from './service-account.ts'
import { simulatedKubelet } from './simulated-kubelet.ts'
import { simulatedNodes, type SimulatedNodesOptions } from './simulated-nodes.ts'
import { accountSecrets } from './tokens/account-secrets.ts'
import { bootstrapTokenCleaner } from './tokens/bootstrap-cleaner.ts'
import { bootstrapSigner } from './tokens/bootstrap-signer.ts'
import { legacyTokenCleaner } from './tokens/legacy-cleaner.ts'
import { legacyTokenTracking } from './tokens/tracking.ts'
import { statefulSetController } from './statefulset/controller.ts'

/** What controllers must know of the cluster that they run in. */
export interface ControllerFacts {
  /** PEM of the cluster's certificate authority. */
  readonly ca: string
  /** PEM of its key, for the signers of certificate requests. @default none: requests stay unsigned */
  readonly caKey?: string
  /** Signs tokens that stand in Secrets. @default none: such Secrets stay empty */
  accountToken?(account: { namespace: string; name: string; uid: string; secret: string }): string
  /** Where the API server listens. */
  readonly endpoint: { readonly host: string; readonly port: number }
  /** The cluster IP of the service `kubernetes`. */
  readonly serviceIp: string
  /** What is served beside custom resources, for the garbage collector. @default asked from discovery */
  readonly builtin?: readonly DiscoveredResource[]
  /** Whether `cluster-info` is signed with bootstrap tokens: off, as kube-controller-manager has it. @default false */
  readonly bootstrapSigner?: boolean
  /** What other servers serve behind this one, for the garbage collector. @default nothing */
  readonly aggregated?: AggregatedResources
}

export interface NodeFacts extends Omit<SimulatedNodesOptions, 'count'> {
  /** Simulated nodes. */
  readonly nodes: number
}

/** Which loops of a host cluster run in its process: `nodes` are the simulated nodes alone; `none` not even these. */
export type HostLoops = 'all' | 'nodes' | 'none'

/** What is kube-apiserver's own work. */
function serverControllers(facts: ControllerFacts): ControllerFactory[] {
  return [
    kubernetesServiceController({
      clusterIP: facts.serviceIp,
      // A name cannot stand in Endpoints.
      ...(isIP(facts.endpoint.host) === 0 ? {} : { address: facts.endpoint.host }),
      port: facts.endpoint.port,
    }),
    flowSchemaStatusController,
    legacyTokenTracking,
  ]
}

/** What both kinds of clusters have: everything that turns intentions into pods and takes things away again. */
function common(facts: ControllerFacts): ControllerFactory[] {
  return [
    namespaceController,
    serviceAccountController,
    rootCaController({ ca: facts.ca }),
    ...(facts.accountToken === undefined ? [] : [accountSecrets({ ca: facts.ca, sign: facts.accountToken })]),
    bootstrapTokenCleaner,
    ...(facts.bootstrapSigner === true ? [bootstrapSigner] : []),
    legacyTokenCleaner(),
    ...serverControllers(facts),
    clusterRoleAggregationController,
    ...(facts.caKey === undefined ? [] : [certificateSigner({ ca: { certificate: facts.ca, key: facts.caKey } })]),
    certificateCleaner,
    deploymentController,
    replicaSetController,
    replicationController,
    statefulSetController,
    daemonSetController,
    jobController,
    ttlAfterFinishedController,
    cronJobController,
    disruptionController,
    resourceQuotaController,
    claimProtection,
    volumeProtection,
    attributesClassProtection,
    policyStatusController,
    storageVersionMigrator,
    endpointSliceController,
    endpointsController,
    endpointSliceMirroringController,
    garbageCollector({
      ...(facts.builtin !== undefined && { builtin: facts.builtin }),
      ...(facts.aggregated !== undefined && { aggregated: facts.aggregated }),
    }),
  ]
}

/**
 * An embedded host cluster: all of them, with scheduler and simulated nodes. With fewer loops,
 * kube-controller-manager and kube-scheduler are expected beside it.
 */
export function hostControllers(facts: ControllerFacts & NodeFacts, loops: HostLoops = 'all'): ControllerFactory[] {
  if (loops === 'none') return serverControllers(facts)
  if (loops === 'nodes') return [...serverControllers(facts), ...nodeControllers(facts)]
  return [
    ...common(facts),
    podGarbageCollector(),
    nodeTaintController,
    taintEvictionController,
    scheduler(),
    ...nodeControllers(facts),
  ]
}

/**
 * A virtual cluster: its pods are scheduled, run and ended on the host, so that nothing here may choose nodes or
 * remove pods for their nodes' sake.
 */
export function virtualControllers(facts: ControllerFacts): ControllerFactory[] {
  return common(facts)
}

/** Simulated nodes alone, for any cluster. */
export function nodeControllers({ nodes, ...options }: NodeFacts): ControllerFactory[] {
  return [simulatedNodes({ ...options, count: nodes }), simulatedKubelet()]
}
