/**
 * Service account tokens that stand in Secrets and never end. The tokens controller makes them for Secrets of type
 * kubernetes.io/service-account-token; they count as long as the Secret holds them.
 */
import { objectOf, type UserInfo } from '../contract.ts'
import type { Range } from '../../store/contract.ts'
import type { PlainResult, PlainTokenSource } from './bearer.ts'
import { isSignedBy, parseToken, signToken, type TokenKey } from './jwt.ts'
import { accountGroups, accountUsername } from './username.ts'

export const LEGACY_ISSUER = 'kubernetes/serviceaccount'
const CLAIM = 'kubernetes.io/serviceaccount/'
/** Set on a Secret whose token is not to be used any more. */
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'

export interface LegacyAccount {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly secret: string
}

/** The token of an account for one Secret. */
export function legacyToken(key: TokenKey, { namespace, name, uid, secret }: LegacyAccount): string {
  return signToken(key, {
    iss: LEGACY_ISSUER,
    [`${CLAIM}namespace`]: namespace,
    [`${CLAIM}secret.name`]: secret,
    [`${CLAIM}service-account.name`]: name,
    [`${CLAIM}service-account.uid`]: uid,
    sub: accountUsername(namespace, name),
  })
}

/** Checks them against the range, as committed. */
export function legacyTokens(range: Range, keys: readonly TokenKey[]): PlainTokenSource {
  return {
    check(token): PlainResult {
      const parsed = parseToken(token)
      if (parsed === undefined || parsed.claims['iss'] !== LEGACY_ISSUER) return { problem: '' }
      if (!isSignedBy(parsed, keys)) return { problem: 'invalid signature' }
      const [namespace, secretName, name, uid] = [
        'namespace',
        'secret.name',
        'service-account.name',
        'service-account.uid',
      ].map((field) => parsed.claims[CLAIM + field])
      if (typeof namespace !== 'string' || typeof secretName !== 'string') return { problem: 'namespace is empty' }
      if (typeof name !== 'string' || typeof uid !== 'string') return { problem: 'serviceAccount is empty' }
      if (parsed.claims['sub'] !== accountUsername(namespace, name)) return { problem: 'sub claim is invalid' }
      const problem = problemOf(range, token, { namespace, name, uid, secret: secretName })
      if (problem !== undefined) return { problem }
      const user: UserInfo = { name: accountUsername(namespace, name), uid, groups: accountGroups(namespace) }
      return { user }
    },
  }
}

function problemOf(range: Range, token: string, { namespace, name, uid, secret: secretName }: LegacyAccount) {
  const entry = range.get(`core/secrets/${namespace}/${secretName}`)
  if (entry === undefined) return 'Token has been invalidated'
  const secret = objectOf(entry)
  if (secret.metadata.deletionTimestamp !== undefined) return 'Token has been invalidated'
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>
  if (Buffer.from(data['token'] ?? '', 'base64').toString('utf8') !== token) {
    return "Token does not match server's copy"
  }
  if (secret.metadata.labels?.[INVALID_SINCE] !== undefined) return 'Token has been marked invalid'
  const account = range.get(`core/serviceaccounts/${namespace}/${name}`)
  if (account === undefined) return `serviceaccounts ${JSON.stringify(name)} not found`
  const meta = objectOf(account).metadata
  if (meta.deletionTimestamp !== undefined) return 'ServiceAccount has been deleted'
  return meta.uid === uid ? undefined : `ServiceAccount UID (${meta.uid}) does not match claim (${uid})`
}
