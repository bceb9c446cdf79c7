/**
 * Engines: what can be a virtual cluster's control plane. Manager, syncer and CLI know
 * only this.
 */
import type { Client } from '../client/contract.ts'

/** What an engine has to know to run a control plane. */
export interface ControlPlaneSpec {
  /** The VirtualCluster's uid: the identity of all its state. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

/** A running control plane. */
export interface ControlPlane {
  /** Where clients and pods dial. */
  readonly endpoint: { readonly host: string; readonly port: number }
  /** For the tenant's admin. */
  readonly kubeconfig: string
  /** As the syncer's identity. */
  readonly client: Client
  /** As the tenant's admin. */
  readonly admin: Client
}

/**
 * Guarantees:
 *  1. `ensure` is idempotent: the same uid gives the same state and, as far as the machine allows, the same endpoint,
 *     also after a restart of everything.
 *  2. `remove` forgets all state of a uid; an unknown uid is fine.
 */
export interface Engine {
  ensure(spec: ControlPlaneSpec): Promise<ControlPlane>
  remove(uid: string): Promise<void>
  /** Ends all control planes; their state stays. */
  close(): Promise<void>
}
