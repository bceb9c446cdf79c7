/** A request as those outside see it: what webhooks are sent and what expressions read, without the objects. */
import type { ServedResource, UserInfo } from '../../contract.ts'
import type { View } from './view.ts'
import { kindOf } from './view.ts'

/** `resource` and `matched`: the resources that `resource` and `kind` name. Empty fields are absent, as in Go. */
export function requestOf(view: View, resource: ServedResource, matched: ServedResource): object {
  const { subresource, requested, operation, request } = view
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
    userInfo: userOf(request.call.user),
    dryRun: request.call.dryRun === true,
    options: optionsOf(view),
  }
}

const text = (name: string, value: string): object => (value === '' ? {} : { [name]: value })

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

const OPTIONS = {
  CREATE: 'CreateOptions',
  UPDATE: 'UpdateOptions',
  DELETE: 'DeleteOptions',
  CONNECT: undefined,
} as const

/** What the client gave, and no more, as a meta.k8s.io object. A connection has its options for its object. */
function optionsOf({ operation, request: { call, options } }: View): object | null {
  if (operation === 'CONNECT') return null
  const head = { kind: OPTIONS[operation], apiVersion: 'meta.k8s.io/v1' }
  const dryRun = call.dryRun === true ? { dryRun: ['All'] } : {}
  return operation === 'DELETE' ? { ...head, ...options, ...dryRun } : { ...head, ...dryRun, ...call.options }
}
