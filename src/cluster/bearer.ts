/** The bearer tokens of one cluster, of all kinds, in upstream's order. What outsiders' tokens count can be changed. */
import {
  forAudiences,
  tokenUnion,
  type PlainTokenSource,
  type TokenNotes,
  type TokenResult,
  type TokenSource,
} from '../apiserver/authn/bearer.ts'
import { bootstrapTokens } from '../apiserver/authn/bootstrap-token.ts'
import { legacyTokens, type LegacyUse } from '../apiserver/authn/legacy-token.ts'
import { idTokens } from '../apiserver/authn/oidc/authenticator.ts'
import type { CheckedAuthentication } from '../apiserver/authn/oidc/config.ts'
import type { ServiceAccountTokens } from '../apiserver/authn/tokens.ts'
import type { Dialler } from '../apiserver/dial/contract.ts'
import type { Range } from '../store/contract.ts'

export interface BearerOptions {
  readonly range: Range
  readonly tokens: ServiceAccountTokens
  readonly dialler: Pick<Dialler, 'call'>
  readonly fixed: PlainTokenSource | undefined
  /** What becomes of the use of tokens that stand in Secrets. */
  readonly legacy: LegacyUse
  readonly authentication: CheckedAuthentication | undefined
  now(): number
}

export class BearerTokens implements TokenSource {
  readonly #options: BearerOptions
  #authentication: CheckedAuthentication | undefined
  #union: TokenSource

  constructor(options: BearerOptions) {
    this.#options = options
    this.#authentication = options.authentication
    this.#union = this.#made()
  }

  check(token: string, audiences?: readonly string[], notes?: TokenNotes): TokenResult | Promise<TokenResult> {
    return this.#union.check(token, audiences, notes)
  }

  set(authentication: CheckedAuthentication | undefined): void {
    this.#authentication = authentication
    this.#union = this.#made()
  }

  /** Everywhere, unless the configuration limits it to some paths or forbids it. */
  mayBeAnonymous(path: string): boolean {
    const anonymous = this.#authentication?.config.anonymous
    if (anonymous === undefined) return true
    const { enabled, conditions = [] } = anonymous
    return enabled && (conditions.length === 0 || conditions.some((condition) => condition.path === path))
  }

  #made(): TokenSource {
    const { range, tokens, dialler, fixed, now } = this.#options
    const own = tokens.audiences
    const authentication = this.#authentication
    const outsiders =
      authentication === undefined || (authentication.config.jwt ?? []).length === 0
        ? []
        : [forAudiences(idTokens({ authentication, dialler, now }), own)]
    return tokenUnion([
      ...(fixed === undefined ? [] : [forAudiences(fixed, own)]),
      forAudiences(legacyTokens(range, tokens.keys, this.#options.legacy), own),
      tokens,
      forAudiences(bootstrapTokens(range, now), own),
      ...outsiders,
    ])
  }
}
