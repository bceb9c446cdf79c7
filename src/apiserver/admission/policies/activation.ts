/** What expressions read of a write: the values of the variables that machinery/policy declares. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { Values } from '../../../machinery/policy/evaluate.ts'
import type { Call, DeleteOptions, ServedResource, UserInfo } from '../../contract.ts'
import type { View } from '../match/view.ts'
import { isNamespaces, kindOf } from '../match/view.ts'
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

const text = (name: string, value: string): object => (value === '' ? {} : { [name]: value })

function requestOf(view: View, resource: ServedResource, matched: ServedResource): object {
  const { subresource, requested, operation, request } = view
  const { call, options } = request
  return {
    kind: kindOf(matched, subresource),
    resource: resourceOf(resource),
    ...text('subResource', subresource),
    requestKind: kindOf(requested, subresource),
    requestResource: resourceOf(requested),
    ...text('requestSubResource', subresource),
    ...text('name', view.name),
    ...text('namespace', view.namespace),
    operation,
    userInfo: userOf(call.user),
    dryRun: call.dryRun === true,
    options: optionsOf(operation, call, options),
  }
}

function resourceOf({ info }: ServedResource): object {
  const { group, version, resource } = info
  return { group, version, resource }
}

function userOf({ name, uid = '', groups, extra = {} }: UserInfo): object {
  return {
    ...text('username', name),
    ...text('uid', uid),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const

/** The options of the call as a meta.k8s.io object. */
function optionsOf(operation: keyof typeof OPTIONS, call: Call, options: DeleteOptions = {}): object {
  const head = { kind: OPTIONS[operation], apiVersion: 'meta.k8s.io/v1' }
  const dryRun = call.dryRun === true ? { dryRun: ['All'] } : {}
  if (operation === 'DELETE') return { ...head, ...options, ...dryRun }
  return {
    ...head,
    ...dryRun,
    ...text('fieldManager', call.fieldManager ?? ''),
    ...text('fieldValidation', call.fieldValidation ?? ''),
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
