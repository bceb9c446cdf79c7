/** FlowSchema: which requests belong to which priority level. */
import { child, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import { isDns1123Label, isDns1123Subdomain } from '../../names.ts'
import { each, requiredName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata, statusErrors } from './conditions.ts'
import { FIXED_SCHEMAS } from './mandatory.ts'

const MAX_PRECEDENCE = 10_000
const DEFAULT_PRECEDENCE = 1000
const METHODS = ['ByNamespace', 'ByUser']
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
/** Kinds of subjects and the field that each has. */
const SUBJECTS = [
  ['Group', 'group'],
  ['ServiceAccount', 'serviceAccount'],
  ['User', 'user'],
] as const
const NAMESPACE = "each member of this list must be '*' or a DNS-1123 label; "

function validateSpec(name: string, spec: Json, out: Errors): void {
  const precedence: number = spec.matchingPrecedence ?? 0
  const refuse = (why: string): unknown => out.push(invalid('spec.matchingPrecedence', precedence, why))
  if (precedence <= 0) refuse('must be a positive value')
  if (precedence > MAX_PRECEDENCE) refuse(`must not be greater than ${MAX_PRECEDENCE}`)
  if (precedence === 1 && name !== 'exempt') refuse("only the schema named 'exempt' may have matchingPrecedence 1")
  const method: Json = spec.distinguisherMethod
  if (isSet(method) && !METHODS.includes(method.type)) {
    out.push(notSupported('spec.distinguisherMethod.type', { Type: method.type ?? '' }, METHODS))
  }
  const level: string = spec.priorityLevelConfiguration?.name ?? ''
  const at = 'spec.priorityLevelConfiguration.name'
  if (level === '') out.push(required(at, 'must reference a priority level'))
  else each(isDns1123Subdomain(level), at, level, out)
  listOf(spec.rules).forEach((rule, i) => flowRule(rule, index('spec.rules', i), out))
}

function flowRule(rule: Json, path: string, out: Errors): void {
  const subjects = child(path, 'subjects')
  if (listOf(rule.subjects).length === 0) out.push(required(subjects, 'subjects must contain at least one value'))
  listOf(rule.subjects).forEach((one, i) => subject(one, index(subjects, i), out))
  const resources = listOf(rule.resourceRules)
  const urls = listOf(rule.nonResourceRules)
  if (resources.length === 0 && urls.length === 0) {
    out.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  }
  resources.forEach((one, i) => resourceRule(one, index(child(path, 'resourceRules'), i), out))
  urls.forEach((one, i) => urlRule(one, index(child(path, 'nonResourceRules'), i), out))
}

function subject(value: Json, path: string, out: Errors): void {
  const own = SUBJECTS.find(([kind]) => kind === value.kind)
  if (own === undefined) {
    const kinds = SUBJECTS.map(([kind]) => kind)
    out.push(notSupported(child(path, 'kind'), value.kind ?? '', kinds))
    return
  }
  const [kind, field] = own
  const at = child(path, field)
  if (!isSet(value[field])) out.push(required(at, `${field} is required when subject kind is '${kind}'`))
  else if (kind === 'ServiceAccount') account(value[field], at, out)
  else if (!value[field].name) out.push(required(child(at, 'name')))
  for (const other of ['serviceAccount', 'user', 'group']) {
    if (other === field || !isSet(value[other])) continue
    const [needed] = SUBJECTS.find(([, name]) => name === other)!
    out.push(forbidden(child(path, other), `${other} is forbidden when subject kind is not '${needed}'`))
  }
}

function account({ name, namespace }: Json, path: string, out: Errors): void {
  if (name !== '*') requiredName(name, child(path, 'name'), isDns1123Subdomain, out)
  const at = child(path, 'namespace')
  if (!namespace) out.push(required(at, 'must specify namespace for service account'))
  else each(isDns1123Label(namespace), at, namespace, out)
}

function verbs(list: readonly string[], path: string, out: Errors): void {
  if (list.length === 0) out.push(required(path, 'verbs must contain at least one value'))
  else if (list.includes('*')) {
    if (list.length > 1) out.push(invalid(path, list, "if '*' is present, must not specify other verbs"))
  } else if (!list.every((verb) => VERBS.includes(verb))) out.push(notSupported(path, list, VERBS))
}

function resourceRule(rule: Json, path: string, out: Errors): void {
  verbs(listOf(rule.verbs), child(path, 'verbs'), out)
  for (const [field, one, many] of [
    ['apiGroups', 'api group', 'api groups'],
    ['resources', 'resource', 'resources'],
  ] as const) {
    const list = listOf(rule[field])
    const at = child(path, field)
    if (list.length === 0) out.push(required(at, `resource rules must supply at least one ${one}`))
    else if (list.length > 1 && list.includes('*')) {
      out.push(invalid(at, list, `if '*' is present, must not specify other ${many}`))
    }
  }
  const namespaces: readonly string[] = listOf(rule.namespaces)
  const at = child(path, 'namespaces')
  if (namespaces.length === 0 && rule.clusterScope !== true) {
    out.push(required(at, 'resource rules that are not cluster scoped must supply at least one namespace'))
  } else if (namespaces.includes('*')) {
    if (namespaces.length > 1) {
      out.push(invalid(at, namespaces, "if '*' is present, must not specify other namespaces"))
    }
  } else {
    namespaces.forEach((name, i) => {
      each(
        isDns1123Label(name ?? '').map((why) => NAMESPACE + why),
        index(at, i),
        name,
        out,
      )
    })
  }
}

function urlRule(rule: Json, path: string, out: Errors): void {
  verbs(listOf(rule.verbs), child(path, 'verbs'), out)
  const urls: readonly string[] = listOf(rule.nonResourceURLs)
  const at = child(path, 'nonResourceURLs')
  if (urls.length === 0) out.push(required(at, 'nonResourceURLs must contain at least one value'))
  else if (urls.includes('*')) {
    if (urls.length > 1) out.push(invalid(at, urls, "if '*' is present, must not specify other non-resource URLs"))
  } else {
    urls.forEach((url, i) => {
      const why = wrongUrl(url ?? '')
      if (why !== undefined) out.push(invalid(index(at, i), url ?? '', why))
    })
  }
}

function wrongUrl(url: string): string | undefined {
  if (url === '') return 'must not be empty'
  if (url === '/') return undefined
  if (!url.startsWith('/')) return 'must start with slash'
  if (url.includes(' ')) return 'must not contain white-space'
  if (url.includes('//')) return 'must not contain double slash'
  const star = url.indexOf('*')
  if (star >= 0 && (star !== url.length - 1 || !url.endsWith('/*'))) return 'wildcard can only do suffix matching'
  return undefined
}

export const flowSchemaRules: KindRules = {
  defaults: (schema) => {
    const spec: Json = (schema['spec'] ??= {})
    if (!spec.matchingPrecedence) spec.matchingPrecedence = DEFAULT_PRECEDENCE
  },
  prepareCreate: (schema) => {
    schema['status'] = {}
  },
  prepareUpdate: (schema, old) => {
    schema['status'] = old['status']
  },
  prepareStatus: keepMetadata,
  validate: (schema) => {
    const out: Errors = []
    const spec: Json = schema['spec'] ?? {}
    const name = schema.metadata.name ?? ''
    validateSpec(name, spec, out)
    const fixed = FIXED_SCHEMAS.get(name)
    if (fixed !== undefined && !same(spec, fixed)) {
      out.push(invalid('spec', spec, `spec of '${name}' must equal the fixed value`))
    }
    return [...out, ...statusErrors(schema)]
  },
  validateStatus: statusErrors,
  generation: (schema) => schema['spec'],
}
