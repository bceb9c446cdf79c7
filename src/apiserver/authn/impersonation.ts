/**
 * Acting as somebody else through `Impersonate-*` headers. The constrained modes of Kubernetes 1.36 come first
 * (`impersonate:<mode>` for the identity and `impersonate-on:<mode>:<verb>` for what is done with it), then the plain
 * `impersonate` verb. The answer to a refusal is that of the first mode that applies, as upstream gives it.
 */
import { StatusError, errors } from '../../machinery/status.ts'
import type { Attributes, Authorizer, UserInfo } from '../contract.ts'
import { forbidden } from '../authz/forbidden.ts'
import {
  ANONYMOUS,
  AUTHENTICATED,
  NODES,
  NODE_NAME_EXTRA,
  UNAUTHENTICATED,
  accountGroups,
  accountOf,
  nodeOf,
} from './username.ts'

const EXTRA = 'impersonate-extra-'
const AUTHENTICATION = 'authentication.k8s.io'
/** From so many checks of one kind on, a constrained mode asks for `*` first. */
const MANY = 4

interface Wanted {
  readonly name: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: ReadonlyMap<string, readonly string[]>
}

type Mode = 'associated-node' | 'arbitrary-node' | 'serviceaccount' | 'user-info'

const modes: readonly Mode[] = ['associated-node', 'arbitrary-node', 'serviceaccount', 'user-info']

/** Told of impersonations and of the checks that they need; the mode is `legacy` for the plain verb. */
export interface ImpersonationMetrics {
  impersonated(allowed: boolean, mode: string, milliseconds: number): void
  impersonationChecked(allowed: boolean, mode: string): void
}

/** Whom a request acts as. */
export interface Impersonated {
  readonly user: UserInfo
  /** The verb of the constrained mode that allowed it, such as `impersonate:user-info`; '' for the plain `impersonate`. */
  readonly constraint: string
}

/**
 * Whom the request acts as, if its headers ask for somebody else. `attributes` are those of the request itself, with the
 * asking user.
 *
 * @throws StatusError 400 for headers without a user name, 403 when it may not
 */
export function impersonate(
  headers: Readonly<Record<string, string>>,
  attributes: Attributes,
  authorizer: Authorizer,
  metrics?: ImpersonationMetrics,
): Impersonated | undefined {
  const wanted = wantedUser(headers)
  if (wanted === undefined) return undefined
  const since = performance.now()
  let trying: Mode | undefined
  const allow = (asked: Attributes): void => {
    const decision = authorizer.authorize(asked)
    metrics?.impersonationChecked(decision.allowed, trying ?? 'legacy')
    if (!decision.allowed) throw forbidden(asked, decision.reason)
  }
  let first: StatusError | undefined
  for (const mode of [...modes, undefined]) {
    if (mode !== undefined && !applies(mode, wanted, attributes.user)) continue
    trying = mode
    try {
      if (mode !== undefined) allow({ ...attributes, verb: `impersonate-on:${mode}:${attributes.verb}` })
      checkIdentity(mode, wanted, attributes.user, allow)
      metrics?.impersonated(true, mode ?? 'legacy', performance.now() - since)
      return { user: madeUser(mode, wanted), constraint: mode === undefined ? '' : `impersonate:${mode}` }
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      first ??= error
    }
  }
  metrics?.impersonated(false, 'legacy', performance.now() - since)
  throw first!
}

/** What the headers ask for. Repeated headers arrive joined with `, `. */
function wantedUser(headers: Readonly<Record<string, string>>): Wanted | undefined {
  const name = headers['impersonate-user'] ?? ''
  const uid = headers['impersonate-uid'] ?? ''
  const groups = values(headers['impersonate-group'])
  const extra = new Map<string, readonly string[]>()
  for (const header of Object.keys(headers)) {
    if (header.startsWith(EXTRA)) extra.set(extraKey(header.slice(EXTRA.length)), values(headers[header]))
  }
  if (name !== '') return { name, uid, groups, extra }
  if (uid === '' && groups.length === 0 && extra.size === 0) return undefined
  throw errors.badRequest(`requested ${goText({ name, uid, groups, extra })} without impersonating a user name`)
}

/** As Go prints a user. */
function goText({ name, uid, groups, extra }: Wanted): string {
  const strings = (list: readonly string[]): string => `[]string{${list.map((one) => JSON.stringify(one)).join(', ')}}`
  const pairs = [...extra.keys()].toSorted().map((key) => `${JSON.stringify(key)}:${strings(extra.get(key)!)}`)
  const groupText = groups.length === 0 ? '[]string(nil)' : strings(groups)
  const extraText = pairs.length === 0 ? 'map[string][]string(nil)' : `map[string][]string{${pairs.join(', ')}}`
  return `&user.DefaultInfo{Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, Groups:${groupText}, Extra:${extraText}}`
}

function values(header: string | undefined): readonly string[] {
  return header === undefined ? [] : header.split(', ')
}

function extraKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

function applies(mode: Mode, wanted: Wanted, asking: UserInfo): boolean {
  const node = nodeOf(wanted.name)
  const account = accountOf(wanted.name)
  if (mode === 'user-info') return node === undefined && account === undefined
  if (wanted.uid !== '' || wanted.groups.length > 0 || wanted.extra.size > 0) return false
  if (mode === 'serviceaccount') return account !== undefined
  if (node === undefined) return false
  if (mode === 'arbitrary-node') return true
  const own = asking.extra?.[NODE_NAME_EXTRA]
  return accountOf(asking.name) !== undefined && own?.length === 1 && own[0] === node
}

function checkIdentity(
  mode: Mode | undefined,
  wanted: Wanted,
  user: UserInfo,
  allow: (asked: Attributes) => void,
): void {
  const verb = mode === undefined ? 'impersonate' : `impersonate:${mode}`
  const group = mode === undefined ? '' : AUTHENTICATION
  const account = accountOf(wanted.name)
  const node = mode === undefined ? undefined : nodeOf(wanted.name)
  if (account !== undefined) allow({ user, verb, group, version: 'v1', resource: 'serviceaccounts', ...account })
  else if (node !== undefined) {
    allow({ user, verb, group, version: 'v1', resource: 'nodes', name: mode === 'associated-node' ? '*' : node })
  } else allow({ user, verb, group, version: 'v1', resource: 'users', name: wanted.name })

  if (wanted.uid !== '') {
    allow({ user, verb, group: AUTHENTICATION, version: 'v1', resource: 'uids', name: wanted.uid })
  }

  const groups = { user, verb, group, version: 'v1', resource: 'groups' }
  if (mode !== undefined && wanted.groups.includes('')) {
    throw forbidden({ ...groups, name: '' }, 'impersonating the empty string group is not allowed')
  }
  if (mode !== undefined && wanted.groups.includes('system:masters')) {
    throw forbidden({ ...groups, name: 'system:masters' }, 'impersonating the system:masters group is not allowed')
  }
  each(mode, groups, wanted.groups, allow)

  const extras = { user, verb, group: AUTHENTICATION, version: 'v1', resource: 'userextras' }
  for (const [subresource, list] of wanted.extra) {
    const problem = mode === undefined ? undefined : extraProblem(subresource, list)
    if (problem !== undefined) throw forbidden({ ...extras, name: '' }, problem)
    each(mode, { ...extras, subresource }, list, allow)
  }
}

function each(
  mode: Mode | undefined,
  attributes: Attributes,
  names: readonly string[],
  allow: (asked: Attributes) => void,
): void {
  if (mode !== undefined && names.length >= MANY) {
    try {
      allow({ ...attributes, name: '*' })
      return
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
    }
  }
  for (const name of names) allow({ ...attributes, name })
}

function extraProblem(key: string, list: readonly string[]): string | undefined {
  if (key === '') return 'impersonating the empty string key in extra is not allowed'
  if (key !== key.toLowerCase())
    return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`
  if (list.includes('')) return 'impersonating the empty string value in extra is not allowed'
  return undefined
}

function madeUser(mode: Mode | undefined, wanted: Wanted): UserInfo {
  const account = accountOf(wanted.name)
  let groups = [...wanted.groups]
  if (mode !== undefined && nodeOf(wanted.name) !== undefined) groups = [NODES]
  else if (account !== undefined && groups.length === 0) groups = accountGroups(account.namespace)
  if (wanted.name === ANONYMOUS) {
    if (!groups.includes(UNAUTHENTICATED)) groups.push(UNAUTHENTICATED)
  } else if (!groups.includes(AUTHENTICATED) && !groups.includes(UNAUTHENTICATED)) groups.push(AUTHENTICATED)
  const extra = Object.create(null) as Record<string, readonly string[]>
  for (const [key, list] of wanted.extra) extra[key] = list
  return {
    name: wanted.name,
    ...(wanted.uid !== '' && { uid: wanted.uid }),
    groups,
    ...(wanted.extra.size > 0 && { extra }),
  }
}
