/** MutatingAdmissionPolicy. */
import { child, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import type { Scope } from '../../policy/environment.ts'
import type { Steps } from '../../schema/steps.ts'
import type { Errors } from '../checks.ts'
import { requiredOneOf } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { expression, variables } from './expressions.ts'
import { defaultPolicy, policySpec, staticName, staticNameWarnings } from './policy.ts'

const PATCHES = {
  JSONPatch: { own: 'jsonPatch', other: 'applyConfiguration', rule: 'json patch' },
  ApplyConfiguration: { own: 'applyConfiguration', other: 'jsonPatch', rule: 'apply configuration' },
} as const

function* mutation(item: Json, scope: Scope, path: string, out: Errors): Steps<void> {
  const type: string = item.patchType ?? ''
  if (type === '') {
    out.push(required(child(path, 'patchType')))
    return
  }
  if (type !== 'JSONPatch' && type !== 'ApplyConfiguration') {
    out.push(notSupported(child(path, 'patchType'), type, ['ApplyConfiguration', 'JSONPatch']))
    return
  }
  const { own, other, rule } = PATCHES[type]
  const at = child(path, own)
  if (!isSet(item[own])) out.push(required(at, `must be specified when patchType is ${type}`))
  else {
    const text = String(item[own].expression ?? '').trim()
    if (text === '') out.push(required(child(at, 'expression')))
    else yield* expression(text, scope, rule, child(at, 'expression'), out)
  }
  if (isSet(item[other])) {
    out.push(invalid(child(path, other), `{${other}}`, `must not be specified when patchType is ${type}`))
  }
}

function* validate(policy: Json, old?: Json): Steps<FieldError[]> {
  const out: Errors = []
  const spec: Json = policy.spec ?? {}
  yield* policySpec(spec, old?.spec, true, out)
  const composed = yield* variables(spec, 'spec', out)
  const scope: Scope = { params: isSet(spec.paramKind), authorizer: true, composed }
  const mutations = listOf(spec.mutations)
  if (mutations.length === 0) out.push(required('spec.mutations', 'mutations must contain at least one item'))
  for (const [i, item] of mutations.entries()) yield* mutation(item, scope, index('spec.mutations', i), out)
  requiredOneOf(spec.reinvocationPolicy, ['IfNeeded', 'Never'], 'spec.reinvocationPolicy', out)
  if (old === undefined) staticName(policy, out)
  return out
}

export const mutatingPolicyRules: KindRules = {
  defaults: defaultPolicy,
  validateInSteps: validate,
  generation: (policy) => policy['spec'] as unknown,
  unconditionalUpdate: false,
  warnings: staticNameWarnings,
}
