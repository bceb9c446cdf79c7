/**
 * Takes tokens that were made for service accounts, and that nobody uses, out of use: first they are marked invalid, and
 * after as long a time again their Secrets go.
 */
import { referencesOf } from '../../apiserver/authz/node/references.ts'
import { dayOf, INVALID_SINCE, isOwnSecret, LAST_USED } from '../../apiserver/authn/legacy-token.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext, ControllerFactory } from '../contract.ts'
import { isDay, NAMESPACE, TRACKING } from './tracking.ts'

const TYPE = 'kubernetes.io/service-account-token'
const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'
const DAY = 86_400_000

export interface LegacyCleanerOptions {
  /** Milliseconds without a use after which a token is marked, and marked after which it goes. @default a year */
  readonly period?: number
  /** Milliseconds between two looks. @default a day */
  readonly interval?: number
}

/** Nothing waits while there are no such Secrets. There is one key. */
export function legacyTokenCleaner({
  period = 365 * DAY,
  interval = DAY,
}: LegacyCleanerOptions = {}): ControllerFactory {
  return (context) => {
    const secrets = context.client.informer(resources.secrets)
    let waiting = false
    const again = (delay: number): void => {
      if (waiting) return
      waiting = true
      context.enqueue('all', delay)
    }
    return {
      name: 'legacy-serviceaccount-token-cleaner',
      start() {
        secrets.onEvent(({ type, object }) => {
          if (type !== 'delete' && object['type'] === TYPE) again(0)
        })
      },
      async reconcile() {
        waiting = false
        const tokens = secrets.list().filter((secret) => secret['type'] === TYPE)
        if (tokens.length === 0) return
        again(interval)
        await new Look(context, period).at(tokens)
      },
    } satisfies Controller
  }
}

/** One look at all of them. */
class Look {
  readonly #context: ControllerContext
  readonly #period: number
  readonly #now: number
  /** Tokens used or marked since then stay. */
  readonly #since: string
  readonly #mounted = new Map<string, ReadonlySet<string>>()

  constructor(context: ControllerContext, period: number) {
    this.#context = context
    this.#period = period
    this.#now = context.now()
    this.#since = dayOf(this.#now - period)
  }

  async at(tokens: readonly KubeObject[]): Promise<void> {
    if (!(await this.#isTrackedLongEnough())) return
    const accounts = this.#context.client.informer(resources.serviceaccounts)
    const pods = this.#context.client.informer(resources.pods)
    for (const informer of [accounts, pods]) if (!informer.synced) await informer.ready()
    for (const secret of tokens) {
      const { namespace = '', annotations = {} } = secret.metadata
      const account = accounts.get(namespace, annotations[NAME] ?? '')
      if (this.#isUnused(secret, account, () => pods.list(namespace))) await this.#retire(secret)
    }
  }

  /** From the day after the one that the ConfigMap names. */
  async #isTrackedLongEnough(): Promise<boolean> {
    const map = await this.#context.client.get(resources.configmaps, TRACKING, { namespace: NAMESPACE }).catch(ignore)
    const since =
      map === undefined ? undefined : (map['data'] as Readonly<Record<string, string>> | undefined)?.['since']
    return isDay(since) && this.#now >= Date.parse(since) + DAY + this.#period
  }

  #isUnused(secret: KubeObject, account: KubeObject | undefined, pods: () => readonly KubeObject[]): boolean {
    const { name = '', namespace = '', annotations = {}, labels = {}, creationTimestamp = '' } = secret.metadata
    if (!(Date.parse(creationTimestamp) < this.#now - this.#period)) return false
    if (secret.metadata.deletionTimestamp !== undefined) return false
    const used = labels[LAST_USED]
    // What is no day says nothing.
    if (used !== undefined && (!isDay(used) || used >= this.#since)) return false
    const uid = annotations[UID] ?? ''
    // Whether it was made for the account, or by somebody.
    if (account === undefined || (uid !== '' && uid !== account.metadata.uid) || !isOwnSecret(account, name))
      return false
    let mounted = this.#mounted.get(namespace)
    if (mounted === undefined) this.#mounted.set(namespace, (mounted = new Set(pods().flatMap(referencesOf))))
    return !mounted.has(`secrets/${namespace}/${name}`)
  }

  async #retire({ metadata }: KubeObject): Promise<void> {
    const { name = '', namespace = '', uid = '', resourceVersion = '', labels = {} } = metadata
    const { client } = this.#context
    const marked = labels[INVALID_SINCE]
    if (!isDay(marked)) {
      const patch = { metadata: { uid, labels: { [INVALID_SINCE]: dayOf(this.#now) } } }
      await client.patch(resources.secrets, name, { type: 'merge', body: patch }, { namespace }).catch(ignore)
    } else if (marked < this.#since) {
      await client.delete(resources.secrets, name, { namespace, preconditions: { resourceVersion } }).catch(ignore)
    }
  }
}

function ignore(error: unknown): undefined {
  if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error
}
