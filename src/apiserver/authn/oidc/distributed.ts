/**
 * A claim that stands with another server (OpenID Connect Core 1.0, section 5.6.2): who has too many groups for a token
 * names an endpoint, which answers a token of its own with them.
 */
import type { Dialler } from '../../dial/contract.ts'
import { IssuerKeys } from './keys.ts'
import { isKnownAlgorithm, parseIdToken } from './signature.ts'
import { audienceProblem, issuerOf, timeProblem } from './token-claims.ts'

export interface DistributedOptions {
  /** The claim that may stand elsewhere. */
  readonly claim: string
  /** Of which the endpoint's token must be for one. */
  readonly audiences: readonly string[]
  /** PEM. @default the system's authorities */
  readonly ca?: string
  readonly dialler: Pick<Dialler, 'call'>
  /** Milliseconds since the epoch. */
  now(): number
}

type Claims = Readonly<Record<string, unknown>>

const TIMEOUT = 10_000
/** Bytes of an endpoint's token. */
const MAX_TOKEN = 1024 * 1024
/** Issuers of endpoints' tokens whose keys are kept. */
const MAX_ISSUERS = 16

/** Where the claim is, as the token says. */
interface Source {
  readonly endpoint: string
  readonly accessToken: string
}

export class DistributedClaim {
  readonly #options: DistributedOptions
  /** Those used last come last. */
  readonly #issuers = new Map<string, IssuerKeys>()

  constructor(options: DistributedOptions) {
    this.#options = options
  }

  /**
   * The claims with what stands elsewhere; the same object, in the same turn, when nothing does.
   * @throws Error with upstream's words
   */
  expand(claims: Claims): Claims | Promise<Claims> {
    const source = this.#source(claims)
    return source === undefined ? claims : this.#fetch(source, claims)
  }

  #source(claims: Claims): Source | undefined {
    const { claim } = this.#options
    if (Object.hasOwn(claims, claim) || !Object.hasOwn(claims, '_claim_names')) return undefined
    const names = claims['_claim_names']
    if (!isRecord(names) || !Object.values(names).every((each) => typeof each === 'string' || each === null))
      throw new Error('oidc: error parsing distributed claim names: json: cannot unmarshal into map[string]string')
    if (!Object.hasOwn(claims, '_claim_sources')) throw new Error('oidc: no claim sources')
    const sources = claims['_claim_sources']
    if (!isRecord(sources)) throw new Error('oidc: could not parse claim sources: json: cannot unmarshal')
    if (!Object.hasOwn(names, claim)) return undefined
    const named = names[claim]
    const name = typeof named === 'string' ? named : ''
    if (!Object.hasOwn(sources, name))
      throw new Error(`id token _claim_names contained a source ${name} missing in _claims_sources`)
    const source = sources[name]
    if (!isRecord(source)) throw new Error('oidc: could not parse claim sources: json: cannot unmarshal')
    const { endpoint = '', access_token: accessToken = '' } = source
    if (typeof endpoint !== 'string' || typeof accessToken !== 'string')
      throw new Error('oidc: could not parse claim sources: json: cannot unmarshal into Go value of type string')
    // Without one it may be an aggregated claim, which counts as none.
    return endpoint === '' ? undefined : { endpoint, accessToken }
  }

  async #fetch({ endpoint, accessToken }: Source, claims: Claims): Promise<Claims> {
    const { claim, audiences, now } = this.#options
    const text = await this.#get(endpoint, accessToken).catch((error: unknown) => {
      throw new Error(`while getting distributed claim ${JSON.stringify(claim)}: ${(error as Error).message}`, {
        cause: error,
      })
    })
    const token = parseIdToken(text.trim())
    if (token === undefined) {
      throw new Error(
        `getting untrusted issuer from endpoint ${endpoint} failed for claim ${JSON.stringify(claim)}: malformed token`,
      )
    }
    const problem = isKnownAlgorithm(token.algorithm)
      ? await this.#keysOf(issuerOf(token.claims)).check(token)
      : `oidc: malformed jwt: unexpected signature algorithm ${JSON.stringify(token.algorithm)}`
    const wrong = problem ?? timeProblem(token.claims, now() / 1000) ?? audienceProblem(token.claims, audiences)
    if (wrong !== undefined) throw new Error(`verify distributed claim token: ${wrong}`)
    if (!Object.hasOwn(token.claims, claim)) {
      throw new Error(
        `jwt returned by distributed claim endpoint ${JSON.stringify(endpoint)} did not contain claim: ${claim}`,
      )
    }
    return { ...claims, [claim]: token.claims[claim] }
  }

  async #get(url: string, accessToken: string): Promise<string> {
    const { dialler, ca } = this.#options
    if (!URL.canParse(url)) throw new Error(`Get ${JSON.stringify(url)}: unsupported protocol scheme ""`)
    const answer = await dialler.call({
      destination: { url },
      ...(ca !== undefined && { caBundle: ca }),
      method: 'GET',
      query: new URL(url).search.slice(1),
      headers: accessToken === '' ? {} : { authorization: `Bearer ${accessToken.replaceAll(/[^\x20-\x7e]/g, '')}` },
      timeout: TIMEOUT,
      maxAnswer: MAX_TOKEN,
    })
    if (answer.status < 200 || answer.status > 226)
      throw new Error(`error while getting distributed claim JWT: ${answer.status}`)
    return answer.body.toString('utf8')
  }

  #keysOf(issuer: string): IssuerKeys {
    const { dialler, ca, now } = this.#options
    let keys = this.#issuers.get(issuer)
    this.#issuers.delete(issuer)
    keys ??= new IssuerKeys({ issuer, ...(ca !== undefined && { ca }) }, dialler, now)
    if (this.#issuers.size >= MAX_ISSUERS) this.#issuers.delete(this.#issuers.keys().next().value!)
    this.#issuers.set(issuer, keys)
    return keys
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
