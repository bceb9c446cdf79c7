/** Rules of webhooks and policies: which operations on which resources they are about. */
import { child, index, invalid, notSupported, required } from '../../field.ts'
import { unique } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { isPathSegmentName } from '../../names.ts'

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']

/** An absent scope is any. */
export function defaultRules(rules: Json): void {
  for (const rule of listOf(rules)) if (!isSet(rule.scope)) rule.scope = '*'
}

/** A metav1 RuleWithOperations. */
export function ruleWithOperations(rule: Json, path: string, out: Errors): void {
  const operations = listOf(rule.operations)
  const at = child(path, 'operations')
  if (operations.length === 0) out.push(required(at))
  alone(operations, at, 'operations', out)
  operations.forEach((operation, i) => {
    if (!OPERATIONS.includes(operation)) out.push(notSupported(index(at, i), operation, OPERATIONS))
  })
  const groups = listOf(rule.apiGroups)
  const versions = listOf(rule.apiVersions)
  if (groups.length === 0) out.push(required(child(path, 'apiGroups')))
  alone(groups, child(path, 'apiGroups'), 'API groups', out)
  if (versions.length === 0) out.push(required(child(path, 'apiVersions')))
  alone(versions, child(path, 'apiVersions'), 'API versions', out)
  versions.forEach((version, i) => {
    if (version === '') out.push(required(index(child(path, 'apiVersions'), i)))
  })
  resources(listOf(rule.resources), child(path, 'resources'), out)
  if (isSet(rule.scope) && !SCOPES.includes(rule.scope)) {
    out.push(notSupported(child(path, 'scope'), rule.scope, SCOPES))
  }
}

/** A rule that may also name objects. */
export function namedRule(rule: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(rule.resourceNames).forEach((name, i) => {
    const at = index(child(path, 'resourceNames'), i)
    for (const text of isPathSegmentName(name)) out.push(invalid(at, name, text))
    unique(seen, name, at, out)
  })
  ruleWithOperations(rule, path, out)
}

function alone(list: readonly string[], path: string, what: string, out: Errors): void {
  if (list.length > 1 && list.includes('*')) {
    out.push(invalid(path, list, `if '*' is present, must not specify other ${what}`))
  }
}

/** `pods`, `pods/log`, `*`, `pods/*`, all parts and all resources by a star, none of which another one includes. */
function resources(list: readonly string[], path: string, out: Errors): void {
  if (list.length === 0) out.push(required(path))
  const anyPart = new Set<string>()
  const anyResource = new Set<string>()
  // As upstream counts: the last entry without a subresource decides.
  let plain = false
  list.forEach((text, i) => {
    const at = index(path, i)
    if (text === '') {
      out.push(required(at))
      return
    }
    const slash = text.indexOf('/')
    if (slash < 0) {
      plain = text !== '*'
      return
    }
    const [resource, part] = [text.slice(0, slash), text.slice(slash + 1)]
    if (anyPart.has(resource)) {
      out.push(invalid(at, text, `if '${resource}/*' is present, must not specify ${text}`))
    }
    if (anyResource.has(part)) out.push(invalid(at, text, `if '*/${part}' is present, must not specify ${text}`))
    if (part === '*') anyPart.add(resource)
    if (resource === '*') anyResource.add(part)
  })
  if (list.length > 1 && list.includes('*/*')) {
    out.push(invalid(path, list, "if '*/*' is present, must not specify other resources"))
  }
  if (list.includes('*') && plain) {
    const text = "if '*' is present, must not specify other resources without subresources"
    out.push(invalid(path, list, text))
  }
}
