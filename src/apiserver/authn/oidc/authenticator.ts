/** Identity tokens of the issuers that a configuration names. Nothing is called before the first token of an issuer. */
import { createHash } from 'node:crypto'
import type { UserInfo } from '../../contract.ts'
import type { Dialler } from '../../dial/contract.ts'
import type { PlainResult, PlainTokenSource } from '../bearer.ts'
import { userOfClaims } from './claims.ts'
import type { CheckedAuthentication, JwtAuthenticator } from './config.ts'
import { DistributedClaim } from './distributed.ts'
import { IssuerKeys } from './keys.ts'
import { isKnownAlgorithm, parseIdToken, type IdToken } from './signature.ts'
import { audienceProblem, issuerOf, timeProblem } from './token-claims.ts'

export interface IdTokenOptions {
  readonly authentication: CheckedAuthentication
  readonly dialler: Pick<Dialler, 'call'>
  /** Milliseconds since the epoch. */
  now(): number
}

/** Milliseconds for which a token that was found good is not checked again, as upstream. */
const REMEMBERED = 10_000
const MAX_REMEMBERED = 1024
interface Issuer {
  readonly jwt: JwtAuthenticator
  readonly keys: IssuerKeys
  /** Of groups that are read by a claim's name. */
  readonly distributed: DistributedClaim | undefined
}

export function idTokens({ authentication, dialler, now }: IdTokenOptions): PlainTokenSource {
  const issuers = new Map<string, Issuer>()
  for (const jwt of authentication.config.jwt ?? []) {
    const { url, discoveryURL = '', certificateAuthority = '' } = jwt.issuer
    const place = {
      issuer: url,
      ...(discoveryURL !== '' && { discoveryUrl: discoveryURL }),
      ...(certificateAuthority !== '' && { ca: certificateAuthority }),
    }
    const claim = jwt.claimMappings.groups?.claim ?? ''
    const { audiences } = jwt.issuer
    const options = { claim, audiences, ...(certificateAuthority !== '' && { ca: certificateAuthority }), dialler, now }
    const distributed = claim === '' ? undefined : new DistributedClaim(options)
    issuers.set(url, { jwt, keys: new IssuerKeys(place, dialler, now), distributed })
  }
  const good = new Map<string, { readonly user: UserInfo; readonly until: number }>()

  function finish(
    token: IdToken,
    issuer: Issuer,
    hash: string,
    problem: string | undefined,
  ): PlainResult | Promise<PlainResult> {
    if (problem !== undefined) return { problem: `oidc: verify token: ${problem}` }
    const wrong = timeProblem(token.claims, now() / 1000) ?? audienceProblem(token.claims, issuer.jwt.issuer.audiences)
    if (wrong !== undefined) return { problem: `oidc: verify token: ${wrong}` }
    const failed = (error: unknown): PlainResult => ({
      problem: `oidc: could not expand distributed claims: ${(error as Error).message}`,
    })
    try {
      const claims = issuer.distributed?.expand(token.claims) ?? token.claims
      if (!(claims instanceof Promise)) return remember(issuer, hash, claims)
      return claims.then((whole) => remember(issuer, hash, whole), failed)
    } catch (error) {
      return failed(error)
    }
  }

  function remember({ jwt }: Issuer, hash: string, claims: IdToken['claims']): PlainResult {
    const result = userOfClaims(jwt, authentication.programs, claims)
    if (result.user === undefined) return result
    if (good.size >= MAX_REMEMBERED) good.delete(good.keys().next().value!)
    good.set(hash, { user: result.user, until: Math.min(now() + REMEMBERED, (claims['exp'] as number) * 1000) })
    return result
  }

  return {
    check(text) {
      const token = parseIdToken(text)
      const issuer = token === undefined ? undefined : issuers.get(issuerOf(token.claims))
      if (token === undefined || issuer === undefined) return { problem: '' }
      const hash = createHash('sha256').update(text).digest('base64')
      const known = good.get(hash)
      if (known !== undefined && now() < known.until) return { user: known.user }
      good.delete(hash)
      if (!isKnownAlgorithm(token.algorithm)) {
        return {
          problem: `oidc: verify token: oidc: malformed jwt: unexpected signature algorithm "${token.algorithm}"`,
        }
      }
      const problem = issuer.keys.check(token)
      return problem instanceof Promise
        ? problem.then((found) => finish(token, issuer, hash, found))
        : finish(token, issuer, hash, problem)
    },
  }
}
