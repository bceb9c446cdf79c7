/** ValidatingAdmissionPolicy. */
import { child, duplicate, index, invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import type { Scope } from '../../policy/environment.ts'
import { PathError, compilePath } from '../../schema/path.ts'
import type { Steps } from '../../schema/steps.ts'
import type { Errors } from '../checks.ts'
import { oneOf, qualifiedName } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { conditions } from '../core/conditions.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { expression, variables } from './expressions.ts'
import { defaultPolicy, policySpec, staticName, staticNameWarnings } from './policy.ts'

const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const MOST_ANNOTATIONS = 20
const MOST_VALUE_BYTES = 5 * 1024
const SOMETHING = 'validations or auditAnnotations must contain at least one item'

function* validation(item: Json, scope: Scope, path: string, out: Errors): Steps<void> {
  const { expression: text = '', message = '', messageExpression = '' } = item as Record<string, string>
  if (text.trim() === '') out.push(required(child(path, 'expression'), 'expression is not specified'))
  else yield* expression(text, scope, 'bool', child(path, 'expression'), out)
  const at = child(path, 'messageExpression')
  if (messageExpression !== '' && messageExpression.trim() === '') {
    out.push(invalid(at, messageExpression, 'must be non-empty if specified'))
  } else if (messageExpression !== '') {
    yield* expression(messageExpression, { ...scope, authorizer: false }, 'string', at, out)
  }
  const shown = message.trim()
  if (message !== '' && shown === '') {
    out.push(invalid(child(path, 'message'), message, 'must be non-empty if specified'))
  } else if (/[\n\r]/.test(shown)) {
    out.push(invalid(child(path, 'message'), message, 'must not contain line breaks'))
  }
  if (isSet(item.reason)) oneOf(item.reason, REASONS, child(path, 'reason'), out)
}

function* auditAnnotation(item: Json, name: string, scope: Scope, path: string, out: Errors): Steps<void> {
  const at = child(path, 'key')
  const key: string = item.key ?? ''
  if (name === '') out.push(invalid(at, key, 'requires metadata.name be non-empty'))
  else qualifiedName(`${name}/${key}`, at, out)
  const value: string = item.valueExpression ?? ''
  const text = value.trim()
  const place = child(path, 'valueExpression')
  if (text === '') out.push(required(place, 'valueExpression is not specified'))
  else if (Buffer.byteLength(text) > MOST_VALUE_BYTES) {
    out.push(required(place, `must not exceed ${MOST_VALUE_BYTES} bytes in length`))
  } else yield* expression(text, scope, 'string or null', place, out, value)
}

function* auditAnnotations(list: readonly Json[], name: string, scope: Scope, out: Errors): Steps<void> {
  const path = 'spec.auditAnnotations'
  if (list.length > MOST_ANNOTATIONS) {
    out.push(invalid(path, list, `must not have more than ${MOST_ANNOTATIONS} auditAnnotations`))
  }
  const keys = new Set<string>()
  for (const [i, item] of list.entries()) {
    yield* auditAnnotation(item, name, scope, index(path, i), out)
    const key: string = item.key ?? ''
    if (keys.has(key)) out.push(duplicate(child(index(path, i), 'key'), key))
    keys.add(key)
  }
}

function* validate(policy: Json, old?: Json): Steps<FieldError[]> {
  const out: Errors = []
  const spec: Json = policy.spec ?? {}
  yield* policySpec(spec, old?.spec, false, out)
  const composed = yield* variables(spec, 'spec', out)
  const scope: Scope = {
    params: isSet(spec.paramKind),
    authorizer: true,
    ...(listOf(spec.variables).length === 0 ? {} : { composed }),
  }
  const validations = listOf(spec.validations)
  const annotations = listOf(spec.auditAnnotations)
  if (validations.length === 0 && annotations.length === 0) {
    out.push(required('spec.validations', SOMETHING), required('spec.auditAnnotations', SOMETHING))
  }
  for (const [i, item] of validations.entries()) yield* validation(item, scope, index('spec.validations', i), out)
  yield* auditAnnotations(annotations, policy.metadata.name ?? '', scope, out)
  if (old === undefined) staticName(policy, out)
  return out
}

function validateStatus(policy: Json): FieldError[] {
  const out: Errors = []
  const { typeChecking, conditions: list } = policy.status ?? {}
  listOf(typeChecking?.expressionWarnings).forEach((warning, i) => {
    const at = index('status.typeChecking.expressionWarnings', i)
    if (!warning.warning) out.push(required(child(at, 'warning')))
    const ref = String(warning.fieldRef ?? '').trim()
    if (ref === '') out.push(required(child(at, 'fieldRef')))
    else jsonPath(ref, child(at, 'fieldRef'), out)
  })
  conditions(list, 'status.conditions', out)
  return out
}

function jsonPath(text: string, path: string, out: Errors): void {
  try {
    compilePath(text)
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    out.push(invalid(path, text, `invalid JSONPath: ${error.message}`))
  }
}

export const validatingPolicyRules: KindRules = {
  defaults: defaultPolicy,
  prepareCreate: (policy) => {
    policy['status'] = {}
  },
  prepareUpdate: (policy, old) => {
    policy['status'] = old['status']
  },
  prepareStatus: (policy, old) => {
    policy['spec'] = old['spec']
    const { resourceVersion, managedFields } = policy.metadata
    policy.metadata = { ...old.metadata }
    for (const [field, value] of Object.entries({ resourceVersion, managedFields })) {
      if (value === undefined) delete (policy.metadata as Json)[field]
      else (policy.metadata as Json)[field] = value
    }
  },
  validateInSteps: validate,
  validateStatus,
  generation: (policy) => policy['spec'] as unknown,
  unconditionalUpdate: false,
  warnings: staticNameWarnings,
}
