/** Identity tokens of the issuers that a configuration names. Nothing is called before the first token of an issuer. */
import { createHash } from 'node:crypto'
import type { UserInfo } from '../../contract.ts'
import type { Dialler } from '../../dial/contract.ts'
import type { PlainResult, PlainTokenSource } from '../bearer.ts'
import { userOfClaims } from './claims.ts'
import type { CheckedAuthentication, JwtAuthenticator } from './config.ts'
import { IssuerKeys } from './keys.ts'
import { isKnownAlgorithm, parseIdToken, type IdToken } from './signature.ts'

export interface IdTokenOptions {
  readonly authentication: CheckedAuthentication
  readonly dialler: Pick<Dialler, 'call'>
  /** Milliseconds since the epoch. */
  now(): number
}

/** Milliseconds for which a token that was found good is not checked again, as upstream. */
const REMEMBERED = 10_000
const MAX_REMEMBERED = 1024
/** Seconds by which a token may be from the future. */
const LEEWAY = 60

interface Issuer {
  readonly jwt: JwtAuthenticator
  readonly keys: IssuerKeys
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
    issuers.set(url, { jwt, keys: new IssuerKeys(place, dialler, now) })
  }
  const good = new Map<string, { readonly user: UserInfo; readonly until: number }>()

  function finish(token: IdToken, { jwt }: Issuer, hash: string, problem: string | undefined): PlainResult {
    if (problem !== undefined) return { problem: `oidc: verify token: ${problem}` }
    const wrong = timeProblem(token.claims, now() / 1000) ?? audienceProblem(token.claims, jwt.issuer.audiences)
    if (wrong !== undefined) return { problem: `oidc: verify token: ${wrong}` }
    const result = userOfClaims(jwt, authentication.programs, token.claims)
    if (result.user === undefined) return result
    if (good.size >= MAX_REMEMBERED) good.delete(good.keys().next().value!)
    good.set(hash, { user: result.user, until: Math.min(now() + REMEMBERED, (token.claims['exp'] as number) * 1000) })
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

function issuerOf({ iss }: Readonly<Record<string, unknown>>): string {
  if (typeof iss !== 'string') return ''
  return iss === 'accounts.google.com' ? 'https://accounts.google.com' : iss
}

function timeProblem({ exp, nbf }: Readonly<Record<string, unknown>>, now: number): string | undefined {
  if (typeof exp !== 'number' || exp < now) return 'oidc: token is expired'
  if (typeof nbf === 'number' && now + LEEWAY < nbf) return 'oidc: current time before the nbf (not before) time'
  return undefined
}

function audienceProblem({ aud }: Readonly<Record<string, unknown>>, wanted: readonly string[]): string | undefined {
  const given = typeof aud === 'string' ? [aud] : Array.isArray(aud) ? aud : []
  if (wanted.some((audience) => given.includes(audience))) return undefined
  const quoted = (list: readonly unknown[]): string => `[${list.map((one) => JSON.stringify(one)).join(' ')}]`
  return `oidc: expected audience in ${quoted([...wanted].toSorted())} got ${quoted(given)}`
}
