/** Nobody grants what they do not have: writes of RBAC objects go through the escalation check. */
import type { RuleSource } from '../authz/rbac.ts'
import { checkEscalation } from '../authz/escalation.ts'
import { drive } from '../registry/steps.ts'
import type { AdmissionPlugin } from './contract.ts'

const KINDS = ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'] as const
type Kind = (typeof KINDS)[number]

const kindOf = (resource: string): Kind | undefined => KINDS.find((kind) => kind === resource)

/** Upstream checks this in its registry, behind the mutating and before the validating plug-ins; so does this. */
export function rbacEscalation(source: RuleSource): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    handles: (operation, info, subresource) =>
      operation !== 'DELETE' &&
      subresource === '' &&
      info.group === 'rbac.authorization.k8s.io' &&
      kindOf(info.resource) !== undefined,
    validate({ operation, resource, namespace, name, object, old, call, state }) {
      const steps = checkEscalation({
        user: call.user,
        resource: kindOf(resource.info.resource)!,
        namespace,
        urlName: operation === 'CREATE' ? '' : name,
        object,
        ...(old === undefined ? {} : { old }),
        authorizer: state.authorizer,
        source,
      })
      return drive(steps, call.seat)
    },
  }
}
