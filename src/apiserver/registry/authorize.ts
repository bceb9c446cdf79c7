/** The question every verb asks first. */
import type { Attributes, Authorizer, Call, ServedResource, Target } from '../contract.ts'
import { noteDecision } from '../audit/decision.ts'
import { forbidden } from '../authz/forbidden.ts'
import { errors } from '../../machinery/status.ts'
import { groupResource } from './core.ts'

/** Refuses a verb that the resource does not have. @throws StatusError 405 */
export function requireVerb(served: ServedResource, verb: string, subresource = ''): void {
  const verbs = subresource === '' ? served.info.verbs : served.subresources.get(subresource)?.verbs
  if (verbs === undefined) throw errors.notFoundPath()
  if (!verbs.includes(verb)) throw errors.methodNotAllowed(groupResource(served), verb)
}

/** @throws StatusError 403 in upstream's words, when the user may not do this. */
export function authorize(
  authorizer: Authorizer,
  call: Call,
  verb: string,
  target: Target,
  name = target.name,
  fieldSelector = '',
): void {
  const { info } = target.resource
  const attributes: Attributes = {
    user: call.user,
    verb,
    group: info.group,
    version: info.version,
    resource: info.resource,
    ...(target.subresource === undefined || target.subresource === '' ? {} : { subresource: target.subresource }),
    namespace: namespaceOf(target),
    name,
    ...(fieldSelector !== '' && { fieldSelector }),
  }
  const decision = authorizer.authorize(attributes)
  if (call.audit !== undefined) noteDecision(call.audit, decision)
  if (!decision.allowed) throw forbidden(attributes, decision.reason)
}

/** Requests about one namespace object carry its name as their namespace, as RequestInfo has it. */
function namespaceOf(target: Target): string {
  if (target.resource.info.namespaced) return target.namespace
  return target.resource.prefix === 'core/namespaces/' ? target.name : ''
}
