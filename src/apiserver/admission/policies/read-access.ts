/**
 * Who makes a policy see parameters must be able to read them: the kind of a policy's parameters, and the objects that
 * a binding refers to. Upstream checks this in its registry, behind the mutating and before the validating plug-ins.
 */
import { forbidden } from '../../../machinery/field.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import { parseApiVersion } from '../../../machinery/object.ts'
import { errors } from '../../../machinery/status.ts'
import { equalJson } from '../../../machinery/equality.ts'
import type { UserInfo } from '../../contract.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../contract.ts'
import { GROUP } from '../match/configured.ts'
import type { ParamKind } from './params.ts'
import { paramResource } from './params.ts'
import type { BindingSpec, PolicySpec } from './spec.ts'
import { specOf } from './spec.ts'

const BINDINGS = /^(?:validating|mutating)admissionpolicybindings$/
const POLICIES = /^(?:validating|mutating)admissionpolicies$/

export const policyReadAccess: AdmissionPlugin = {
  name: 'AdmissionPolicyReadAccess',
  handles: (operation, { group, resource }, subresource) =>
    operation !== 'DELETE' &&
    subresource === '' &&
    group === GROUP &&
    (BINDINGS.test(resource) || POLICIES.test(resource)),
  validate(request) {
    if (request.call.user.groups.includes('system:masters')) return
    if (BINDINGS.test(request.resource.info.resource)) checkBinding(request)
    else checkPolicy(request)
  },
}

function checkPolicy(request: AdmissionRequest): void {
  const { object, old } = request
  const { paramKind } = specOf<PolicySpec>(object)
  if (paramKind === undefined) return
  if (old !== undefined && equalJson(specOf<PolicySpec>(old).paramKind, paramKind)) return
  if (mayRead(request, paramKind, 'get', '*', '*')) return
  const { kind = '', apiVersion = '' } = paramKind
  const text = `must have "get" permission on all objects of the referenced paramKind (kind=${kind}, apiVersion=${apiVersion})`
  refuse(request, 'spec.paramKind', `user ${userText(request.call.user)} ${text}`)
}

function checkBinding(request: AdmissionRequest): void {
  const { object, old, resource, state } = request
  const { paramRef, policyName = '' } = specOf<BindingSpec>(object)
  if (paramRef === undefined) return
  const before = old === undefined ? undefined : specOf<BindingSpec>(old)
  if (before !== undefined && before.policyName === policyName && equalJson(before.paramRef, paramRef)) return
  const { name = '', namespace = '' } = paramRef
  const verb = name === '' ? 'list' : 'get'
  const policies = resource.info.resource.replace(/ybindings$/, 'ies')
  const policy = state.find(GROUP, policies, '', policyName)
  const paramKind = policy === undefined ? undefined : specOf<PolicySpec>(policy).paramKind
  if (mayRead(request, paramKind, verb, namespace, name)) return
  const user = userText(request.call.user)
  const everything = `user ${user} does not have "${verb}" permission for all groups, versions and resources`
  let text = `user ${user} does not have "${verb}" permission on the object referenced by paramRef`
  if (policy === undefined)
    text = `unable to get policy ${policyName} to determine minimum required permissions and ${everything}`
  else if (paramKind !== undefined && paramResource(state.catalog, paramKind) === undefined) {
    text = `unable to resolve paramKind ${kindText(paramKind)} to determine minimum required permissions and ${everything}`
  }
  refuse(request, 'spec.paramRef', text)
}

/** What cannot be told is asked for as a whole. */
function mayRead(
  { call, state }: AdmissionRequest,
  kind: ParamKind | undefined,
  verb: string,
  namespace: string,
  name: string,
): boolean {
  const of = kind === undefined ? undefined : parseApiVersion(kind.apiVersion ?? '')
  const served = kind === undefined ? undefined : paramResource(state.catalog, kind)
  const { group = '*', version = '*' } = of ?? {}
  const resource = served?.info.resource ?? '*'
  return state.authorizer.authorize({ user: call.user, verb, group, version, resource, namespace, name }).allowed
}

function refuse({ object, resource }: AdmissionRequest, path: string, text: string): never {
  const { group, kind } = resource.info
  throw errors.invalid({ group, kind }, nameOf(object), [forbidden(path, text)])
}

const nameOf = ({ metadata }: KubeObject): string => metadata.name ?? ''

/** A user as Go prints it. */
function userText({ name, uid = '', groups, extra = {} }: UserInfo): string {
  const more = Object.entries(extra).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const shown = more.map(([key, values]) => `${key}:[${values.join(' ')}]`).join(' ')
  return `&{${name} ${uid} [${groups.join(' ')}] map[${shown}]}`
}

/** A kind as Go prints it. */
const kindText = ({ apiVersion = '', kind = '' }: ParamKind): string =>
  `&ParamKind{APIVersion:${apiVersion},Kind:${kind},}`
