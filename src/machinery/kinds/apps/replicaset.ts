/** ReplicaSets. */
import type { FieldError } from '../../field.ts'
import { immutable, nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import type { Json } from '../json.ts'
import { defaultTemplate, fill } from '../pod/defaults.ts'
import { dropDisabled } from '../pod/prepare.ts'
import { shownSelector } from '../pod/shown.ts'
import { nameWarning, templateWarnings } from '../pod/warnings.ts'
import { counts, selectorAndTemplate, withinReplicas } from './workload.ts'

const RULES = { kind: 'ReplicaSet', empty: 'deployment' }

function validate(set: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = set.spec ?? {}
  nonNegative(spec.replicas, 'spec.replicas', out)
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out)
  selectorAndTemplate(spec, old?.spec, RULES, 'spec', out)
  return out
}

export const replicaSetRules: KindRules = {
  warnings: (object, old) => [
    ...(old === undefined ? nameWarning(object.metadata.name ?? '') : []),
    ...templateWarnings(object, old, (object['spec'] as Json)?.template, 'spec.template'),
  ],
  defaults: (set) => {
    const spec: Json = (set['spec'] ??= {})
    defaultTemplate(spec)
    fill(spec, 'replicas', 1)
  },
  prepareCreate: (set) => {
    set['status'] = { replicas: 0 }
    dropDisabled((set['spec'] as Json).template.spec)
  },
  prepareUpdate: (set, old) => {
    set['status'] = old['status']
    dropDisabled((set['spec'] as Json).template.spec, (old['spec'] as Json)?.template?.spec)
  },
  validate,
  validateUpdate: (set, old) => {
    const out: Errors = []
    const now: Json = (set['spec'] as Json)?.selector
    immutable(now, (old['spec'] as Json)?.selector, 'spec.selector', out, shownSelector(now))
    return out
  },
  validateStatus: (set) => {
    const out: Errors = []
    const status: Json = set['status'] ?? {}
    const fields = ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']
    counts(status, [...fields, 'observedGeneration', 'terminatingReplicas'], out)
    withinReplicas(status, fields.slice(1), out)
    return out
  },
  generation: (set) => set['spec'] as unknown,
}
