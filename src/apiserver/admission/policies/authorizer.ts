/** The variables `authorizer` and `authorizer.requestResource`: what whoever writes, or a service account, may do. */
import type { CelAuthorizer } from '../../../machinery/cel/contract.ts'
import { AuthorizerValue, requestResource } from '../../../machinery/cel/library/authz.ts'
import type { Attributes, Decision, UserInfo } from '../../contract.ts'
import type { AdmissionRequest } from '../contract.ts'
import type { View } from '../match/view.ts'

type Asked = Parameters<CelAuthorizer['authorize']>[0]

export function authorizerValues(view: View): Readonly<Record<string, unknown>> {
  const authorizer: CelAuthorizer = { authorize: (asked) => decide(view.request, asked) }
  const { info } = view.requested
  const { name, namespace, subresource } = view
  return {
    authorizer: new AuthorizerValue(authorizer),
    'authorizer.requestResource': requestResource(authorizer, {
      group: info.group,
      resource: info.resource,
      subresource,
      namespace,
      name,
    }),
  }
}

function decide({ call, state }: AdmissionRequest, asked: Asked): Decision {
  const user = asked.user === undefined ? call.user : accountOf(asked.user)
  return state.authorizer.authorize({ user, ...attributesOf(asked) })
}

function attributesOf({ verb, path, group = '', resource = '', ...more }: Asked): Omit<Attributes, 'user'> {
  if (path !== undefined) return { verb, path }
  const { subresource = '', namespace = '', name = '' } = more
  return { verb, group, version: '*', resource, subresource, namespace, name }
}

function accountOf({ namespace, serviceAccount }: NonNullable<Asked['user']>): UserInfo {
  return {
    name: `system:serviceaccount:${namespace}:${serviceAccount}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  }
}
