/** ValidatingAdmissionPolicyBinding and MutatingAdmissionPolicyBinding. */
import { index, invalid, required } from '../../field.ts'
import { isDns1123Subdomain } from '../../names.ts'
import { each, oneOf, unique } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { defaultMatchResources, matchResources } from './match.ts'
import { paramRef } from './params.ts'
import { mutableOperations, staticName, staticNameWarnings } from './policy.ts'

const ACTIONS = ['Audit', 'Deny', 'Warn']
const BOTH =
  'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)'

function validationActions(actions: readonly string[], out: Errors): void {
  const path = 'spec.validationActions'
  const seen = new Set<string>()
  actions.forEach((action, i) => {
    oneOf(action, ACTIONS, index(path, i), out)
    unique(seen, action, index(path, i), out)
  })
  if (seen.has('Deny') && seen.has('Warn')) out.push(invalid(path, actions, BOTH))
}

function rules(mutating: boolean): KindRules {
  return {
    defaults: (binding: Json) => defaultMatchResources(binding.spec?.matchResources),
    validate: (binding: Json, old) => {
      const out: Errors = []
      const spec: Json = binding.spec ?? {}
      const { policyName = '' } = spec
      if (policyName !== '') each(isDns1123Subdomain(policyName), 'spec.policyName', policyName, out)
      paramRef(spec.paramRef, 'spec.paramRef', out)
      matchResources(spec.matchResources, 'spec.matchResources', out)
      if (mutating) mutableOperations(spec.matchResources, 'spec.matchResources', out)
      else validationActions(listOf(spec.validationActions), out)
      // Upstream's declared rules come after those that are written by hand.
      if (policyName === '') out.push(required('spec.policyName'))
      if (!mutating && listOf(spec.validationActions).length === 0) out.push(required('spec.validationActions'))
      if (old === undefined) staticName(binding, out)
      return out
    },
    generation: (binding) => binding['spec'] as unknown,
    unconditionalUpdate: false,
    warnings: staticNameWarnings,
  }
}

export const validatingBindingRules = rules(false)
export const mutatingBindingRules = rules(true)
