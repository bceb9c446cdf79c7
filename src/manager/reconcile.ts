/** One step of a VirtualCluster's life. */
import { AuditPolicyError, checkedAuditPolicy } from '../apiserver/audit/policy.ts'
import { AuthenticationConfigError, checkAuthentication, readAuthentication } from '../apiserver/authn/oidc/config.ts'
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { ISSUER } from '../cluster/cluster.ts'
import { isReason, StatusError } from '../machinery/status.ts'
import { equalJson } from '../machinery/equality.ts'
import { placement } from '../syncer/placement.ts'
import type { Syncer } from '../syncer/syncer.ts'
import type { ControlPlane, ControlPlaneSpec, Engine } from './contract.ts'
import { ReferenceError, type References } from './references.ts'
import {
  FINALIZER,
  KUBECONFIG_KEY,
  kubeconfigSecretName,
  MAX_NAME,
  type Condition,
  type Phase,
  type VirtualCluster,
  type VirtualClusterSpec,
  type VirtualClusterStatus,
} from './virtual-cluster.ts'

export interface ReconcilerOptions {
  readonly host: Client
  readonly engines: Readonly<Record<VirtualClusterSpec['engine'], Engine>>
  readonly syncer: Syncer
  readonly references: References
  now(): number
  /** Ends waiting for the host. */
  readonly signal: AbortSignal
  /** Writes an event on the VirtualCluster. */
  event(object: VirtualCluster, type: 'Normal' | 'Warning', reason: string, message: string): void
}

interface Running {
  readonly plane: ControlPlane
  readonly fixed: string
  weight: number
  /** Authentication and audit, as text. */
  configured: string
}

/** A problem that another attempt cannot mend: it becomes phase Failed with this text. */
class Unacceptable extends Error {}

export class Reconciler {
  readonly #options: ReconcilerOptions
  /** What runs here, with the immutable part of the spec it was started with. */
  readonly #running = new Map<string, Running>()
  /** uid by namespace/name, for objects that vanish without our finalizer. */
  readonly #uids = new Map<string, { readonly uid: string; readonly engine: VirtualClusterSpec['engine'] }>()

  constructor(options: ReconcilerOptions) {
    this.#options = options
  }

  async reconcile(object: VirtualCluster): Promise<void> {
    const { uid, deletionTimestamp, finalizers } = object.metadata
    const before = this.#uids.get(key(object))
    // Another object under the name: the old one went without our finalizer.
    if (before !== undefined && before.uid !== uid) await this.#cleanUp(before.uid, before.engine)
    this.#uids.set(key(object), { uid: uid!, engine: object.spec.engine })
    if (deletionTimestamp !== undefined) {
      if (finalizers?.includes(FINALIZER)) await this.#delete(object)
      return
    }
    let current = object
    try {
      if (!finalizers?.includes(FINALIZER)) current = await this.#addFinalizer(object)
      await this.#run(current)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      this.#options.event(object, 'Warning', 'Failed', message)
      await this.#status(current, 'Failed', {}, [
        ['Ready', 'False', error instanceof Unacceptable ? 'Invalid' : 'Error', message],
      ])
      if (!(error instanceof Unacceptable)) throw error
    }
  }

  controlPlane(uid: string): ControlPlane | undefined {
    return this.#running.get(uid)?.plane
  }

  /** A control plane ended by itself: it is started anew at the next step. */
  lost(uid: string): void {
    this.#options.syncer.remove(uid)
    this.#running.delete(uid)
  }

  /** The object is gone although our finalizer was on it: somebody took it off. Clean up all the same. */
  async vanished(namespace: string, name: string): Promise<void> {
    const known = this.#uids.get(`${namespace}/${name}`)
    if (known === undefined) return
    await this.#cleanUp(known.uid, known.engine)
    this.#uids.delete(`${namespace}/${name}`)
  }

  async #run(object: VirtualCluster): Promise<void> {
    const { name, namespace } = object.metadata
    if (name!.length > MAX_NAME)
      throw new Unacceptable(`the name has ${name!.length} characters, at most ${MAX_NAME} are possible`)
    const uid = object.metadata.uid!
    const { engine, nodeView, weight } = object.spec
    const fixed = JSON.stringify([engine, object.spec.placement, nodeView])
    let running = this.#running.get(uid)
    if (running !== undefined && running.fixed !== fixed) {
      throw new Unacceptable(
        'engine, placement and nodeView cannot be changed; put the old values back, or delete and create the virtual cluster',
      )
    }
    const text = await this.#authenticationText(object)
    const spec = { uid, namespace: namespace!, name: name!, ...accessOf(object.spec, text) }
    const configured = JSON.stringify([object.spec.authentication, text, object.spec.audit])
    if (running !== undefined && running.configured !== configured) {
      if (await this.#options.engines[engine].configure(spec)) running.configured = configured
      else {
        this.lost(uid)
        running = undefined
      }
    }
    const plane = running?.plane ?? (await this.#options.engines[engine].ensure(spec))
    const secret = await this.#writeKubeconfig(object, plane)
    if (running === undefined) {
      await this.#options.syncer.add({
        uid,
        namespace: namespace!,
        name: name!,
        client: plane.client,
        placement: placement({ mode: object.spec.placement, uid, namespace: namespace!, name: name! }),
        nodeView,
        weight,
        api: plane.endpoint,
      })
      running = { plane, fixed, weight, configured }
      this.#running.set(uid, running)
    }
    if (running.weight !== weight) {
      this.#options.syncer.setWeight(uid, weight)
      running.weight = weight
    }
    const endpoint = `https://${plane.endpoint.host}:${plane.endpoint.port}`
    const first = object.status?.phase !== 'Running'
    await this.#status(object, 'Running', { endpoint, kubeconfigSecret: secret }, [
      ['Ready', 'True', 'Serving', `the API server answers at ${endpoint}`],
      ['Synced', 'True', 'Syncing', 'pods are carried to the host cluster'],
    ])
    if (first) this.#options.event(object, 'Normal', 'Running', `the API server answers at ${endpoint}`)
  }

  /** What stands where the spec says; undefined when it says so nowhere. @throws Unacceptable */
  async #authenticationText({ spec, metadata }: VirtualCluster): Promise<string | undefined> {
    const { references } = this.#options
    if (spec.authenticationFrom === undefined) {
      references.forget(metadata.uid!)
      return undefined
    }
    if (spec.authentication !== undefined)
      throw new Unacceptable('spec.authentication and spec.authenticationFrom exclude each other')
    try {
      return await references.read(metadata.uid!, metadata.namespace!, spec.authenticationFrom)
    } catch (error) {
      if (error instanceof ReferenceError) throw new Unacceptable(`spec.authenticationFrom: ${error.message}`)
      throw error
    }
  }

  async #delete(object: VirtualCluster): Promise<void> {
    await this.#status(object, 'Terminating', {}, [
      ['Ready', 'False', 'Terminating', 'its objects are being removed from the host cluster'],
    ])
    await this.#cleanUp(object.metadata.uid!, object.spec.engine)
    const where = { namespace: object.metadata.namespace! }
    await this.#deleteKubeconfig(object)
    await this.#removeFinalizer(object, where)
    this.#uids.delete(key(object))
  }

  /** Only our own: a Secret of that name that was there before stays. */
  async #deleteKubeconfig(object: VirtualCluster): Promise<void> {
    const { host } = this.#options
    const name = kubeconfigSecretName(object.metadata.name!)
    const where = { namespace: object.metadata.namespace! }
    try {
      const there = await host.get(resources.secrets, name, where)
      if (!owned(there, object)) return
      await host.delete(resources.secrets, name, { ...where, preconditions: { uid: there.metadata.uid! } })
    } catch (error) {
      ignoreNotFound(error)
    }
  }

  /** From the list as it is now: others may have put theirs on it meanwhile. */
  async #removeFinalizer(object: VirtualCluster, where: { namespace: string }): Promise<void> {
    const { host } = this.#options
    try {
      const { metadata } = await host.get(resources.virtualclusters, object.metadata.name!, where)
      if (metadata.uid !== object.metadata.uid || metadata.finalizers?.includes(FINALIZER) !== true) return
      const finalizers = metadata.finalizers.filter((f) => f !== FINALIZER)
      const body = { metadata: { uid: metadata.uid, resourceVersion: metadata.resourceVersion, finalizers } }
      await host.patch(resources.virtualclusters, object.metadata.name!, { type: 'merge', body }, where)
    } catch (error) {
      ignoreNotFound(error)
    }
  }

  async #cleanUp(uid: string, engine: VirtualClusterSpec['engine']): Promise<void> {
    this.#options.references.forget(uid)
    this.#options.syncer.remove(uid)
    await this.#options.syncer.purge(uid, this.#options.signal)
    await this.#options.engines[engine].remove(uid)
    this.#running.delete(uid)
  }

  async #addFinalizer(object: VirtualCluster): Promise<VirtualCluster> {
    const finalizers = [...(object.metadata.finalizers ?? []), FINALIZER]
    return this.#options.host.patch<VirtualCluster>(
      resources.virtualclusters,
      object.metadata.name!,
      {
        type: 'merge',
        body: { metadata: { uid: object.metadata.uid, resourceVersion: object.metadata.resourceVersion, finalizers } },
      },
      { namespace: object.metadata.namespace! },
    )
  }

  /** The kubeconfig Secret beside the object; owned by it, put right when it differs. */
  async #writeKubeconfig(object: VirtualCluster, plane: ControlPlane): Promise<string> {
    const { host } = this.#options
    const name = kubeconfigSecretName(object.metadata.name!)
    const where = { namespace: object.metadata.namespace! }
    const data = { [KUBECONFIG_KEY]: Buffer.from(plane.kubeconfig).toString('base64') }
    const owner = {
      apiVersion: 'tenantry.dev/v1alpha1',
      kind: 'VirtualCluster',
      name: object.metadata.name!,
      uid: object.metadata.uid!,
      controller: true,
      blockOwnerDeletion: true,
    }
    try {
      await host.create(
        resources.secrets,
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name, namespace: where.namespace, ownerReferences: [owner] },
          type: 'tenantry.dev/kubeconfig',
          data,
        },
        where,
      )
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error
      const there = await host.get(resources.secrets, name, where)
      if (!owned(there, object)) {
        throw new Unacceptable(
          `the Secret ${where.namespace}/${name} exists and is not this virtual cluster's; delete or rename it`,
        )
      }
      if (there['data']?.[KUBECONFIG_KEY] !== data[KUBECONFIG_KEY]) {
        await host.patch(
          resources.secrets,
          name,
          { type: 'merge', body: { metadata: { uid: there.metadata.uid }, data } },
          where,
        )
      }
    }
    return name
  }

  async #status(
    object: VirtualCluster,
    phase: Phase,
    more: Pick<VirtualClusterStatus, 'endpoint' | 'kubeconfigSecret'>,
    states: readonly (readonly [Condition['type'], Condition['status'], string, string])[],
  ): Promise<void> {
    const now = new Date(this.#options.now()).toISOString().replace(/\.\d+Z$/, 'Z')
    const generation = object.metadata.generation ?? 1
    const before = object.status?.conditions ?? []
    const conditions = new Map(before.map((c) => [c.type, c]))
    for (const [type, status, reason, message] of states) {
      const old = conditions.get(type)
      const since = old?.status === status ? old.lastTransitionTime : now
      conditions.set(type, { type, status, reason, message, lastTransitionTime: since, observedGeneration: generation })
    }
    const status: VirtualClusterStatus = {
      ...object.status,
      phase,
      ...more,
      observedGeneration: generation,
      conditions: [...conditions.values()],
    }
    if (equalJson(status, object.status)) return
    await this.#options.host
      .patch(
        resources.virtualclusters,
        object.metadata.name!,
        { type: 'merge', body: { metadata: { uid: object.metadata.uid }, status } },
        { namespace: object.metadata.namespace!, subresource: 'status' },
      )
      .catch(ignoreNotFound)
  }
}

/** Who is let in, and what is logged. @throws Unacceptable in upstream's words */
function accessOf(
  { authentication, authenticationFrom, audit }: VirtualClusterSpec,
  text: string | undefined,
): Pick<ControlPlaneSpec, 'authentication' | 'audit'> {
  try {
    return {
      ...(authentication !== undefined && { authentication: checkAuthentication(authentication, [ISSUER]) }),
      ...(text !== undefined && { authentication: readAuthentication(text, [ISSUER]) }),
      ...(audit !== undefined && {
        audit: checkedAuditPolicy({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', ...audit.policy }),
      }),
    }
  } catch (error) {
    if (error instanceof AuthenticationConfigError) {
      if (text === undefined) throw new Unacceptable(`spec.authentication: ${error.message}`)
      // Who may write the spec may not be who may read the Secret.
      const why =
        authenticationFrom?.secretKeyRef === undefined ? error.message : 'no valid AuthenticationConfiguration'
      throw new Unacceptable(`spec.authenticationFrom: ${why}`)
    }
    if (error instanceof AuditPolicyError) throw new Unacceptable(`spec.audit.policy: ${error.message}`)
    throw error
  }
}

function owned(secret: KubeObject, by: VirtualCluster): boolean {
  return secret.metadata.ownerReferences?.some((o) => o.uid === by.metadata.uid) === true
}

function key(object: VirtualCluster): string {
  return `${object.metadata.namespace!}/${object.metadata.name!}`
}

function ignoreNotFound(error: unknown): void {
  if (!(error instanceof StatusError) || error.reason !== 'NotFound') throw error
}
