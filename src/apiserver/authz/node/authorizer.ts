/** What kubelets may do: their own node, its lease, and what the pods that are bound to it need. */
import { parseFieldSelector } from '../../../machinery/selector/fields.ts'
import type { Range } from '../../../store/contract.ts'
import { parseRule } from '../../bootstrap/notation.ts'
import type { Attributes, Decision, UserInfo } from '../../contract.ts'
import { NODES, nodeOf } from '../../authn/username.ts'
import type { RbacAuthorizer } from '../rbac.ts'
import { ruleAllows } from '../rule.ts'
import { NodeGraph } from './graph.ts'

/** Upstream's NodeRules of 1.37, for what is not subdivided below. */
const RULES = [
  'create | authentication.k8s.io | tokenreviews',
  'create | authorization.k8s.io | subjectaccessreviews localsubjectaccessreviews',
  'get list watch | core | services',
  'create update patch | core events.k8s.io | events',
  'get | core | endpoints',
  'create get list watch | certificates.k8s.io | certificatesigningrequests',
  'get list watch | storage.k8s.io | csidrivers',
  'get list watch | node.k8s.io | runtimeclasses',
  'get list watch | certificates.k8s.io | clustertrustbundles',
].map(parseRule)

const allowed: Decision = Object.freeze({ allowed: true, reason: '' })
const silent: Decision = Object.freeze({ allowed: false, reason: '' })
const no = (reason: string): Decision => ({ allowed: false, reason })

type Judge = (graph: NodeGraph, node: string, asked: Attributes) => Decision

interface NodeAuthorizer {
  /** Undefined: not a node. */
  authorize(attributes: Attributes): Decision | undefined
  close(): void
}

function nodeAuthorizer(range: Range): NodeAuthorizer {
  let graph: NodeGraph | undefined
  return {
    authorize(attributes) {
      const node = identityOf(attributes.user)
      if (node === undefined) return undefined
      if (node === '') return no(`unknown node for user ${JSON.stringify(attributes.user.name)}`)
      graph ??= new NodeGraph(range)
      const { group = '', resource } = attributes
      const judge = resource === undefined ? undefined : judges.get(group === '' ? resource : `${resource}.${group}`)
      if (judge !== undefined) return judge(graph, node, attributes)
      return RULES.some((rule) => ruleAllows(rule, attributes)) ? allowed : silent
    },
    close: () => graph?.close(),
  }
}

/** Both in one, as `--authorization-mode=Node,RBAC`: whoever allows first; refusals tell all reasons. */
export function withNodes(roles: RbacAuthorizer, range: Range): RbacAuthorizer {
  const nodes = nodeAuthorizer(range)
  return {
    authorize(attributes) {
      const first = nodes.authorize(attributes)
      if (first?.allowed === true) return first
      const second = roles.authorize(attributes)
      if (second.allowed) return second
      const reasons = [named('node', first), named('rbac', second)].filter((text) => text !== '')
      return reasons.length === 0 ? silent : no(reasons.join('\n'))
    },
    rulesFor(user, namespace) {
      const found: ReturnType<RbacAuthorizer['rulesFor']> & { evaluationError?: string } = roles.rulesFor(
        user,
        namespace,
      )
      if (identityOf(user) === undefined) return found
      const texts = ['node authorizer does not support user rule resolution', found.evaluationError ?? '']
      return { ...found, incomplete: true, evaluationError: texts.filter((text) => text !== '').join(', ') }
    },
    rules: (user, namespace) => roles.rules(user, namespace),
    roleRules: (ref, namespace) => roles.roleRules(ref, namespace),
    close() {
      nodes.close()
      roles.close()
    },
  }
}

const named = (authorizer: string, decision: Decision | undefined): string =>
  decision === undefined || decision.reason === '' ? '' : `${authorizer}: ${decision.reason}`

/** The node that a user is; '' for one without a name, undefined for others. */
function identityOf({ name, groups }: UserInfo): string | undefined {
  return groups.includes(NODES) ? nodeOf(name) : undefined
}

function related(graph: NodeGraph, node: string, { resource, namespace = '', name = '' }: Attributes): Decision {
  if (name === '') return no('No Object name found')
  if (graph.has(node, resource!, namespace, name)) return allowed
  return no(`no relationship found between node '${node}' and this object`)
}

const read: Judge = (graph, node, asked) => {
  if (!['get', 'list', 'watch'].includes(asked.verb)) return no('can only read resources of this type')
  if ((asked.subresource ?? '') !== '') return no('cannot read subresource')
  if ((asked.namespace ?? '') === '') return no('can only read namespaced object of this type')
  return related(graph, node, asked)
}

const get: Judge = (graph, node, asked) => {
  if (asked.verb !== 'get') return no('can only get individual resources of this type')
  if ((asked.subresource ?? '') !== '') return no('cannot get subresource')
  return related(graph, node, asked)
}

const claim: Judge = (graph, node, asked) => {
  if (asked.subresource !== 'status') return get(graph, node, asked)
  if (asked.verb !== 'update' && asked.verb !== 'patch') return no('can only get/update/patch this type')
  return related(graph, node, asked)
}

const account: Judge = (graph, node, asked) => {
  const { verb, subresource = '', name = '' } = asked
  if (verb === 'get' && subresource === '') return read(graph, node, asked)
  if (verb !== 'create' || name === '') return no('can only create tokens for individual service accounts')
  if (subresource !== 'token') return no('can only create token subresource of serviceaccount')
  return related(graph, node, asked)
}

const OWN_VERBS: readonly string[] = ['get', 'create', 'update', 'patch', 'delete']

const lease: Judge = (_graph, node, { verb, namespace = '', name = '' }) => {
  if (!OWN_VERBS.includes(verb)) return no('can only get, create, update, patch, or delete a node lease')
  if (namespace !== 'kube-node-lease') return no('can only access leases in the "kube-node-lease" system namespace')
  if (verb !== 'create' && name !== node)
    return no('can only access node lease with the same name as the requesting node')
  return allowed
}

const csiNode: Judge = (_graph, node, { verb, subresource = '', name = '' }) => {
  if (subresource === 'status') return no('CSINode status access requires CSIVolumeHealth feature')
  if (subresource !== '') return no('cannot authorize CSINode subresources')
  if (!OWN_VERBS.includes(verb)) return no('can only get, create, update, patch, or delete a CSINode')
  if (verb !== 'create' && name !== node) return no('can only access CSINode with the same name as the requesting node')
  return allowed
}

const slice: Judge = (graph, node, asked) => {
  const { verb, subresource = '' } = asked
  if (subresource !== '') return no('cannot authorize ResourceSlice subresources')
  if (verb === 'create') return allowed
  if (['get', 'update', 'patch', 'delete'].includes(verb)) return related(graph, node, asked)
  if (!['watch', 'list', 'deletecollection'].includes(verb))
    return no(
      'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
    )
  if (selects(asked, 'spec.nodeName', node)) return allowed
  return no('can only list/watch/deletecollection resourceslices with nodeName field selector')
}

const certificateRequest: Judge = (graph, node, asked) => {
  const { verb, subresource = '' } = asked
  if (subresource !== '') return no('nodes may not access the status subresource of PodCertificateRequests')
  if (verb === 'create') return allowed
  if (verb === 'get') return related(graph, node, asked)
  if (verb !== 'list' && verb !== 'watch') return no(`nodes may not ${verb} podcertificaterequests`)
  if (selects(asked, 'spec.nodeName', node)) return allowed
  return no('can only list/watch podcertificaterequests with nodeName field selector')
}

const itself: Judge = (_graph, node, { verb, subresource = '', name = '' }) => {
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : silent
  if (subresource !== '') return silent
  // The admission plug-in NodeRestriction keeps a node to itself.
  if (verb === 'create' || verb === 'update' || verb === 'patch') return allowed
  if (!['get', 'list', 'watch'].includes(verb)) return silent
  if (name === node) return allowed
  return name === ''
    ? no(`node '${node}' cannot read all nodes, only its own Node object`)
    : no(`node '${node}' cannot read '${name}', only its own Node object`)
}

const pod: Judge = (graph, node, asked) => {
  const { verb, subresource = '', name = '' } = asked
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? allowed : silent
  if (subresource === 'eviction') return verb === 'create' ? allowed : silent
  if (subresource !== '') return silent
  if (verb === 'get') return get(graph, node, asked)
  if (verb === 'create' || verb === 'delete') return allowed
  if (verb !== 'list' && verb !== 'watch') return silent
  if (selects(asked, 'spec.nodeName', node)) return allowed
  if (name !== '') return related(graph, node, asked)
  return no('can only list/watch pods with spec.nodeName field selector')
}

/** Whether the field selector holds to one value. */
function selects({ fieldSelector = '' }: Attributes, field: string, value: string): boolean {
  if (fieldSelector === '') return false
  try {
    return parseFieldSelector(fieldSelector).some((t) => t.field === field && t.operator === '=' && t.value === value)
  } catch {
    return false
  }
}

const judges: ReadonlyMap<string, Judge> = new Map([
  ['secrets', read],
  ['configmaps', read],
  ['persistentvolumeclaims', claim],
  ['persistentvolumes', get],
  ['resourceclaims.resource.k8s.io', get],
  ['volumeattachments.storage.k8s.io', get],
  ['serviceaccounts', account],
  ['leases.coordination.k8s.io', lease],
  ['csinodes.storage.k8s.io', csiNode],
  ['resourceslices.resource.k8s.io', slice],
  ['nodes', itself],
  ['pods', pod],
  ['podcertificaterequests.certificates.k8s.io', certificateRequest],
])
