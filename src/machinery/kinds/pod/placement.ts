/** Where a pod may run: affinity, tolerations, topology spread. */
import { child, duplicate, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import { isDns1123Label, isDns1123Subdomain, isLabelValue } from '../../names.ts'
import { each, oneOf, positive } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { labelName, validateLabelSelector } from '../labels.ts'

export const TAINT_EFFECTS: readonly string[] = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** `spec.affinity`. */
export function affinity(value: Json, path: string, out: Errors): void {
  const node: Json = value?.nodeAffinity
  if (isSet(node)) {
    const at = child(path, 'nodeAffinity')
    const hard: Json = node.requiredDuringSchedulingIgnoredDuringExecution
    if (isSet(hard)) nodeSelector(hard, child(at, 'requiredDuringSchedulingIgnoredDuringExecution'), out)
    listOf(node.preferredDuringSchedulingIgnoredDuringExecution).forEach((term, i) => {
      const termPath = index(child(at, 'preferredDuringSchedulingIgnoredDuringExecution'), i)
      weight(term.weight, termPath, out)
      // Values are not checked here: such a term may still match where there is one node.
      nodeSelectorTerm(term.preference ?? {}, true, child(termPath, 'preference'), out)
    })
  }
  for (const kind of ['podAffinity', 'podAntiAffinity']) {
    const pods: Json = value?.[kind]
    if (!isSet(pods)) continue
    const at = child(path, kind)
    listOf(pods.requiredDuringSchedulingIgnoredDuringExecution).forEach((term, i) => {
      podAffinityTerm(term, index(child(at, 'requiredDuringSchedulingIgnoredDuringExecution'), i), out)
    })
    listOf(pods.preferredDuringSchedulingIgnoredDuringExecution).forEach((term, i) => {
      const termPath = index(child(at, 'preferredDuringSchedulingIgnoredDuringExecution'), i)
      weight(term.weight, termPath, out)
      podAffinityTerm(term.podAffinityTerm ?? {}, child(termPath, 'podAffinityTerm'), out)
    })
  }
}

function weight(value: Json, path: string, out: Errors): void {
  const number: number = value ?? 0
  if (number <= 0 || number > 100) out.push(invalid(child(path, 'weight'), number, 'must be in the range 1-100'))
}

/** A required node selector: at least one term. */
export function nodeSelector(selector: Json, path: string, out: Errors): void {
  const at = child(path, 'nodeSelectorTerms')
  const terms = listOf(selector.nodeSelectorTerms)
  if (terms.length === 0) out.push(required(at, 'must have at least one node selector term'))
  terms.forEach((term, i) => nodeSelectorTerm(term, false, index(at, i), out))
}

function nodeSelectorTerm(term: Json, anyValue: boolean, path: string, out: Errors): void {
  listOf(term.matchExpressions).forEach((requirement, i) => {
    labelRequirement(requirement, anyValue, index(child(path, 'matchExpressions'), i), out)
  })
  listOf(term.matchFields).forEach((requirement, i) => {
    fieldRequirement(requirement, index(child(path, 'matchFields'), i), out)
  })
}

function labelRequirement(requirement: Json, anyValue: boolean, path: string, out: Errors): void {
  const at = child(path, 'values')
  const values = listOf(requirement.values)
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) out.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"))
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        out.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      }
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        out.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
      }
      break
    default:
      out.push(invalid(child(path, 'operator'), requirement.operator ?? '', 'not a valid selector operator'))
  }
  labelName(requirement.key, child(path, 'key'), out)
  if (!anyValue) values.forEach((value, i) => each(isLabelValue(String(value)), index(at, i), value, out))
}

function fieldRequirement(requirement: Json, path: string, out: Errors): void {
  const at = child(path, 'values')
  const values = listOf(requirement.values)
  if (requirement.operator !== 'In' && requirement.operator !== 'NotIn') {
    out.push(invalid(child(path, 'operator'), requirement.operator ?? '', 'not a valid selector operator'))
  } else if (values.length !== 1) {
    out.push(required(at, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
  }
  if (requirement.key !== 'metadata.name') {
    out.push(invalid(child(path, 'key'), requirement.key ?? '', 'not a valid field selector key'))
  } else values.forEach((value, i) => each(isDns1123Subdomain(String(value)), index(at, i), value, out))
}

function podAffinityTerm(term: Json, path: string, out: Errors): void {
  out.push(...validateLabelSelector(term.labelSelector, child(path, 'labelSelector')))
  out.push(...validateLabelSelector(term.namespaceSelector, child(path, 'namespaceSelector')))
  for (const name of listOf(term.namespaces)) each(isDns1123Label(String(name)), child(path, 'namespace'), name, out)
  labelKeys(term.matchLabelKeys, term.mismatchLabelKeys, term.labelSelector, path, out)
  if (!term.topologyKey) out.push(required(child(path, 'topologyKey'), 'can not be empty'))
  labelName(term.topologyKey, child(path, 'topologyKey'), out)
}

function labelKeys(match: Json, mismatch: Json, selector: Json, path: string, out: Errors): void {
  for (const [list, field] of [
    [match, 'matchLabelKeys'],
    [mismatch, 'mismatchLabelKeys'],
  ] as const) {
    const keys = listOf(list)
    if (keys.length === 0) continue
    const at = child(path, field)
    if (!isSet(selector)) out.push(forbidden(at, 'must not be specified when labelSelector is not set'))
    else keys.forEach((name, i) => labelName(name, index(at, i), out))
  }
  if (isSet(selector)) {
    const seen = new Set(entriesOf(selector.matchLabels).map(([name]) => name))
    for (const { key } of listOf(selector.matchExpressions)) {
      const i = listOf(match).lastIndexOf(key)
      if (i >= 0 && seen.has(key)) {
        out.push(invalid(index(path, i), key, 'exists in both matchLabelKeys and labelSelector'))
      }
      seen.add(key)
    }
  }
  listOf(match).forEach((name, i) => {
    if (!listOf(mismatch).includes(name)) return
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys'
    out.push(invalid(index(child(path, 'matchLabelKeys'), i), name, detail))
  })
}

/** `spec.tolerations`. */
export function tolerations(list: Json, path: string, out: Errors): void {
  listOf(list).forEach((toleration, i) => {
    const at = index(path, i)
    const { key = '', operator = '', value = '', effect = '' } = toleration
    const operatorPath = child(at, 'operator')
    if (key !== '') labelName(key, child(at, 'key'), out)
    else if (operator !== 'Exists') {
      const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
      out.push(invalid(operatorPath, operator, detail))
    }
    if (isSet(toleration.tolerationSeconds) && effect !== 'NoExecute') {
      out.push(invalid(child(at, 'effect'), effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    }
    switch (operator) {
      case 'Equal':
      case '': {
        const messages = isLabelValue(value)
        if (messages.length > 0) out.push(invalid(operatorPath, value, messages.join(';')))
        break
      }
      case 'Exists':
        if (value !== '') out.push(invalid(operatorPath, value, "value must be empty when `operator` is 'Exists'"))
        break
      case 'Lt':
      case 'Gt':
        out.push(notSupported(operatorPath, operator, ['Equal', 'Exists', 'Lt', 'Gt']))
        break
      default:
        out.push(notSupported(operatorPath, operator, ['Equal', 'Exists']))
    }
    if (effect !== '') oneOf(effect, TAINT_EFFECTS, child(at, 'effect'), out)
  })
}

const POLICIES = ['Honor', 'Ignore']

/** `spec.topologySpreadConstraints`. */
export function topologySpread(list: Json, path: string, out: Errors): void {
  const all = listOf(list)
  all.forEach((constraint, i) => {
    const at = index(path, i)
    const { topologyKey = '', whenUnsatisfiable = '' } = constraint
    positive(constraint.maxSkew, child(at, 'maxSkew'), out)
    if (topologyKey === '') out.push(required(child(at, 'topologyKey'), 'can not be empty'))
    oneOf(whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'], child(at, 'whenUnsatisfiable'), out)
    const again = all
      .slice(i + 1)
      .some((c) => (c.topologyKey ?? '') === topologyKey && (c.whenUnsatisfiable ?? '') === whenUnsatisfiable)
    if (again)
      out.push(duplicate(child(at, '{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${whenUnsatisfiable}}`))
    const domains: Json = constraint.minDomains
    if (isSet(domains)) {
      positive(domains, child(at, 'minDomains'), out)
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${String(whenUnsatisfiable)}`
        out.push(invalid(child(at, 'minDomains'), domains, detail))
      }
    }
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy']) {
      if (isSet(constraint[field])) oneOf(constraint[field], POLICIES, child(at, field), out)
    }
    labelKeys(constraint.matchLabelKeys, undefined, constraint.labelSelector, at, out)
    out.push(...validateLabelSelector(constraint.labelSelector, child(at, 'labelSelector')))
  })
}
