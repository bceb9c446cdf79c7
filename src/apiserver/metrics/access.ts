/** Who asked and what they may: authentication, authorization, impersonation. */
import type { Cell, Counter, Distribution, Histogram } from './family.ts'
import type { Registry } from './registry.ts'
import { Sampler } from './sampler.ts'

const DURATIONS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)
/** Upstream's: half an hour to a year, in seconds. */
const EXPIRATIONS = [
  0, 1800, 3600, 7200, 21_600, 43_200, 86_400, 172_800, 345_600, 604_800, 2_592_000, 7_776_000, 15_552_000, 31_104_000,
] as const

/** Names that upstream shows as they are. */
const SHOWN: ReadonlySet<string> = new Set([
  'admin',
  'client',
  'kube_proxy',
  'kubelet',
  'system:serviceaccount:kube-system:default',
])

type Known = 'success' | 'failure' | 'error'
type Decided = 'allowed' | 'no-opinion'

/** A counter and a histogram with the same labels. */
class Pair {
  readonly #counter: Counter
  readonly #histogram: Histogram
  readonly #cells = new Map<string, readonly [Cell, Distribution]>()

  constructor(counter: Counter, histogram: Histogram) {
    this.#counter = counter
    this.#histogram = histogram
  }

  /** @param milliseconds undefined: not measured */
  count(milliseconds: number | undefined, ...labels: readonly string[]): void {
    const key = labels.length === 1 ? labels[0]! : labels.join(' ')
    let cells = this.#cells.get(key)
    if (cells === undefined) this.#cells.set(key, (cells = [this.#counter.at(labels), this.#histogram.at(labels)]))
    cells[0].value++
    if (milliseconds === undefined) cells[1].repeat()
    else cells[1].observe(milliseconds / 1000)
  }
}

export class AccessMetrics {
  readonly #authentications: Pair
  readonly #authorizations: Pair
  readonly #impersonations: Pair
  readonly #impersonationChecks: Pair
  readonly #users: Counter
  readonly #expirations: Distribution
  readonly #others: Cell
  /** Which authentications and authorizations are measured. */
  readonly sampler: Sampler = new Sampler()

  constructor(registry: Registry) {
    const pair = (counter: string, histogram: string, what: string, labels: readonly string[]): Pair => {
      const more = { labels, stability: 'ALPHA' } as const
      return new Pair(
        registry.counter({ name: counter, help: `${what}, by result.`, ...more }),
        registry.histogram({ name: histogram, help: `Seconds of ${what}.`, buckets: DURATIONS, ...more }),
      )
    }
    const result = ['result']
    const decided = ['decision', 'mode']
    const acting = 'apiserver_impersonation'
    this.#authentications = pair(
      'authentication_attempts',
      'authentication_duration_seconds',
      'Authentications',
      result,
    )
    this.#authorizations = pair(
      'authorization_attempts_total',
      'authorization_duration_seconds',
      'Authorizations',
      result,
    )
    this.#impersonations = pair(
      `${acting}_attempts_total`,
      `${acting}_attempts_duration_seconds`,
      'Impersonations',
      decided,
    )
    this.#impersonationChecks = pair(
      `${acting}_authorization_attempts_total`,
      `${acting}_authorization_attempts_duration_seconds`,
      'Authorizations of impersonations',
      decided,
    )
    this.#users = registry.counter({
      name: 'authenticated_user_requests',
      stability: 'ALPHA',
      help: 'Requests whose user is known, by user, where its name is one of few.',
      labels: ['username'],
    })
    this.#others = this.#users.at(['other'])
    this.#expirations = registry
      .histogram({
        name: 'apiserver_client_certificate_expiration_seconds',
        stability: 'ALPHA',
        help: 'Seconds until the end of the certificates that requests show.',
        buckets: EXPIRATIONS,
      })
      .at()
  }

  /** @param user '' when it is not known who asks */
  authenticated(result: Known, user: string, milliseconds: number | undefined): void {
    this.#authentications.count(milliseconds, result)
    if (result !== 'success') return
    if (SHOWN.has(user)) this.#users.add([user])
    else if (user.includes('@')) this.#users.add(['email_id'])
    else this.#others.value++
  }

  authorized(result: Decided, milliseconds: number | undefined): void {
    this.#authorizations.count(milliseconds, result)
  }

  impersonated(allowed: boolean, mode: string, milliseconds: number): void {
    this.#impersonations.count(milliseconds, allowed ? 'allowed' : 'denied', mode)
  }

  impersonationChecked(allowed: boolean, mode: string): void {
    this.#impersonationChecks.count(undefined, allowed ? 'allowed' : 'denied', mode)
  }

  /** A request showed a certificate that counts for so long. */
  certificate(milliseconds: number): void {
    this.#expirations.observe(milliseconds / 1000)
  }
}
