/** What is to be done for tenants: fair queues by direction, and the keys under which work waits in them. */
import type { FairQueue } from '../client/queue.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { SyncedKind } from './kinds.ts'
import type { Session } from './session.ts'
import type { TokenUse } from './token-use.ts'

export type Direction = 'down' | 'up' | 'events'

/** One piece of work. Only names: state is read when the work is done. */
export type Work =
  | {
      readonly what: 'object'
      readonly session: Session
      readonly kind: SyncedKind
      readonly namespace: string
      readonly name: string
    }
  | { readonly what: 'node'; readonly session: Session; readonly name: string }
  | { readonly what: 'namespace'; readonly session: Session; readonly name: string }
  | { readonly what: 'token'; readonly session: Session; readonly use: TokenUse }
  | {
      readonly what: 'event'
      readonly session: Session
      readonly kind: SyncedKind
      readonly namespace: string
      readonly name: string
      readonly about: KubeObject
    }

/** Milliseconds after which somebody else's change of a host object is looked at. */
const EDIT_PAUSE = 500
/** Milliseconds after which it is looked whether a host namespace is still needed. */
const NAMESPACE_PAUSE = 20

export class Queues {
  readonly #queues: Readonly<Record<Direction, FairQueue<Work>>>

  constructor(newQueue: () => FairQueue<Work>) {
    this.#queues = { down: newQueue(), up: newQueue(), events: newQueue() }
  }

  /** What the workers of a direction take from. */
  of(direction: Direction): FairQueue<Work> {
    return this.#queues[direction]
  }

  object(direction: 'down' | 'up', session: Session, kind: SyncedKind, namespace: string, name: string): void {
    const work = { what: 'object', session, kind, namespace, name } as const
    this.#queues[direction].add(session.tenant.uid, `${kind}/${namespace}/${name}`, work)
  }

  /** Somebody else changed a host object: what is the tenant's is put right, though not in a fight without end. */
  edited(session: Session, kind: SyncedKind, namespace: string, name: string): void {
    const work = { what: 'object', session, kind, namespace, name } as const
    this.#queues.down.addAfter(session.tenant.uid, `${kind}/${namespace}/${name}`, work, EDIT_PAUSE)
  }

  token(session: Session, use: TokenUse): void {
    this.#queues.down.add(session.tenant.uid, `Token/${JSON.stringify(use)}`, { what: 'token', session, use })
  }

  /** Looks whether a host namespace is still needed, once for much that goes in one moment. */
  namespace(session: Session, name: string): void {
    const work = { what: 'namespace', session, name } as const
    this.#queues.down.addAfter(session.tenant.uid, `Namespace/${name}`, work, NAMESPACE_PAUSE)
  }

  node(session: Session, name: string): void {
    this.#queues.up.add(session.tenant.uid, `Node/${name}`, { what: 'node', session, name })
  }

  /** @param delay milliseconds */
  nodeLater(session: Session, name: string, delay: number): void {
    this.#queues.up.addAfter(session.tenant.uid, `Node/${name}`, { what: 'node', session, name }, delay)
  }

  /** @param about the host object that the host's event is about */
  event(session: Session, kind: SyncedKind, namespace: string, name: string, about: KubeObject): void {
    const work = { what: 'event', session, kind, namespace, name, about } as const
    this.#queues.events.add(session.tenant.uid, `${namespace}/${name}`, work)
  }

  /** A pod (`namespace/name`) no longer waits for the host's scheduler: another one of its tenant may. */
  left(session: Session, key: string): void {
    const next = session.window.leave(key)
    if (next === undefined) return
    const slash = next.indexOf('/')
    this.object('down', session, 'Pod', next.slice(0, slash), next.slice(slash + 1))
  }

  setWeight(uid: string, weight: number): void {
    for (const queue of Object.values(this.#queues)) queue.setWeight(uid, weight)
  }

  /** Forgets all work of a tenant. */
  remove(uid: string): void {
    for (const queue of Object.values(this.#queues)) queue.removeFlow(uid)
  }

  close(): void {
    for (const queue of Object.values(this.#queues)) queue.close()
  }
}
