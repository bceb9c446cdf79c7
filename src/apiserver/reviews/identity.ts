/** TokenReview and SelfSubjectReview: who is this. */
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { TokenResult, TokenSource } from '../authn/bearer.ts'
import type { UserInfo } from '../contract.ts'

/** @throws StatusError 400 without a token */
export function reviewToken(object: KubeObject, tokens: TokenSource): KubeObject | Promise<KubeObject> {
  const { token = '', audiences = [] } = (object['spec'] ?? {}) as { token?: string; audiences?: readonly string[] }
  if (token === '') throw errors.badRequest('token is required for TokenReview in authentication')
  const result = audiences.length === 0 ? tokens.check(token) : tokens.check(token, audiences)
  return result instanceof Promise ? result.then((found) => told(object, found)) : told(object, result)
}

function told(object: KubeObject, result: TokenResult): KubeObject {
  if (result.user !== undefined) {
    const status = { authenticated: true, user: userFields(result.user), audiences: result.audiences }
    return { ...object, status }
  }
  const error = result.problem === '' ? 'invalid bearer token' : `[invalid bearer token, ${result.problem}]`
  // The rest of a status that was written is left as it is.
  const { authenticated: _no, ...written } = (object['status'] ?? {}) as Record<string, unknown>
  return { ...object, status: { ...written, user: written['user'] ?? {}, error } }
}

/** @param now milliseconds since the epoch */
export function reviewSelf(object: KubeObject, user: UserInfo, now: number): KubeObject {
  return {
    kind: 'SelfSubjectReview',
    apiVersion: object.apiVersion ?? 'authentication.k8s.io/v1',
    metadata: { creationTimestamp: `${new Date(now).toISOString().slice(0, 19)}Z` },
    status: { userInfo: userFields(user) },
  }
}

/** authentication.k8s.io UserInfo; empty fields are left out. */
function userFields(user: UserInfo): object {
  return {
    ...(user.name !== '' && { username: user.name }),
    ...(user.uid !== undefined && user.uid !== '' && { uid: user.uid }),
    ...(user.groups.length > 0 && { groups: user.groups }),
    ...(user.extra !== undefined && Object.keys(user.extra).length > 0 && { extra: user.extra }),
  }
}
