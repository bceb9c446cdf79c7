/** The keys of one issuer: found by its discovery document when the first token comes, and again when keys change. */
import type { Dialler } from '../../dial/contract.ts'
import { isSigned, readKeySet, type IdToken, type PublicKey } from './signature.ts'

export interface IssuerPlace {
  readonly issuer: string
  /** @default the issuer's `/.well-known/openid-configuration` */
  readonly discoveryUrl?: string
  /** PEM. @default the system's authorities */
  readonly ca?: string
}

const TIMEOUT = 10_000
const MAX_DOCUMENT = 1024 * 1024
/** Between two looks for keys: a token with an unknown key, which anybody can make, does not call the issuer each time. */
const PAUSE = 10_000

export class IssuerKeys {
  readonly #place: IssuerPlace
  readonly #dialler: Pick<Dialler, 'call'>
  readonly #now: () => number
  #keys: readonly PublicKey[] | undefined
  #asked = -Infinity
  #asking: Promise<string | undefined> | undefined
  #problem: string | undefined

  constructor(place: IssuerPlace, dialler: Pick<Dialler, 'call'>, now: () => number) {
    this.#place = place
    this.#dialler = dialler
    this.#now = now
  }

  /** Why the token's signature does not count; undefined: it does. In the caller's turn when the key is known. */
  check(token: IdToken): string | undefined | Promise<string | undefined> {
    if (this.#keys !== undefined && isSigned(token, this.#keys)) return undefined
    return this.#again(token)
  }

  async #again(token: IdToken): Promise<string | undefined> {
    if (this.#asking === undefined && this.#now() - this.#asked >= PAUSE) {
      this.#asked = this.#now()
      this.#asking = this.#ask().finally(() => (this.#asking = undefined))
    }
    if (this.#asking !== undefined) this.#problem = await this.#asking
    if (this.#keys === undefined) return `fetching keys ${this.#problem ?? 'failed'}`
    return isSigned(token, this.#keys) ? undefined : 'failed to verify signature: failed to verify id token signature'
  }

  /** Why there are no new keys; undefined: there are. */
  async #ask(): Promise<string | undefined> {
    const { issuer, discoveryUrl } = this.#place
    try {
      const url = discoveryUrl ?? `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`
      const document = JSON.parse(await this.#get(url)) as { issuer?: unknown; jwks_uri?: unknown }
      if (document.issuer !== issuer) {
        return `oidc: issuer URL provided to client (${JSON.stringify(issuer)}) did not match the issuer URL returned by provider (${JSON.stringify(document.issuer ?? '')})`
      }
      const { jwks_uri: keys } = document
      if (typeof keys !== 'string' || !keys.startsWith('https://')) return 'oidc: no https jwks_uri'
      this.#keys = readKeySet(await this.#get(keys))
      return undefined
    } catch (error) {
      return `oidc: ${(error as Error).message}`
    }
  }

  async #get(url: string): Promise<string> {
    const { ca } = this.#place
    const answer = await this.#dialler.call({
      destination: { url },
      ...(ca !== undefined && { caBundle: ca }),
      method: 'GET',
      headers: { accept: 'application/json' },
      timeout: TIMEOUT,
      maxAnswer: MAX_DOCUMENT,
    })
    if (answer.status !== 200) throw new Error(`GET ${url}: ${answer.status}`)
    return answer.body.toString('utf8')
  }
}
