/** Kinds with few rules: service accounts, leases, priority classes, disruption budgets. */
import { child, forbidden, invalid, notSupported } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isQualifiedName } from '../../names.ts'
import { atMost100Percent, intOrPercent } from '../apps/workload.ts'
import { each, immutable, nonNegative, oneOf, requiredOneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { hasInvalidValue, validateLabelSelector } from '../labels.ts'
import { shownSelector } from '../pod/shown.ts'
import { conditions } from './conditions.ts'

/** Of the secrets only the names count. */
function secretNames(account: Json): void {
  if (isSet(account.secrets)) account.secrets = listOf(account.secrets).map(({ name }) => (name ? { name } : {}))
}

export const serviceAccountRules: KindRules = {
  prepareCreate: secretNames,
  prepareUpdate: secretNames,
  generation: false,
}

/** The fields of coordinated leader election, which is off by default. */
const COORDINATED = ['strategy', 'preferredHolder']

export const leaseRules: KindRules = {
  legacyFinalizers: false,
  prepareCreate: (lease) => {
    for (const field of COORDINATED) delete (lease['spec'] as Json)?.[field]
  },
  prepareUpdate: (lease, old) => {
    for (const field of COORDINATED) if (!isSet((old['spec'] as Json)?.[field])) delete (lease['spec'] as Json)?.[field]
  },
  validate: (lease): FieldError[] => {
    const out: Errors = []
    const spec: Json = lease['spec'] ?? {}
    const duration: Json = spec.leaseDurationSeconds
    if (isSet(duration) && duration <= 0) {
      out.push(invalid('spec.leaseDurationSeconds', duration, 'must be greater than 0'))
    }
    nonNegative(spec.leaseTransitions, 'spec.leaseTransitions', out)
    const strategy: Json = spec.strategy
    if (isSet(strategy)) {
      if (String(strategy).includes('/')) each(isQualifiedName(strategy), 'spec.strategy.strategy', strategy, out)
      else if (strategy !== 'OldestEmulationVersion') {
        out.push(notSupported('spec.strategy.strategy', strategy, ['OldestEmulationVersion']))
      }
    }
    if (spec.preferredHolder && !strategy) {
      out.push(forbidden('spec.preferredHolder', 'may only be specified if `strategy` is defined'))
    }
    return out
  },
  generation: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
}

const HIGHEST_USER_PRIORITY = 1_000_000_000
const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

/** Why a class with a reserved name is none of Kubernetes' own; undefined when it is. */
function whyNotSystem(name: string, value: number, globalDefault: boolean): string | undefined {
  if (!Object.hasOwn(SYSTEM_PRIORITIES, name)) return `${name} is not a known system priority class`
  const wanted = SYSTEM_PRIORITIES[name]!
  if (value !== wanted) return `value of ${name} PriorityClass must be ${wanted}`
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined
}

export const priorityClassRules: KindRules = {
  defaults: (priorityClass) => {
    if (!isSet(priorityClass['preemptionPolicy'])) priorityClass['preemptionPolicy'] = 'PreemptLowerPriority'
  },
  validate: (priorityClass, old): FieldError[] => {
    const out: Errors = []
    // Of an update only what it changes is asked.
    if (old !== undefined) return out
    const name = priorityClass.metadata.name ?? ''
    const value: number = (priorityClass['value'] as Json) ?? 0
    if (name.startsWith('system-')) {
      const why = whyNotSystem(name, value, priorityClass['globalDefault'] === true)
      if (why !== undefined) {
        const detail = `priority class names with 'system-' prefix are reserved for system use only. error: ${why}`
        out.push(forbidden('metadata.name', detail))
      }
    } else if (value > HIGHEST_USER_PRIORITY) {
      out.push(forbidden('value', `maximum allowed value of a user defined priority is ${HIGHEST_USER_PRIORITY}`))
    }
    const policy: Json = priorityClass['preemptionPolicy']
    if (isSet(policy)) requiredOneOf(policy, ['PreemptLowerPriority', 'Never'], 'preemptionPolicy', out)
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    if ((now['value'] ?? 0) !== (old['value'] ?? 0)) out.push(forbidden('value', 'may not be changed in an update.'))
    immutable(now['preemptionPolicy'], old['preemptionPolicy'], 'preemptionPolicy', out)
    return out
  },
  generation: () => 0,
}

function validateBudget(budget: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = budget.spec ?? {}
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  if (isSet(minAvailable) && isSet(maxUnavailable)) {
    const shown = {
      MinAvailable: minAvailable,
      Selector: shownSelector(spec.selector),
      MaxUnavailable: maxUnavailable,
      UnhealthyPodEvictionPolicy: policy ?? null,
    }
    out.push(invalid('spec', shown, 'minAvailable and maxUnavailable cannot be both set'))
  }
  for (const field of ['minAvailable', 'maxUnavailable']) {
    if (!isSet(spec[field])) continue
    intOrPercent(spec[field], child('spec', field), out)
    atMost100Percent(spec[field], child('spec', field), out)
  }
  const rules = { allowInvalidValues: old !== undefined && hasInvalidValue(old.spec?.selector) }
  out.push(...validateLabelSelector(spec.selector, 'spec.selector', rules))
  if (isSet(policy)) oneOf(policy, ['AlwaysAllow', 'IfHealthyBudget'], 'spec.unhealthyPodEvictionPolicy', out)
  return out
}

const BUDGET_COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods']

export const disruptionBudgetRules: KindRules = {
  name: 'path',
  legacyFinalizers: false,
  prepareCreate: (budget) => {
    budget['status'] = Object.fromEntries(BUDGET_COUNTS.map((field) => [field, 0]))
  },
  prepareUpdate: (budget, old) => {
    budget['status'] = old['status']
  },
  validate: validateBudget,
  validateStatus: (budget, old) => {
    const out: Errors = []
    const status: Json = budget['status'] ?? {}
    if (!same(status.conditions, (old['status'] as Json)?.conditions))
      conditions(status.conditions, 'status.conditions', out)
    for (const field of BUDGET_COUNTS) nonNegative(status[field], child('status', field), out)
    return out
  },
  generation: (budget) => budget['spec'] as unknown,
  unconditionalUpdate: false,
}
