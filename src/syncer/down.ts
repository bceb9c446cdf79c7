/** The way down: makes one host object what its tenant object says. */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason, StatusError } from '../machinery/status.ts'
import type { Host } from './host.ts'
import { annotations, identityOf, labels, MANAGER, metadataChange, stamp } from './identity.ts'
import { tenantText } from './kinds/event.ts'
import { refusal } from './kinds/pod.ts'
import { descriptors, type SyncedKind } from './kinds.ts'
import type { Session } from './session.ts'

/** Tells the tenant, as an event on its object, why something is not on the host. */
export type Complain = (session: Session, object: KubeObject, reason: string, message: string) => void

export class Down {
  readonly #host: Host
  readonly #complain: Complain
  /** Namespaces that are being made: everybody who needs one waits for the same call. */
  readonly #making = new Map<string, Promise<void>>()

  /** Called when a pod no longer waits for the host: see {@link Window}. */
  readonly #left: (session: Session, key: string) => void

  constructor(host: Host, complain: Complain, left: (session: Session, key: string) => void) {
    this.#host = host
    this.#complain = complain
    this.#left = left
  }

  async sync(session: Session, kind: SyncedKind, namespace: string, name: string): Promise<void> {
    const { resource } = descriptors[kind]
    const object = session.get(kind, namespace, name)
    const host = this.#host.find(kind, session.tenant, namespace, name)
    if (object === undefined || !session.wanted(kind, object)) {
      if (kind === 'Pod' && host === undefined) this.#left(session, `${namespace}/${name}`)
      if (host !== undefined) await this.#host.delete(resource, host, kind === 'Pod' ? { gracePeriodSeconds: 0 } : {})
      return
    }
    if (host !== undefined && identityOf(host)!.uid !== object.metadata.uid) {
      // A new object under an old name: the twin goes first, its deletion brings us back here.
      await this.#host.delete(resource, host, kind === 'Pod' ? { gracePeriodSeconds: 0 } : {})
      return
    }
    if (object.metadata.deletionTimestamp !== undefined)
      return kind === 'Pod' ? this.#deletePod(session, object, host) : undefined
    if (host === undefined) return this.#create(session, kind, object)
    if (host.metadata.deletionTimestamp === undefined) await this.#update(session, kind, object, host)
  }

  /** The host pod ends with the tenant pod's grace; the tenant pod goes when the host pod has gone. */
  async #deletePod(session: Session, pod: KubeObject, host: KubeObject | undefined): Promise<void> {
    const grace = pod.metadata.deletionGracePeriodSeconds ?? 0
    if (host !== undefined) {
      const under =
        host.metadata.deletionTimestamp !== undefined && (host.metadata.deletionGracePeriodSeconds ?? 0) <= grace
      if (!under) await this.#host.delete(resources.pods, host, { gracePeriodSeconds: grace })
      return
    }
    await forget(session, pod)
  }

  async #create(session: Session, kind: SyncedKind, object: KubeObject): Promise<void> {
    // A pod that ran already and has no host pod is over, wherever it went while nobody watched.
    if (kind === 'Pod' && over(object)) return forget(session, object)
    if (kind === 'Pod' && finished(object)) return
    const key = `${object.metadata.namespace!}/${object.metadata.name!}`
    if (kind === 'Pod' && !session.window.enter(key)) return
    let made = false
    try {
      made = await this.#make(session, kind, object)
    } finally {
      // A pod that is not on the host now is in nobody's way.
      if (kind === 'Pod' && !made) this.#left(session, key)
    }
  }

  /** Answers whether the host has the object now. */
  async #make(session: Session, kind: SyncedKind, object: KubeObject): Promise<boolean> {
    const desired = this.#translate(session, kind, object)
    if (desired === undefined) return false
    await this.ensureNamespace(session, object.metadata.namespace!)
    if (session.stopped) return false
    try {
      await this.#host.create(descriptors[kind].resource, desired)
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) {
        this.#explain(session, object, desired, error)
        throw error
      }
      // Either our own write that the cache does not show yet, or somebody else's object in our place.
      const there = await this.#host.client.get(descriptors[kind].resource, desired.metadata.name!, {
        namespace: desired.metadata.namespace!,
      })
      const identity = identityOf(there)
      if (identity?.tenant === session.tenant.uid && identity.uid === object.metadata.uid) return true
      // The twin of an object that had this name before is on its way out.
      if (identity?.tenant !== session.tenant.uid)
        this.#complain(
          session,
          object,
          'SyncError',
          `${kind} ${desired.metadata.namespace!}/${desired.metadata.name!} on the host is not this object's; it is left alone`,
        )
      throw error
    }
    return true
  }

  async #update(session: Session, kind: SyncedKind, object: KubeObject, host: KubeObject): Promise<void> {
    const desired = this.#translate(session, kind, object)
    if (desired === undefined) return
    const { resource } = descriptors[kind]
    const change = descriptors[kind].change(desired, host)
    const metadata = metadataChange(desired, host)
    if (change !== undefined || metadata !== undefined) {
      const body = { ...change?.body, metadata: { ...metadata, uid: host.metadata.uid } }
      try {
        await this.#host.patch(resource, host, change?.type ?? 'merge', body)
      } catch (error) {
        this.#explain(session, object, desired, error)
        throw error
      }
    }
    const status = descriptors[kind].statusChange?.(object, host)
    if (status !== undefined)
      await this.#host.patch(resource, host, 'strategic', { metadata: { uid: host.metadata.uid }, status }, 'status')
  }

  /** Says to the tenant that the host will not have it. What passes by itself is no news. */
  #explain(session: Session, object: KubeObject, desired: KubeObject, error: unknown): void {
    if (!(error instanceof StatusError) || !REFUSALS.has(error.code) || PASSING.test(error.message)) return
    this.#complain(session, object, 'SyncError', tenantText(error.message, desired, object, session.tenant))
  }

  #translate(session: Session, kind: SyncedKind, object: KubeObject): KubeObject | undefined {
    const translation = descriptors[kind].toHost(object, session)
    if ('refused' in translation) {
      this.#complain(session, object, 'NotSynced', translation.refused)
      return undefined
    }
    return stamp(
      translation.object,
      object,
      session.tenant,
      session.tenant.placement.labels(object.metadata.namespace!),
    )
  }

  /** Makes the host namespace of a tenant namespace if it is not there. */
  async ensureNamespace(session: Session, namespace: string): Promise<void> {
    if (session.tenant.placement.mode === 'single') return
    const name = session.tenant.placement.namespace(namespace)
    const known = this.#host.informers.Namespace.get('', name)
    if (known !== undefined && known.metadata.deletionTimestamp === undefined) return
    let making = this.#making.get(name)
    if (making === undefined) {
      making = this.#makeNamespace(session, namespace, name).finally(() => this.#making.delete(name))
      this.#making.set(name, making)
    }
    await making
  }

  async #makeNamespace(session: Session, namespace: string, name: string): Promise<void> {
    const { tenant } = session
    const object: KubeObject = {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {
        name,
        labels: { [labels.managedBy]: MANAGER, [labels.cluster]: tenant.uid },
        annotations: {
          [annotations.cluster]: `${tenant.namespace}/${tenant.name}`,
          [annotations.name]: namespace,
          [annotations.uid]: tenant.uid,
        },
      },
    }
    try {
      if (!session.stopped) await this.#host.create(resources.namespaces, object)
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error
      const there = await this.#host.client.get(resources.namespaces, name)
      if (there.metadata.labels?.[labels.cluster] !== tenant.uid || there.metadata.deletionTimestamp !== undefined)
        throw error
    }
  }

  /** Takes the host namespace away when nothing of the tenant is in it. */
  async syncNamespace(session: Session, namespace: string): Promise<void> {
    if (session.tenant.placement.mode === 'single') return
    const host = this.#host.informers.Namespace.get('', session.tenant.placement.namespace(namespace))
    if (host === undefined || host.metadata.deletionTimestamp !== undefined) return
    if (session.occupies(namespace) || !this.#host.empty(host.metadata.name!)) return
    await this.#host.delete(resources.namespaces, host)
  }
}

/** Answers that another attempt alone does not change. */
const REFUSALS = new Set([400, 403, 413, 422])
/** A namespace that is being made or unmade. */
const PASSING = /error looking up service account|because it is being terminated/

/** Whether a pod was given to a node before. One with a node of the tenant's own choice never was. */
function over(pod: KubeObject): boolean {
  return pod['spec'].nodeName !== undefined && refusal(pod) === undefined
}

function finished(pod: KubeObject): boolean {
  return pod['status']?.phase === 'Succeeded' || pod['status']?.phase === 'Failed'
}

/** Removes a tenant pod whose host pod is gone. */
export async function forget(session: Session, pod: KubeObject): Promise<void> {
  try {
    await session.tenant.client.delete(resources.pods, pod.metadata.name!, {
      namespace: pod.metadata.namespace!,
      gracePeriodSeconds: 0,
      preconditions: { uid: pod.metadata.uid! },
    })
  } catch (error) {
    if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
  }
}
