/**
 * Service account tokens that stand in Secrets and never end. The tokens controller makes them for Secrets of type
 * kubernetes.io/service-account-token; they count as long as the Secret holds them.
 */
import { objectOf, type UserInfo } from '../contract.ts'
import type { Range } from '../../store/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { PlainResult, PlainTokenSource, TokenNotes } from './bearer.ts'
import { isSignedBy, parseToken, signToken, type TokenKey } from './jwt.ts'
import { accountGroups, accountUsername } from './username.ts'

export const LEGACY_ISSUER = 'kubernetes/serviceaccount'
const CLAIM = 'kubernetes.io/serviceaccount/'
/** Set on a Secret whose token is not to be used any more: the day from which on. */
export const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'
/** Set on a Secret whose token is used: the day on which it was last. */
export const LAST_USED = 'kubernetes.io/legacy-token-last-used'
const NOTE = 'authentication.k8s.io/'
const AUTO =
  'Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.'
const DAY = 86_400_000

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

/** What becomes of the use of a token. */
export interface LegacyUse {
  /** It was shown; `invalid-legacy-auto`: though it had been marked invalid. */
  used(what: 'legacy' | 'legacy-auto' | 'legacy-manual' | 'invalid-legacy-auto'): void
  /** Its Secret's label of the day of its last use is another: it is to be `day`. */
  touch(secret: KubeObject, day: string): void
  /** Milliseconds since the epoch. */
  now(): number
}

/** Checks them against the range, as committed. */
export function legacyTokens(range: Range, keys: readonly TokenKey[], use: LegacyUse): PlainTokenSource {
  return {
    check(token, notes): PlainResult {
      const parsed = parseToken(token)
      if (parsed === undefined || parsed.claims['iss'] !== LEGACY_ISSUER) return { problem: '' }
      if (!isSignedBy(parsed, keys)) return { problem: 'invalid signature' }
      const subject = parsed.claims['sub']
      use.used('legacy')
      notes?.annotate(`${NOTE}legacy-token`, String(subject))
      const [namespace, secretName, name, uid] = [
        'namespace',
        'secret.name',
        'service-account.name',
        'service-account.uid',
      ].map((field) => parsed.claims[CLAIM + field])
      if (typeof namespace !== 'string' || typeof secretName !== 'string') return { problem: 'namespace is empty' }
      if (typeof name !== 'string' || typeof uid !== 'string') return { problem: 'serviceAccount is empty' }
      if (subject !== accountUsername(namespace, name)) return { problem: 'sub claim is invalid' }
      const problem = problemOf({ range, use, notes }, token, { namespace, name, uid, secret: secretName })
      if (problem !== undefined) return { problem }
      const user: UserInfo = { name: accountUsername(namespace, name), uid, groups: accountGroups(namespace) }
      return { user }
    },
  }
}

interface Context {
  readonly range: Range
  readonly use: LegacyUse
  readonly notes: TokenNotes | undefined
}

function problemOf(context: Context, token: string, { namespace, name, uid, secret: secretName }: LegacyAccount) {
  const { range } = context
  const entry = range.get(`core/secrets/${namespace}/${secretName}`)
  if (entry === undefined) return 'Token has been invalidated'
  const secret = objectOf(entry)
  if (secret.metadata.deletionTimestamp !== undefined) return 'Token has been invalidated'
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>>
  if (Buffer.from(data['token'] ?? '', 'base64').toString('utf8') !== token) {
    return "Token does not match server's copy"
  }
  const found = range.get(`core/serviceaccounts/${namespace}/${name}`)
  if (found === undefined) return `serviceaccounts ${JSON.stringify(name)} not found`
  const account = objectOf(found)
  const meta = account.metadata
  if (meta.deletionTimestamp !== undefined) return `ServiceAccount ${namespace}/${name} has been deleted`
  if (meta.uid !== uid) return `ServiceAccount UID (${meta.uid}) does not match claim (${uid})`
  return track(context, secret, account)
}

/** Notes the use of a token that is right in all else. Says what is wrong when it does not count any more. */
function track({ use, notes }: Context, secret: KubeObject, account: KubeObject): string | undefined {
  const { name = '', namespace = '', labels = {} } = secret.metadata
  let problem: string | undefined
  if ((labels[INVALID_SINCE] ?? '') !== '') {
    notes?.annotate(`${NOTE}legacy-token-invalidated`, `${name}/${namespace}`)
    use.used('invalid-legacy-auto')
    problem = `the token in secret ${namespace}/${name} for service account ${namespace}/${account.metadata.name} has been marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, or remove the '${INVALID_SINCE}' label from the secret to temporarily allow use of this token`
  } else if (isOwnSecret(account, name)) {
    notes?.warn(AUTO)
    notes?.annotate(`${NOTE}legacy-token-autogenerated-secret`, name)
    use.used('legacy-auto')
  } else {
    notes?.annotate(`${NOTE}legacy-token-manual-secret`, name)
    use.used('legacy-manual')
  }
  const now = use.now()
  const day = dayOf(now)
  // Another server's clock may be ahead.
  if (labels[LAST_USED] !== day && labels[LAST_USED] !== dayOf(now + DAY)) use.touch(secret, day)
  return problem
}

/** Whether a Secret is one that was made for an account: those it lists. */
export function isOwnSecret(account: KubeObject, secret: string): boolean {
  const secrets = account['secrets'] as readonly { readonly name?: string }[] | undefined
  return secrets?.some(({ name }) => name === secret) === true
}

/** `2026-01-31`, in UTC. */
export function dayOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 10)
}
