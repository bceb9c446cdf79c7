/** The names and groups of well-known users. */
import { isDns1123Label, isDns1123Subdomain } from '../../machinery/names.ts'
import type { UserInfo } from '../contract.ts'

export const ANONYMOUS = 'system:anonymous'
export const AUTHENTICATED = 'system:authenticated'
export const UNAUTHENTICATED = 'system:unauthenticated'
export const NODES = 'system:nodes'

export const NODE_NAME_EXTRA = 'authentication.kubernetes.io/node-name'
export const CREDENTIAL_ID_EXTRA = 'authentication.kubernetes.io/credential-id'

const ACCOUNT = 'system:serviceaccount:'
const NODE = 'system:node:'

export const anonymous: UserInfo = Object.freeze({ name: ANONYMOUS, groups: Object.freeze([UNAUTHENTICATED]) })

/** `system:serviceaccount:ns:name` */
export function accountUsername(namespace: string, name: string): string {
  return `${ACCOUNT}${namespace}:${name}`
}

export function accountGroups(namespace: string): string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}

/** The reverse of {@link accountUsername}; undefined for every other user. */
export function accountOf(username: string): { namespace: string; name: string } | undefined {
  if (!username.startsWith(ACCOUNT)) return undefined
  const [namespace, name, ...more] = username.slice(ACCOUNT.length).split(':')
  if (namespace === undefined || name === undefined || more.length > 0) return undefined
  if (isDns1123Label(namespace).length > 0 || isDns1123Subdomain(name).length > 0) return undefined
  return { namespace, name }
}

/** The node whose user this is. */
export function nodeOf(username: string): string | undefined {
  if (!username.startsWith(NODE)) return undefined
  const name = username.slice(NODE.length)
  return isDns1123Subdomain(name).length > 0 ? undefined : name
}
