/** Roles and their bindings. */
import { child, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1123Subdomain, isPathSegmentName } from '../../names.ts'
import { each, immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { isUsableSelector, validateLabelSelector } from '../labels.ts'

const GROUP = 'rbac.authorization.k8s.io'

/** Upstream reports some problems after all others: they are in `late`. */
function policyRules(role: Json, namespaced: boolean, out: Errors, late: Errors): void {
  listOf(role.rules).forEach((rule, i) => {
    const at = index('rules', i)
    if (listOf(rule.verbs).length === 0) late.push(required(child(at, 'verbs')))
    const urls = listOf(rule.nonResourceURLs)
    const resources = ['apiGroups', 'resources', 'resourceNames'].some((field) => listOf(rule[field]).length > 0)
    const urlPath = child(at, 'nonResourceURLs')
    if (urls.length > 0) {
      if (namespaced) out.push(invalid(urlPath, urls, 'namespaced rules cannot apply to non-resource URLs'))
      if (resources) {
        out.push(invalid(urlPath, urls, 'rules cannot apply to both regular resources and non-resource URLs'))
      }
      return
    }
    if (listOf(rule.apiGroups).length === 0) {
      out.push(required(child(at, 'apiGroups'), 'resource rules must supply at least one api group'))
    }
    if (listOf(rule.resources).length === 0) {
      out.push(required(child(at, 'resources'), 'resource rules must supply at least one resource'))
    }
  })
}

export const roleRules: KindRules = {
  name: 'path',
  validate: (role): FieldError[] => {
    const out: Errors = []
    const late: Errors = []
    policyRules(role, true, out, late)
    return [...out, ...late]
  },
  generation: false,
  createOnUpdate: true,
}

export const clusterRoleRules: KindRules = {
  name: 'path',
  validate: (role): FieldError[] => {
    const out: Errors = []
    const late: Errors = []
    policyRules(role, false, out, late)
    const aggregation: Json = role['aggregationRule']
    if (isSet(aggregation)) {
      const path = 'aggregationRule.clusterRoleSelectors'
      const selectors = listOf(aggregation.clusterRoleSelectors)
      if (selectors.length === 0) {
        out.push(required(path, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
      }
      selectors.forEach((selector, i) => {
        out.push(...validateLabelSelector(selector, index(path, i)))
        if (!isUsableSelector(selector)) out.push(invalid(index(path, i), null, 'invalid label selector.'))
      })
    }
    return [...out, ...late]
  },
  generation: false,
  createOnUpdate: true,
}

function defaults(binding: Json): void {
  if (isSet(binding.roleRef) && !binding.roleRef.apiGroup) binding.roleRef.apiGroup = GROUP
  for (const subject of listOf(binding.subjects)) {
    if (!subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')) subject.apiGroup = GROUP
  }
}

function bindingRules(namespaced: boolean): KindRules {
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole']
  return {
    name: 'path',
    defaults,
    validate: (binding): FieldError[] => {
      const out: Errors = []
      const late: Errors = []
      const ref: Json = binding['roleRef'] ?? {}
      if (ref.apiGroup !== GROUP) out.push(notSupported('roleRef.apiGroup', ref.apiGroup ?? '', [GROUP]))
      if (!kinds.includes(ref.kind)) out.push(notSupported('roleRef.kind', ref.kind ?? '', kinds))
      listOf(binding['subjects']).forEach((subject, i) => {
        validateSubject(subject, namespaced, index('subjects', i), out, late)
      })
      if (!ref.name) late.push(required('roleRef.name'))
      else each(isPathSegmentName(ref.name), 'roleRef.name', ref.name, out)
      return [...out, ...late]
    },
    validateUpdate: (binding, old) => {
      const out: Errors = []
      const { apiGroup = '', kind = '', name = '' } = (binding['roleRef'] ?? {}) as Json
      const shown = { APIGroup: apiGroup, Kind: kind, Name: name }
      immutable(binding['roleRef'], old['roleRef'], 'roleRef', out, shown)
      return out
    },
    generation: false,
    createOnUpdate: true,
  }
}

function validateSubject(subject: Json, namespaced: boolean, path: string, out: Errors, late: Errors): void {
  const { kind = '', name = '', apiGroup = '', namespace = '' } = subject
  if (name === '') late.push(required(child(path, 'name')))
  switch (kind) {
    case 'ServiceAccount':
      if (name !== '') each(isDns1123Subdomain(name), child(path, 'name'), name, out)
      if (apiGroup !== '') out.push(notSupported(child(path, 'apiGroup'), apiGroup, ['']))
      if (!namespaced && namespace === '') out.push(required(child(path, 'namespace')))
      return
    case 'User':
    case 'Group':
      if (apiGroup !== GROUP) out.push(notSupported(child(path, 'apiGroup'), apiGroup, [GROUP]))
      return
    default:
      out.push(notSupported(child(path, 'kind'), kind, ['ServiceAccount', 'User', 'Group']))
  }
}

export const roleBindingRules: KindRules = bindingRules(true)
export const clusterRoleBindingRules: KindRules = bindingRules(false)
