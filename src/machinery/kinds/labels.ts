/** Labels and label selectors in objects: `k8s.io/apimachinery/pkg/apis/meta/v1/validation`'s rules and texts. */
import { child, forbidden, index, invalid, required } from '../field.ts'
import type { FieldError } from '../field.ts'
import { isLabelValue, isQualifiedName } from '../names.ts'
import { each } from './checks.ts'
import type { Errors } from './checks.ts'
import { entriesOf, entry, isSet, listOf } from './json.ts'
import type { Json } from './json.ts'

/** How strictly a selector is read. */
export interface SelectorRules {
  /** Lets values that are no label values through: for updates of objects that hold such values. @default false */
  readonly allowInvalidValues?: boolean
}

/** One label key. */
export function labelName(name: Json, path: string, out: Errors): void {
  each(isQualifiedName(String(name ?? '')), path, name ?? '', out)
}

/** A map of labels; every problem is reported at `path` itself. */
export function labels(map: Json, path: string, out: Errors): void {
  for (const [name, value] of entriesOf(map)) {
    labelName(name, path, out)
    each(isLabelValue(String(value)), path, value, out)
  }
}

/** A metav1.LabelSelector; an absent one is fine (the caller says whether it is required). */
export function validateLabelSelector(selector: Json, path: string, rules: SelectorRules = {}): FieldError[] {
  const out: Errors = []
  if (!isSet(selector)) return out
  labels(selector.matchLabels, child(path, 'matchLabels'), out)
  listOf(selector.matchExpressions).forEach((requirement, i) => {
    const at = index(child(path, 'matchExpressions'), i)
    const values = listOf(requirement.values)
    switch (requirement.operator) {
      case 'In':
      case 'NotIn':
        if (values.length === 0) {
          out.push(required(child(at, 'values'), "must be specified when `operator` is 'In' or 'NotIn'"))
        }
        break
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0) {
          out.push(forbidden(child(at, 'values'), "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
        }
        break
      default:
        out.push(invalid(child(at, 'operator'), requirement.operator ?? '', 'not a valid selector operator'))
    }
    labelName(requirement.key, child(at, 'key'), out)
    if (rules.allowInvalidValues !== true) {
      values.forEach((value, j) => each(isLabelValue(String(value)), index(child(at, 'values'), j), value, out))
    }
  })
  return out
}

/** Whether a selector holds a value that is no label value: then updates may keep it. */
export function hasInvalidValue(selector: Json): boolean {
  return listOf(selector?.matchExpressions).some((r) =>
    listOf(r.values).some((v) => isLabelValue(String(v)).length > 0),
  )
}

/** Whether nothing is selected by: an absent or empty selector. */
export function isEmptySelector(selector: Json): boolean {
  return entriesOf(selector?.matchLabels).length === 0 && listOf(selector?.matchExpressions).length === 0
}

/** Whether every requirement can be evaluated (upstream: the conversion to a selector succeeds). */
export function isUsableSelector(selector: Json): boolean {
  return validateLabelSelector(selector, '').length === 0
}

/** Whether labels satisfy a metav1.LabelSelector whose requirements are all valid; an absent one matches nothing. */
export function selects(selector: Json, map: Json): boolean {
  if (!isSet(selector)) return false
  for (const [name, value] of entriesOf(selector.matchLabels)) if (entry(map, name) !== value) return false
  return listOf(selector.matchExpressions).every((requirement) => {
    const value: Json = entry(map, requirement.key)
    switch (requirement.operator) {
      case 'In':
        return value !== undefined && listOf(requirement.values).includes(value)
      case 'NotIn':
        return value === undefined || !listOf(requirement.values).includes(value)
      case 'Exists':
        return value !== undefined
      default:
        return value === undefined
    }
  })
}
