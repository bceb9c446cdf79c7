/**
 * Engines: what can be a virtual cluster's control plane. Manager, syncer and CLI know
 * only this.
 */
import type { AuditPolicy } from '../apiserver/audit/policy.ts'
import type { CheckedAuthentication } from '../apiserver/authn/oidc/config.ts'
import type { Client } from '../client/contract.ts'

/** What an engine has to know to run a control plane. */
export interface ControlPlaneSpec {
  /** The VirtualCluster's uid: the identity of all its state. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Who is let in beside the tenant's own certificates and tokens. @default nobody */
  readonly authentication?: CheckedAuthentication
  /** What is logged of which requests. @default nothing */
  readonly audit?: AuditPolicy
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
  /**
   * Authentication or audit of a running control plane have changed. False: it was ended for that, and the next
   * `ensure` starts it with them.
   */
  configure(spec: ControlPlaneSpec): Promise<boolean>
  remove(uid: string): Promise<void>
  /** Ends all control planes; their state stays. */
  close(): Promise<void>
}
