/** Deployments. */
import { child, forbidden, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { immutable, nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { defaultTemplate, fill } from '../pod/defaults.ts'
import { dropDisabled } from '../pod/prepare.ts'
import { shownSelector } from '../pod/shown.ts'
import { nameWarning, templateWarnings } from '../pod/warnings.ts'
import {
  atMost100Percent,
  counts,
  intOrPercent,
  notDecremented,
  numberOf,
  selectorAndTemplate,
  withinReplicas,
} from './workload.ts'

const RULES = { kind: 'ReplicaSet', empty: 'deployment' }

function defaults(deployment: Json): void {
  const spec: Json = (deployment.spec ??= {})
  defaultTemplate(spec)
  fill(spec, 'replicas', 1)
  const strategy: Json = (spec.strategy ??= {})
  fill(strategy, 'type', 'RollingUpdate')
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {}
    fill(strategy.rollingUpdate, 'maxUnavailable', '25%')
    fill(strategy.rollingUpdate, 'maxSurge', '25%')
  }
  fill(spec, 'revisionHistoryLimit', 10)
  fill(spec, 'progressDeadlineSeconds', 600)
}

function validate(deployment: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = deployment.spec ?? {}
  nonNegative(spec.replicas, 'spec.replicas', out)
  selectorAndTemplate(spec, old?.spec, RULES, 'spec', out)
  strategyOf(spec.strategy ?? {}, out)
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out)
  nonNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', out)
  const deadline: Json = spec.progressDeadlineSeconds
  if (isSet(deadline)) {
    nonNegative(deadline, 'spec.progressDeadlineSeconds', out)
    if (deadline <= (spec.minReadySeconds ?? 0)) {
      out.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'))
    }
  }
  return out
}

function strategyOf(strategy: Json, out: Errors): void {
  const path = 'spec.strategy'
  const rolling: Json = strategy.rollingUpdate
  const at = child(path, 'rollingUpdate')
  switch (strategy.type) {
    case 'Recreate':
      if (isSet(rolling)) out.push(forbidden(at, "may not be specified when strategy `type` is 'Recreate'"))
      return
    case 'RollingUpdate': {
      if (!isSet(rolling)) {
        out.push(required(at, 'this should be defaulted and never be nil'))
        return
      }
      const { maxUnavailable, maxSurge } = rolling
      intOrPercent(maxUnavailable, child(at, 'maxUnavailable'), out)
      intOrPercent(maxSurge, child(at, 'maxSurge'), out)
      if (numberOf(maxUnavailable) === 0 && numberOf(maxSurge) === 0) {
        const detail = 'may not be 0 when `maxSurge` is 0'
        out.push(invalid(child(at, 'maxUnavailable'), maxUnavailable ?? 0, detail))
      }
      atMost100Percent(maxUnavailable, child(at, 'maxUnavailable'), out)
      return
    }
    default: {
      const shownRolling = isSet(rolling)
        ? { MaxUnavailable: rolling.maxUnavailable ?? 0, MaxSurge: rolling.maxSurge ?? 0 }
        : null
      const shown = { Type: strategy.type ?? '', RollingUpdate: shownRolling }
      out.push(notSupported(path, shown, ['Recreate', 'RollingUpdate']))
    }
  }
}

export const deploymentRules: KindRules = {
  warnings: (object, old) => [
    ...(old === undefined ? nameWarning(object.metadata.name ?? '') : []),
    ...templateWarnings(object, old, (object['spec'] as Json)?.template, 'spec.template'),
  ],
  defaults,
  prepareCreate: (deployment) => {
    deployment['status'] = {}
    dropDisabled((deployment['spec'] as Json).template.spec)
  },
  prepareUpdate: (deployment, old) => {
    deployment['status'] = old['status']
    dropDisabled((deployment['spec'] as Json).template.spec, (old['spec'] as Json)?.template?.spec)
  },
  prepareStatus: (deployment, old) => {
    deployment['spec'] = old['spec']
    deployment.metadata = { ...deployment.metadata }
    if (old.metadata.labels === undefined) delete deployment.metadata.labels
    else deployment.metadata.labels = old.metadata.labels
  },
  validate,
  validateUpdate: (deployment, old) => {
    const out: Errors = []
    const now: Json = (deployment['spec'] as Json)?.selector
    immutable(now, (old['spec'] as Json)?.selector, 'spec.selector', out, shownSelector(now))
    return out
  },
  validateStatus: (deployment, old) => {
    const out: Errors = []
    const status: Json = deployment['status'] ?? {}
    const fields = ['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas', 'unavailableReplicas']
    counts(status, ['observedGeneration', ...fields, 'terminatingReplicas', 'collisionCount'], out)
    withinReplicas(status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], out)
    notDecremented(status, old['status'], out)
    return out
  },
  generation: (deployment) => [deployment['spec'], deployment.metadata.annotations],
}
