/** What validating and mutating admission policies have in common. */
import { child, invalid, notSupported, required } from '../../field.ts'
import type { Steps } from '../../schema/steps.ts'
import type { Errors } from '../checks.ts'
import { oneOf } from '../checks.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { conditionExpression } from './expressions.ts'
import { defaultMatchResources, matchConditions, matchResources } from './match.ts'
import { paramKind } from './params.ts'

const STATIC_SUFFIX = '.static.k8s.io'
const RESERVED = `names ending with "${STATIC_SUFFIX}" are reserved for static manifest-based configurations and cannot be managed via the API`
/** Mutations are for what is written. */
const MUTABLE = ['*', 'CONNECT', 'CREATE', 'UPDATE']

export function defaultPolicy(object: Json): void {
  const { spec } = object
  if (!isSet(spec)) return
  spec.failurePolicy ??= 'Fail'
  defaultMatchResources(spec.matchConstraints)
}

/** Everything of a policy's spec before its variables. */
export function* policySpec(spec: Json, old: Json, mutating: boolean, out: Errors): Steps<void> {
  if (!isSet(spec.failurePolicy)) out.push(required('spec.failurePolicy'))
  else oneOf(spec.failurePolicy, ['Fail', 'Ignore'], 'spec.failurePolicy', out)
  if (isSet(spec.paramKind)) paramKind(spec.paramKind, 'spec.paramKind', out)
  const constraints: Json = spec.matchConstraints
  if (!isSet(constraints)) out.push(required('spec.matchConstraints'))
  else {
    matchResources(constraints, 'spec.matchConstraints', out)
    if (listOf(constraints.resourceRules).length === 0) out.push(required('spec.matchConstraints.resourceRules'))
    if (mutating) mutableOperations(constraints, 'spec.matchConstraints', out)
  }
  // What was let in once is not asked again.
  const unchanged = isSet(old) && same(old.paramKind, spec.paramKind) && same(old.matchConditions, spec.matchConditions)
  if (unchanged) return
  const check = conditionExpression(isSet(spec.paramKind))
  yield* matchConditions(spec.matchConditions, 'spec.matchConditions', check, out)
}

export function mutableOperations(match: Json, path: string, out: Errors): void {
  for (const rule of listOf(match?.resourceRules)) {
    for (const operation of listOf(rule.operations)) {
      if (MUTABLE.includes(operation)) continue
      out.push(notSupported(child(path, 'resourceRules.operations'), operation, MUTABLE))
    }
  }
}

/** Names that only configuration files may use. */
export function staticName(object: Json, out: Errors): void {
  const name: string = object.metadata.name ?? ''
  if (name.endsWith(STATIC_SUFFIX)) out.push(invalid('metadata.name', name, RESERVED))
}

export function staticNameWarnings(object: Json, old: Json): string[] {
  const name: string = object.metadata.name ?? ''
  return old !== undefined && name.endsWith(STATIC_SUFFIX) ? [`metadata.name: ${RESERVED}`] : []
}
