/** SubjectAccessReview, its local and self forms, and SelfSubjectRulesReview: questions to the authorizer. */
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import type { Authorizer, UserInfo } from '../contract.ts'
import { accessProblems, attributesOf, evaluationError, invalidReview, type AccessSpec } from './spec.ts'

/** @throws StatusError 422 */
export function reviewSubjectAccess(object: KubeObject, authorizer: Authorizer): KubeObject {
  return answered(object, checked(object, false, false), undefined, authorizer)
}

/** @param namespace of the URL. @throws StatusError 400, 422 */
export function reviewLocalSubjectAccess(object: KubeObject, namespace: string, authorizer: Authorizer): KubeObject {
  const spec = checked(object, true, false)
  if ((object.metadata.namespace ?? '') !== namespace) {
    throw errors.badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
  }
  return answered(object, spec, undefined, authorizer)
}

/** @throws StatusError 422 */
export function reviewSelfSubjectAccess(object: KubeObject, user: UserInfo, authorizer: Authorizer): KubeObject {
  return answered(object, checked(object, false, true), user, authorizer)
}

/** @throws StatusError 400 without a namespace */
export function reviewSelfSubjectRules(object: KubeObject, user: UserInfo, authorizer: Authorizer): KubeObject {
  const namespace = ((object['spec'] ?? {}) as { namespace?: string }).namespace ?? ''
  if (namespace === '') throw errors.badRequest('no namespace on request')
  const rules: ReturnType<Authorizer['rulesFor']> & { evaluationError?: string } = authorizer.rulesFor(user, namespace)
  const { resourceRules, nonResourceRules, incomplete, evaluationError: problem } = rules
  return {
    kind: 'SelfSubjectRulesReview',
    apiVersion: 'authorization.k8s.io/v1',
    metadata: {},
    spec: {},
    status: { resourceRules, nonResourceRules, incomplete, ...(problem !== undefined && { evaluationError: problem }) },
  }
}

function checked(object: KubeObject, local: boolean, self: boolean): AccessSpec {
  const spec = (object['spec'] ?? {}) as AccessSpec
  const problems = accessProblems(object, spec, local, self)
  if (problems.length > 0) throw invalidReview(problems)
  return spec
}

function answered(
  object: KubeObject,
  spec: AccessSpec,
  self: UserInfo | undefined,
  authorizer: Authorizer,
): KubeObject {
  const user = self ?? {
    name: spec.user ?? '',
    groups: spec.groups ?? [],
    ...(spec.uid !== undefined && { uid: spec.uid }),
    ...(spec.extra !== undefined && { extra: spec.extra }),
  }
  const { allowed, reason } = authorizer.authorize(attributesOf(spec, user))
  const problem = evaluationError(spec.resourceAttributes)
  const status = { allowed, ...(reason !== '' && { reason }), ...(problem !== '' && { evaluationError: problem }) }
  return { ...object, status }
}
