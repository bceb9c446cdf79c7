/** DaemonSets. */
import { child, forbidden, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { immutable, nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { sameAs } from '../equal.ts'
import { entry, isSet, setEntry, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { isEmptySelector, isUsableSelector, selects, validateLabelSelector } from '../labels.ts'
import { defaultTemplate, fill } from '../pod/defaults.ts'
import { dropDisabled } from '../pod/prepare.ts'
import { shownSelector } from '../pod/shown.ts'
import { templateWarnings } from '../pod/warnings.ts'
import { validateTemplate } from '../pod/validate.ts'
import { atMost100Percent, counts, intOrPercent, notDecremented, numberOf } from './workload.ts'

const COUNTS = ['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady']
/** Where v1 keeps the number of template changes, which is a field of upstream's internal type. */
export const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

function defaults(set: Json): void {
  const spec: Json = (set.spec ??= {})
  defaultTemplate(spec)
  const strategy: Json = (spec.updateStrategy ??= {})
  fill(strategy, 'type', 'RollingUpdate')
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {}
    strategy.rollingUpdate.maxUnavailable ??= 1
    strategy.rollingUpdate.maxSurge ??= 0
  }
  fill(spec, 'revisionHistoryLimit', 10)
  const asked = Number(entry(set.metadata.annotations, TEMPLATE_GENERATION) ?? 0)
  templateGeneration(set, String(Number.isSafeInteger(asked) ? asked : 0))
}

/** v1 keeps the number of template changes in an annotation. */
function templateGeneration(set: Json, generation: string): void {
  set.metadata.annotations = { ...set.metadata.annotations }
  setEntry(set.metadata.annotations, TEMPLATE_GENERATION, generation)
}

function validate(set: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = set.spec ?? {}
  const path = 'spec.selector'
  if (isSet(spec.selector)) out.push(...validateLabelSelector(spec.selector, path))
  const labels: Json = spec.template?.metadata?.labels
  if (isUsableSelector(spec.selector) && !selects(spec.selector, labels)) {
    const detail = '`selector` does not match template `labels`'
    out.push(invalid('spec.template.metadata.labels', sortedMap(labels), detail))
  }
  if (isSet(spec.selector) && isEmptySelector(spec.selector)) {
    out.push(invalid(path, shownSelector(spec.selector), 'empty selector is invalid for daemonset'))
  }
  validateTemplate(spec.template ?? {}, 'spec.template', out, old?.spec?.template)
  const restart: string = spec.template?.spec?.restartPolicy ?? ''
  if (restart !== 'Always') out.push(notSupported('spec.template.spec.restartPolicy', restart, ['Always']))
  if (isSet(spec.template?.spec?.activeDeadlineSeconds)) {
    const detail = 'activeDeadlineSeconds in DaemonSet is not Supported'
    out.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail))
  }
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out)
  updateStrategy(spec.updateStrategy ?? {}, out)
  nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', out)
  return out
}

function updateStrategy(strategy: Json, out: Errors): void {
  const path = 'spec.updateStrategy'
  const rolling: Json = strategy.rollingUpdate
  if (strategy.type === 'OnDelete') return
  if (strategy.type !== 'RollingUpdate') {
    const shownRolling = isSet(rolling)
      ? { MaxUnavailable: rolling.maxUnavailable ?? 0, MaxSurge: rolling.maxSurge ?? 0 }
      : null
    const shown = { Type: strategy.type ?? '', RollingUpdate: shownRolling }
    out.push(notSupported(path, shown, ['RollingUpdate', 'OnDelete']))
    return
  }
  const at = child(path, 'rollingUpdate')
  if (!isSet(rolling)) {
    out.push(required(at))
    return
  }
  const fields = ['maxUnavailable', 'maxSurge']
  for (const field of fields) intOrPercent(rolling[field], child(at, field), out)
  for (const field of fields) atMost100Percent(rolling[field], child(at, field), out)
  const [unavailable, surge] = fields.map((field) => numberOf(rolling[field]) !== 0)
  if (unavailable === true && surge === true) {
    out.push(invalid(child(at, 'maxSurge'), rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'))
  } else if (unavailable !== true && surge !== true) {
    out.push(required(child(at, 'maxUnavailable'), 'cannot be 0 when maxSurge is 0'))
  }
}

export const daemonSetRules: KindRules = {
  warnings: (object, old) => templateWarnings(object, old, (object['spec'] as Json)?.template, 'spec.template'),
  defaults,
  prepareCreate: (set) => {
    set['status'] = Object.fromEntries(COUNTS.map((field) => [field, 0]))
    const asked = Number(entry(set.metadata.annotations, TEMPLATE_GENERATION))
    templateGeneration(set, asked >= 1 ? String(asked) : '1')
    dropDisabled((set['spec'] as Json).template.spec)
  },
  prepareUpdate: (set, old) => {
    set['status'] = old['status']
    const before = Number(entry(old.metadata.annotations, TEMPLATE_GENERATION) ?? 0)
    const [now, was]: [Json, Json] = [(set['spec'] as Json)?.template, (old['spec'] as Json)?.template]
    dropDisabled(now.spec, was?.spec)
    templateGeneration(set, String(sameAs('io.k8s.api.core.v1.PodTemplateSpec', now, was) ? before : before + 1))
  },
  prepareStatus: (set, old) => {
    set['spec'] = old['spec']
    // The annotation is a part of the spec that v1 has no field for.
    templateGeneration(set, entry(old.metadata.annotations, TEMPLATE_GENERATION) ?? '0')
  },
  validate,
  validateUpdate: (set, old) => {
    const out: Errors = []
    const now: Json = (set['spec'] as Json)?.selector
    immutable(now, (old['spec'] as Json)?.selector, 'spec.selector', out, shownSelector(now))
    return out
  },
  validateStatus: (set, old) => {
    const out: Errors = []
    const more = ['updatedNumberScheduled', 'numberAvailable', 'numberUnavailable', 'collisionCount']
    counts(set['status'] as Json, [...COUNTS, 'observedGeneration', ...more], out)
    notDecremented(set['status'], old['status'], out)
    return out
  },
  generation: (set) => set['spec'] as unknown,
}
