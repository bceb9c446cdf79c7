/** The way up: brings what the host decided back to the tenant. */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import { forget } from './down.ts'
import { mergeDiff } from './diff.ts'
import type { Host } from './host.ts'
import { identityOf } from './identity.ts'
import { toTenantEvent } from './kinds/event.ts'
import { isView, nodeDiffers, nodeView } from './kinds/node.ts'
import { refusal } from './kinds/pod.ts'
import { descriptors, type SyncedKind } from './kinds.ts'
import type { Session } from './session.ts'

export class Up {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  /** Returns whether the way down has to look at the object too. */
  async sync(session: Session, kind: SyncedKind, namespace: string, name: string): Promise<'down' | undefined> {
    const object = session.get(kind, namespace, name)
    const host = this.#host.find(kind, session.tenant, namespace, name)
    if (object === undefined) return host === undefined ? undefined : 'down'
    if (host === undefined) {
      const over =
        kind === 'Pod' && (object.metadata.deletionTimestamp !== undefined || object['spec'].nodeName !== undefined)
      if (!over || refusal(object) !== undefined) return 'down'
      await forget(session, object)
      return undefined
    }
    if (identityOf(host)!.uid !== object.metadata.uid) return 'down'
    if (
      kind === 'Pod' &&
      host.metadata.deletionTimestamp !== undefined &&
      object.metadata.deletionTimestamp === undefined
    ) {
      await this.#deleteTenantPod(session, object, host)
    }
    const upward = descriptors[kind].toTenant?.(object, host, session)
    if (upward === undefined) return undefined
    if (upward.bind !== undefined) await this.#bind(session, object, upward.bind)
    try {
      // The spec holds what the tenant decides, too: a list that was changed meanwhile is not written over.
      if (upward.patch !== undefined) await this.#patch(session, kind, object, upward.patch, true)
    } finally {
      if (upward.status !== undefined) {
        const status = mergeDiff(object['status'] ?? {}, upward.status)
        await this.#patch(session, kind, object, { status }, upward.exact === true, 'status')
      }
    }
    return undefined
  }

  /** A patch carries the tenant uid: an object that was made anew under the name is not touched. */
  async #patch(
    session: Session,
    kind: SyncedKind,
    object: KubeObject,
    body: object,
    exact: boolean,
    subresource?: string,
  ): Promise<void> {
    const { uid, resourceVersion, namespace, name } = object.metadata
    await session.tenant.client
      .patch(
        descriptors[kind].resource,
        name!,
        { type: 'merge', body: { metadata: { uid, ...(exact && { resourceVersion }) }, ...body } },
        { namespace: namespace!, ...(subresource !== undefined && { subresource }) },
      )
      .catch(ignoreGone)
  }

  async #deleteTenantPod(session: Session, pod: KubeObject, host: KubeObject): Promise<void> {
    await session.tenant.client.delete(resources.pods, pod.metadata.name!, {
      namespace: pod.metadata.namespace!,
      gracePeriodSeconds: host.metadata.deletionGracePeriodSeconds ?? 0,
      preconditions: { uid: pod.metadata.uid! },
    })
  }

  async #bind(session: Session, pod: KubeObject, node: string): Promise<void> {
    // Node events keep a view that is there.
    if (session.nodes.get('', node) === undefined) await this.syncNode(session, node, true)
    const binding: KubeObject = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: pod.metadata.name!, namespace: pod.metadata.namespace!, uid: pod.metadata.uid! },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    }
    try {
      await session.tenant.client.create(resources.pods, binding, {
        namespace: pod.metadata.namespace!,
        subresource: 'binding',
        name: pod.metadata.name!,
      })
    } catch (error) {
      // Bound before: this cache was behind.
      if (!isReason(error, 'Conflict')) throw error
    }
  }

  /** Makes a tenant's Node what the host's node is, or takes it away when no pod of the tenant is there. */
  async syncNode(
    session: Session,
    name: string,
    needed = session.informers.Pod.byIndex('node', name).length > 0,
  ): Promise<void> {
    const { client, nodeView: view } = session.tenant
    const host = this.#host.nodes.get('', name)
    const tenant = session.nodes.get('', name)
    // A Node of the tenant's own making, also one that has a host node's name.
    if (tenant !== undefined && !isView(tenant)) return
    if (host === undefined || !(needed || view === 'all')) {
      if (tenant !== undefined)
        await client
          .delete(resources.nodes, name, { preconditions: { uid: tenant.metadata.uid! } })
          .catch(ignoreNotFound)
      return
    }
    const desired = nodeView(host)
    if (tenant === undefined) {
      try {
        const made = await client.create(resources.nodes, desired)
        await openNode(session, made)
        await client.patch(
          resources.nodes,
          name,
          { type: 'merge', body: { metadata: { uid: made.metadata.uid }, status: desired['status'] } },
          { subresource: 'status' },
        )
      } catch (error) {
        if (!isReason(error, 'AlreadyExists')) throw error
      }
      return
    }
    await openNode(session, tenant)
    const labels = mergeDiff(onlyKeys(tenant.metadata.labels, desired.metadata.labels), desired.metadata.labels)
    if (labels !== undefined)
      await client.patch(resources.nodes, name, {
        type: 'merge',
        body: { metadata: { uid: tenant.metadata.uid, labels } },
      })
    if (nodeDiffers(desired, tenant)) {
      await client.patch(
        resources.nodes,
        name,
        { type: 'merge', body: { metadata: { uid: tenant.metadata.uid }, status: desired['status'] } },
        { subresource: 'status' },
      )
    }
  }

  /** Brings one host event to the tenant whose object it is about. */
  async syncEvent(session: Session, event: KubeObject, host: KubeObject, kind: SyncedKind): Promise<void> {
    const identity = identityOf(host)!
    const object = session.get(kind, identity.namespace, identity.name)
    if (object === undefined || object.metadata.uid !== identity.uid) return
    const copy = toTenantEvent(event, host, object, session.tenant)
    const where = { namespace: copy.metadata.namespace! }
    try {
      await session.tenant.client.create(resources.events, copy, where)
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error
      const { metadata: _, ...body } = copy
      await session.tenant.client.patch(resources.events, copy.metadata.name!, { type: 'merge', body }, where)
    }
  }
}

/** A new Node gets the not-ready taint from admission; a view takes it off again, and leaves the tenant's own taints. */
async function openNode(session: Session, node: KubeObject): Promise<void> {
  const taints: readonly { key: string }[] = node['spec']?.taints ?? []
  const own = taints.filter((t) => t.key !== 'node.kubernetes.io/not-ready')
  if (own.length === taints.length) return
  const { uid, resourceVersion } = node.metadata
  await session.tenant.client.patch(resources.nodes, node.metadata.name!, {
    type: 'merge',
    body: { metadata: { uid, resourceVersion }, spec: { taints: own.length === 0 ? null : own } },
  })
}

/** The object is gone; the cache will say so. */
function ignoreGone(error: unknown): void {
  if (!isReason(error, 'NotFound')) throw error
}

function onlyKeys(
  from: Record<string, string> | undefined,
  like: Record<string, string> | undefined,
): Record<string, string> {
  const out: Record<string, string> = {}
  for (const key of Object.keys(like ?? {})) if (from !== undefined && Object.hasOwn(from, key)) out[key] = from[key]!
  return out
}

function ignoreNotFound(error: unknown): void {
  if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
}
