/** What Deployments, ReplicaSets and their relatives share. */
import { child, forbidden, invalid, notSupported, required } from '../../field.ts'
import { isPercent } from '../../names.ts'
import { each, nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { isEmptySelector, isUsableSelector, selects, validateLabelSelector } from '../labels.ts'
import { shownSelector } from '../pod/shown.ts'
import { validateTemplate } from '../pod/validate.ts'

/** A number that is not negative, or a percentage. */
export function intOrPercent(value: Json, path: string, out: Errors): void {
  if (typeof value === 'string') each(isPercent(value), path, value, out)
  else nonNegative(value, path, out)
}

/** `25%` → 25; other texts are none. */
function percentOf(value: Json): number | undefined {
  return typeof value === 'string' && isPercent(value).length === 0 ? Number(value.slice(0, -1)) : undefined
}

/** The number in `3` and `3%`; 0 where there is none. */
export function numberOf(value: Json): number {
  const percent = percentOf(value)
  if (percent !== undefined) return percent
  const number = Number(value ?? 0)
  return Number.isInteger(number) ? number : 0
}

export function atMost100Percent(value: Json, path: string, out: Errors): void {
  if ((percentOf(value) ?? 0) > 100) out.push(invalid(path, value, 'must not be greater than 100%'))
}

/** What differs between workloads. */
export interface WorkloadRules {
  /** As messages name it. */
  readonly kind: string
  /** As the message on an empty selector names it. */
  readonly empty: string
}

/** The selector, that it selects the template, and the template. */
export function selectorAndTemplate(spec: Json, old: Json, rules: WorkloadRules, path: string, out: Errors): void {
  const selector: Json = spec.selector
  const at = child(path, 'selector')
  if (!isSet(selector)) out.push(required(at))
  else {
    out.push(...validateLabelSelector(selector, at))
    if (isEmptySelector(selector)) {
      out.push(invalid(at, shownSelector(selector), `empty selector is invalid for ${rules.empty}`))
    }
  }
  if (!isUsableSelector(selector)) {
    out.push(invalid(at, shownSelector(selector), 'invalid label selector'))
    return
  }
  const template: Json = spec.template ?? {}
  const templatePath = child(path, 'template')
  // A selector that is absent or has only matchLabels and is empty asks nothing of the template.
  if ((!isSet(selector) || !isEmptySelector(selector)) && !selects(selector, template.metadata?.labels)) {
    const shown = sortedMap(template.metadata?.labels)
    out.push(invalid(`${templatePath}.metadata.labels`, shown, '`selector` does not match template `labels`'))
  }
  validateTemplate(template, templatePath, out, old?.template)
  const policy: string = template.spec?.restartPolicy ?? ''
  if (policy !== 'Always') out.push(notSupported(`${templatePath}.spec.restartPolicy`, policy, ['Always']))
  if (isSet(template.spec?.activeDeadlineSeconds)) {
    const detail = `activeDeadlineSeconds in ${rules.kind} is not Supported`
    out.push(forbidden(`${templatePath}.spec.activeDeadlineSeconds`, detail))
  }
}

/** Counts in a status that may not be negative. */
export function counts(status: Json, fields: readonly string[], out: Errors): void {
  for (const field of fields) nonNegative(status?.[field], child('status', field), out)
}

/** Counts in a status that may not be above `replicas`; what is available is ready, too, as `ready` tells it. */
export function withinReplicas(status: Json, fields: readonly string[], out: Errors, ready = 'readyReplicas'): void {
  const replicas: number = status?.replicas ?? 0
  for (const field of fields) {
    const count: number = status?.[field] ?? 0
    if (count > replicas) out.push(invalid(child('status', field), count, 'cannot be greater than status.replicas'))
  }
  const available: number = status?.availableReplicas ?? 0
  if (available > (status?.readyReplicas ?? 0)) {
    out.push(invalid('status.availableReplicas', available, `cannot be greater than ${ready}`))
  }
}

/** `collisionCount` only grows. */
export function notDecremented(now: Json, old: Json, out: Errors): void {
  if (!isSet(old?.collisionCount)) return
  if (!isSet(now?.collisionCount) || now.collisionCount < old.collisionCount) {
    out.push(invalid('status.collisionCount', now?.collisionCount ?? 0, 'cannot be decremented'))
  }
}
