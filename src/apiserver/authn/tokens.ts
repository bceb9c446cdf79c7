/** Service account tokens of one cluster: issuing, and telling whom one stands for. */
import { createHash } from 'node:crypto'
import type { TokenNotes, TokenResult, TokenSource } from './bearer.ts'
import type { BoundObjects } from './bound.ts'
import { claimsProblem, makeClaims, readClaims, userOf, type ClaimsRequest, type TokenClaims } from './claims.ts'
import { isSignedBy, parseToken, signToken, type TokenKey } from './jwt.ts'

export interface TokenOptions {
  /** What `iss` says: each cluster has its own. */
  readonly issuer: string
  /** Audiences of the API server itself. @default the issuer */
  readonly audiences?: readonly string[]
  /** The first one signs; all verify. */
  readonly keys: readonly [TokenKey, ...TokenKey[]]
  readonly objects: BoundObjects
  /** Told of tokens that live longer than they should be used. @default nobody is */
  used?(what: 'valid' | 'stale'): void
  /** Milliseconds since the epoch. */
  now(): number
}

/** Signatures that were found good, by the hash of the token. */
const REMEMBERED = 512

export class ServiceAccountTokens implements TokenSource {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly objects: BoundObjects
  readonly #keys: TokenOptions['keys']
  readonly #now: () => number
  readonly #used: TokenOptions['used']
  #known: Map<string, TokenClaims> | undefined

  constructor(options: TokenOptions) {
    this.issuer = options.issuer
    this.audiences = options.audiences ?? [options.issuer]
    this.objects = options.objects
    this.#keys = options.keys
    this.#now = () => options.now()
    this.#used = options.used
  }

  /** Keys that verify, for the key set document. */
  get keys(): readonly TokenKey[] {
    return this.#keys
  }

  issue(request: Omit<ClaimsRequest, 'issuer' | 'now'>): string {
    const now = Math.floor(this.#now() / 1000)
    return signToken(this.#keys[0], makeClaims({ ...request, issuer: this.issuer, now }))
  }

  /** @param wanted audiences of which the token must be for one. @default the API server's */
  check(token: string, wanted: readonly string[] = this.audiences, notes?: TokenNotes): TokenResult {
    const claims = this.#verified(token)
    if (typeof claims === 'string') return { problem: claims }
    const audiences = wanted.filter((audience) => claims.aud.includes(audience))
    if (audiences.length === 0) {
      const lists = [claims.aud, wanted].map((list) => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`)
      return { problem: `token audiences ${lists[0]} is invalid for the target audiences ${lists[1]}` }
    }
    const now = this.#now() / 1000
    const problem = claimsProblem(claims, this.objects, now)
    if (problem !== undefined) return { problem }
    this.#track(claims, now, notes)
    return { user: userOf(claims), audiences }
  }

  /** Tokens that live on only for those who do not renew them are counted. */
  #track({ sub, 'kubernetes.io': { warnafter = 0 } }: TokenClaims, now: number, notes: TokenNotes | undefined): void {
    if (warnafter === 0) return
    const stale = now > warnafter
    this.#used?.(stale ? 'stale' : 'valid')
    if (!stale) return
    const late = Math.floor(now) - warnafter
    notes?.annotate('authentication.k8s.io/stale-token', `subject: ${sub}, seconds after warning threshold: ${late}`)
  }

  /** Claims of a token that one of our keys signed; else why not. Everything that changes with time is checked by the caller. */
  #verified(token: string): TokenClaims | string {
    const hash = createHash('sha256').update(token).digest('base64')
    const known = this.#known?.get(hash)
    if (known !== undefined) {
      // Last used, last forgotten.
      this.#known!.delete(hash)
      this.#known!.set(hash, known)
      return known
    }
    const parsed = parseToken(token)
    if (parsed === undefined || parsed.claims['iss'] !== this.issuer) return ''
    if (!isSignedBy(parsed, this.#keys)) return 'invalid signature'
    const claims = readClaims(parsed.claims)
    if (claims === undefined) return 'invalid claims'
    this.#known ??= new Map()
    if (this.#known.size >= REMEMBERED) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest)
        break
      }
    }
    this.#known.set(hash, claims)
    return claims
  }
}
