/**
 * The syncer: carries what pods need from virtual clusters to the host cluster, and
 * brings status back. One syncer serves all virtual clusters of a manager.
 *
 * Invariants:
 *  1. Level-triggered: a queue key is (tenant, kind, namespace, name); both sides are read
 *     at work time from informers.
 *  2. The identity of a host object is the tenant object's uid in its annotations; it is
 *     checked before every write and delete, which carry preconditions.
 *  3. Spec (down) and status (up) travel through queues of their own: trouble with one
 *     never blocks the other. Both are fair between tenants.
 *  4. Names on the host are made by `Placement` and read back by look-up in annotations that
 *     only this syncer writes; a host name is never taken apart.
 */
import type { Client, Resource } from '../client/contract.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Placement } from './placement.ts'

/** One virtual cluster, as the syncer knows it. */
export interface Tenant {
  /** The VirtualCluster's uid. */
  readonly uid: string
  /** The VirtualCluster's namespace and name on the host. */
  readonly namespace: string
  readonly name: string
  readonly client: Client
  readonly placement: Placement
  /** Which host nodes the tenant sees: those that run its pods, or all. */
  readonly nodeView: 'needed' | 'all'
  /** Share of the syncer's work. */
  readonly weight: number
  /** Where pods reach the tenant's API server. */
  readonly api: { readonly host: string; readonly port: number }
}

/** What a translation may look up in the tenant's caches. Never the host's. */
export interface TenantView {
  readonly tenant: Tenant
  /** Names of tenant nodes that take no new pods (cordoned, or tainted NoSchedule) for a pod with these tolerations. */
  closedNodes(tolerations: readonly KubeObject[]): readonly string[]
}

/** A translation, or the reason why this object may not go to the host (a sentence for an event). */
export type Translation = { readonly object: KubeObject } | { readonly refused: string }

/** What goes back to the tenant. All parts are optional and independent. */
export interface Upward {
  /** Bind the tenant pod to this node first. */
  readonly bind?: string
  /** The new status, when it differs. */
  readonly status?: object
  /** Write the status only over the state that was read: it holds what the tenant decides, too. */
  readonly exact?: boolean
  /** A merge patch of the main object, when fields that the host decides differ. */
  readonly patch?: object
}

/** A kind that goes down. Pure functions; one file per kind in kinds/. */
export interface Descriptor {
  readonly kind: string
  readonly resource: Resource
  /** The host object that this tenant object should have, without the syncer's own metadata. */
  toHost(object: KubeObject, view: TenantView): Translation
  /** The changed fields as a patch of the host object; `undefined`: nothing to write. Metadata is the engine's matter. */
  change(
    desired: KubeObject,
    host: KubeObject,
  ): { readonly type: 'merge' | 'strategic'; readonly body: Record<string, unknown> } | undefined
  /** The part of the status that the tenant decides, as a strategic merge patch of the host's status. */
  statusChange?(object: KubeObject, host: KubeObject): Record<string, unknown> | undefined
  /** What the tenant object should take over from the host object. */
  toTenant?(object: KubeObject, host: KubeObject, view: TenantView): Upward
}
