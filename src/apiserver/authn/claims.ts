/** The claims of service account tokens: made for a request, checked at every use. */
import type { ObjectMeta } from '../../machinery/object.ts'
import type { UserInfo } from '../contract.ts'
import type { BoundObjects } from './bound.ts'
import { AUTHENTICATED, CREDENTIAL_ID_EXTRA, NODE_NAME_EXTRA, accountGroups, accountUsername } from './username.ts'

/** Seconds by which clocks may differ. */
const LEEWAY = 60

interface Ref {
  readonly name: string
  readonly uid?: string
}

export interface AccountClaims {
  readonly namespace: string
  readonly serviceaccount: Ref
  readonly pod?: Ref
  readonly secret?: Ref
  readonly node?: Ref
  /** Unix seconds. */
  readonly warnafter?: number
}

export interface TokenClaims {
  readonly aud: readonly string[]
  /** Unix seconds, as all times here. */
  readonly exp: number
  readonly iat: number
  readonly iss: string
  readonly jti: string
  readonly 'kubernetes.io': AccountClaims
  readonly nbf: number
  readonly sub: string
}

export interface ClaimsRequest {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly account: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly pod?: Ref
  readonly secret?: Ref
  readonly node?: Ref
  /** Seconds. */
  readonly lifetime: number
  /** Seconds after which use of the token is stale. */
  readonly warnAfter?: number
  /** A UUID. */
  readonly id: string
  /** Unix seconds. */
  readonly now: number
}

/** Claims in the order in which upstream writes them. */
export function makeClaims(request: ClaimsRequest): TokenClaims {
  const { account, pod, secret, node, now, warnAfter } = request
  return {
    aud: request.audiences,
    exp: now + request.lifetime,
    iat: now,
    iss: request.issuer,
    jti: request.id,
    'kubernetes.io': {
      namespace: account.namespace,
      ...(node !== undefined && { node }),
      ...(pod !== undefined && { pod }),
      ...(secret !== undefined && { secret }),
      serviceaccount: { name: account.name, uid: account.uid },
      ...(warnAfter !== undefined && { warnafter: now + warnAfter }),
    },
    nbf: now,
    sub: accountUsername(account.namespace, account.name),
  }
}

/** Reads claims out of a token; undefined if they have not the form of a service account token. */
export function readClaims(claims: Readonly<Record<string, unknown>>): TokenClaims | undefined {
  const { iss, sub, exp, nbf, iat, jti } = claims
  const aud = typeof claims['aud'] === 'string' ? [claims['aud']] : claims['aud']
  const account = claims['kubernetes.io']
  if (typeof iss !== 'string' || typeof sub !== 'string' || typeof exp !== 'number') return undefined
  if (typeof nbf !== 'number' || typeof iat !== 'number' || typeof jti !== 'string') return undefined
  if (!Array.isArray(aud) || aud.length === 0 || !aud.every((entry) => typeof entry === 'string')) return undefined
  if (!isAccountClaims(account)) return undefined
  if (sub !== accountUsername(account.namespace, account.serviceaccount.name)) return undefined
  return { aud, exp, iat, iss, jti, 'kubernetes.io': account, nbf, sub }
}

function isAccountClaims(value: unknown): value is AccountClaims {
  if (typeof value !== 'object' || value === null) return false
  const { namespace, serviceaccount, pod, secret, node } = value as Record<string, unknown>
  return (
    typeof namespace === 'string' &&
    isRef(serviceaccount) &&
    [pod, secret, node].every((ref) => ref === undefined || isRef(ref))
  )
}

function isRef(value: unknown): value is Ref {
  return typeof value === 'object' && value !== null && typeof (value as { name?: unknown }).name === 'string'
}

/** Why a signed token does not count now, or undefined. `now` in Unix seconds. */
export function claimsProblem(claims: TokenClaims, objects: BoundObjects, now: number): string | undefined {
  if (now - LEEWAY > claims.exp) return 'service account token has expired'
  if (now + LEEWAY < claims.nbf) return 'service account token is not valid yet'
  if (now + LEEWAY < claims.iat) return 'service account token is issued in the future'
  const { namespace, serviceaccount, pod, secret, node } = claims['kubernetes.io']

  const account = objects.serviceAccount(namespace, serviceaccount.name)
  if (account === undefined) return `serviceaccounts ${JSON.stringify(serviceaccount.name)} not found`
  if (account.uid !== serviceaccount.uid) {
    return `service account UID (${account.uid}) does not match claim (${serviceaccount.uid})`
  }
  if (isGone(account, now)) return `service account ${namespace}/${serviceaccount.name} has been deleted`

  if (secret !== undefined) {
    const problem = bindingProblem('secret', secret, objects.secret(namespace, secret.name), now)
    if (problem !== undefined) return problem
  }
  if (pod !== undefined) return bindingProblem('pod', pod, objects.pod(namespace, pod.name)?.metadata, now)
  // The node of a pod's token only says where the pod runs.
  if (node !== undefined) return bindingProblem('node', node, objects.node(node.name), now)
  return undefined
}

function bindingProblem(kind: string, ref: Ref, found: ObjectMeta | undefined, now: number): string | undefined {
  if (found === undefined) return 'service account token has been invalidated'
  if (found.uid !== ref.uid) {
    return `${kind} UID (${found.uid}) does not match service account ${kind} ref claim (${ref.uid})`
  }
  return isGone(found, now) ? 'service account token has been invalidated' : undefined
}

/** Deleted, though finalizers or grace still hold it. */
function isGone(meta: ObjectMeta, now: number): boolean {
  return meta.deletionTimestamp !== undefined && Date.parse(meta.deletionTimestamp) / 1000 < now - LEEWAY
}

/** Whom a checked token stands for. */
export function userOf(claims: TokenClaims): UserInfo {
  const { namespace, serviceaccount, pod, node } = claims['kubernetes.io']
  const extra: Record<string, readonly string[]> = { [CREDENTIAL_ID_EXTRA]: [`JTI=${claims.jti}`] }
  if (node !== undefined) {
    extra[NODE_NAME_EXTRA] = [node.name]
    if (node.uid !== undefined) extra['authentication.kubernetes.io/node-uid'] = [node.uid]
  }
  if (pod !== undefined) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name]
    if (pod.uid !== undefined) extra['authentication.kubernetes.io/pod-uid'] = [pod.uid]
  }
  return {
    name: claims.sub,
    ...(serviceaccount.uid !== undefined && { uid: serviceaccount.uid }),
    groups: [...accountGroups(namespace), AUTHENTICATED],
    extra,
  }
}
