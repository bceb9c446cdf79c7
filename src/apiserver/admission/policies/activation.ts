/** What expressions read of a write: the values of the variables that machinery/policy declares. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { Values } from '../../../machinery/policy/evaluate.ts'
import type { ServedResource } from '../../contract.ts'
import { requestOf } from '../match/request.ts'
import type { View } from '../match/view.ts'
import { isNamespaces } from '../match/view.ts'
import { authorizerValues } from './authorizer.ts'

/**
 * The values for a request that matched in the version of `matched`. Match conditions get no namespace, and the
 * request's resource as the URL has it.
 */
export function activate(view: View, matched: ServedResource, params: KubeObject | null, conditions: boolean): Values {
  const { object, old } = view.in(matched)
  const resource = conditions ? view.requested : matched
  return {
    object,
    oldObject: old,
    request: requestOf(view, resource, matched),
    namespaceObject: conditions ? null : namespaceOf(view),
    params,
    ...authorizerValues(view),
  }
}

/** The namespace of the object, as far as expressions may see it. Null for cluster-wide objects and namespaces. */
function namespaceOf(view: View): object | null {
  if (view.namespace === '' || isNamespaces(view.requested)) return null
  const found = view.request.state.find('', 'namespaces', '', view.namespace)
  if (found === undefined) return null
  const { ownerReferences: _owners, managedFields: _managers, selfLink: _link, ...metadata } = found.metadata
  return { metadata, spec: found['spec'] ?? {}, status: found['status'] ?? {} }
}
