/** Looks at everything once more, from time to time: what an event should have told and did not. */
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import type { KubeObject } from '../machinery/object.ts'
import type { HostWatch } from './host-watch.ts'
import type { Host } from './host.ts'
import { identityOf } from './identity.ts'
import { descriptors, KINDS, type SyncedKind } from './kinds.ts'
import type { Queues } from './queues.ts'
import type { Session } from './session.ts'
import type { Tokens } from './tokens.ts'
import { lookedAt } from './window.ts'

/** Objects that are looked at in one go. */
const STRETCH = 200

export interface ScanOptions {
  readonly host: Host
  readonly watch: HostWatch
  readonly tokens: Tokens
  readonly queues: Queues
  /** By tenant. */
  readonly sessions: ReadonlyMap<string, Session>
  /** Called when a scan of the timer ended early. */
  readonly onError: (error: unknown) => void
}

export class Scan {
  readonly #options: ScanOptions
  #timer: NodeJS.Timeout | undefined
  #running = false
  #stopped = false

  constructor(options: ScanOptions) {
    this.#options = options
  }

  /** @param interval milliseconds */
  start(interval: number): void {
    this.#timer = setInterval(() => void this.#next(), interval).unref()
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
  }

  async #next(): Promise<void> {
    if (this.#running) return
    this.#running = true
    try {
      await this.run()
    } catch (error) {
      this.#options.onError(error)
    } finally {
      this.#running = false
    }
  }

  /** One scan, now. */
  async run(): Promise<void> {
    const { host, watch, tokens, queues, sessions } = this.#options
    let looked = 0
    for (const session of sessions.values()) {
      if (this.#stopped) return
      for (const kind of KINDS) {
        for (const object of session.informers[kind].list()) {
          if (++looked % STRETCH === 0) {
            await yieldToOthers()
            if (session.stopped) break
          }
          const { namespace, name } = object.metadata
          const direction = directionOf(host, session, kind, object)
          if (direction !== undefined) queues.object(direction, session, kind, namespace!, name!)
        }
        for (const twin of host.ofTenant(kind, session.tenant.uid)) {
          const identity = identityOf(twin)
          if (identity !== undefined && session.get(kind, identity.namespace, identity.name) === undefined)
            watch.changed(kind, twin, true)
        }
      }
      watch.namespaces(session)
      for (const key of session.window.open) {
        const slash = key.indexOf('/')
        const pod = host.find('Pod', session.tenant, key.slice(0, slash), key.slice(slash + 1))
        if (pod === undefined || lookedAt(pod)) queues.left(session, key)
      }
      for (const use of tokens.due(session)) queues.token(session, use)
      await yieldToOthers()
    }
  }
}

/** Where something is to be done about a tenant's object; undefined: it and its twin are as they should be. */
function directionOf(host: Host, session: Session, kind: SyncedKind, object: KubeObject): 'down' | 'up' | undefined {
  const { namespace, name, uid } = object.metadata
  const twin = host.find(kind, session.tenant, namespace!, name!)
  if (!session.wanted(kind, object)) return twin === undefined ? undefined : 'down'
  if (twin === undefined || identityOf(twin)!.uid !== uid) return 'down'
  const upward = descriptors[kind].toTenant?.(object, twin, session)
  return upward !== undefined && Object.keys(upward).length > 0 ? 'up' : undefined
}
