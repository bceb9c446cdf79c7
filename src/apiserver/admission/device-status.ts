/**
 * Who may write the status of a ResourceClaim: its allocation and users whoever may `update` or `patch`
 * `resourceclaims/binding`; what a driver says of its devices whoever may write for that driver, at every node
 * (`arbitrary-node:update`) or at the own one (`associated-node:update` on `resourceclaims/driver`). Upstream asks for it
 * where claims are validated (DRAResourceClaimGranularStatusAuthorization); here that knows no authorizer.
 */
import type { FieldError } from '../../machinery/field.ts'
import { forbidden } from '../../machinery/field.ts'
import { sameAs } from '../../machinery/kinds/equal.ts'
import { same } from '../../machinery/kinds/json.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { NODE_NAME_EXTRA, accountOf } from '../authn/username.ts'
import { forbidden as refusal } from '../authz/forbidden.ts'
import type { Attributes } from '../contract.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'

const GROUP = 'resource.k8s.io'
const CLAIMS = 'resourceclaims'

interface Device {
  readonly driver?: string
  readonly pool?: string
  readonly device?: string
  readonly shareID?: string
}

interface Status {
  readonly allocation?: { readonly nodeSelector?: NodeSelector }
  readonly reservedFor?: readonly object[]
  readonly devices?: readonly Device[]
}

interface NodeSelector {
  readonly nodeSelectorTerms?: readonly {
    readonly matchExpressions?: readonly object[]
    readonly matchFields?: readonly { readonly key?: string; readonly operator?: string; readonly values?: string[] }[]
  }[]
}

export const deviceStatus: AdmissionPlugin = {
  name: 'DeviceStatus',
  handles: (operation, info, subresource) =>
    operation === 'UPDATE' && subresource === 'status' && info.group === GROUP && info.resource === CLAIMS,
  validate(request) {
    const [now, old] = [statusOf(request.object), statusOf(request.old)]
    const wrong = [...binding(request, now, old)]
    // Without an allocation there are no devices left to tell of.
    if (now.allocation !== undefined) wrong.push(...drivers(request, now, old))
    if (wrong.length === 0) return
    throw errors.invalid({ group: GROUP, kind: 'ResourceClaim' }, request.object.metadata.name ?? '', wrong)
  },
}

const statusOf = (object: KubeObject | undefined): Status => object?.['status'] ?? {}

/** Undefined when the user may; else why not. */
function refused({ call, state, requested }: AdmissionRequest, what: Partial<Attributes>): string | undefined {
  const { version } = requested.info
  const attributes: Attributes = { user: call.user, verb: '', group: GROUP, version, resource: CLAIMS, ...what }
  const { allowed, reason } = state.authorizer.authorize(attributes)
  return allowed ? undefined : refusal(attributes, reason).message
}

function binding(request: AdmissionRequest, now: Status, old: Status): FieldError[] {
  const allocation = 'io.k8s.api.resource.v1.AllocationResult'
  const [is, was] = [now.allocation, old.allocation]
  const kept = (is === undefined) === (was === undefined) && sameAs(allocation, is, was)
  if (kept && same(now.reservedFor, old.reservedFor)) return []
  const { verb = 'update' } = request
  const why = refused(request, { verb, subresource: 'binding' })
  if (why === undefined) return []
  const what = `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${verb}" permission`
  return [forbidden('status.allocation', `${what}: ${why}`)]
}

function drivers(request: AdmissionRequest, now: Status, old: Status): FieldError[] {
  const { verb: asks = 'update' } = request
  const own = isAtNode(request, nodeOf(now)) ? [`associated-node:${asks}`] : []
  const verbs = [...own, `arbitrary-node:${asks}`]
  return changedDrivers(now, old).flatMap((name) => {
    const asked = { subresource: 'driver', namespace: request.namespace, name }
    let first: string | undefined
    for (const verb of verbs) {
      const why = refused(request, { ...asked, verb })
      if (why === undefined) return []
      first ??= why
    }
    const what = `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission`
    return [forbidden('status.devices', `${what}: ${first}`)]
  })
}

/** Drivers of whose devices something else is told than before, sorted. */
function changedDrivers(now: Status, old: Status): string[] {
  const keyOf = ({ driver, pool, device, shareID }: Device) => JSON.stringify([driver, pool, device, shareID ?? ''])
  const left = new Map((old.devices ?? []).map((device) => [keyOf(device), device]))
  const found = new Set<string>()
  for (const device of now.devices ?? []) {
    const key = keyOf(device)
    const before = left.get(key)
    left.delete(key)
    if (before === undefined || !same(before, device)) found.add(device.driver ?? '')
  }
  for (const { driver } of left.values()) found.add(driver ?? '')
  return [...found].sort()
}

/** The node that an allocation is for; undefined when it is for others, too. */
function nodeOf({ allocation }: Status): string | undefined {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? []
  const [{ matchExpressions = [], matchFields = [] } = {}] = terms
  const [field] = matchFields
  if (terms.length !== 1 || matchExpressions.length > 0 || matchFields.length !== 1) return undefined
  const { key, operator, values = [] } = field!
  return key === 'metadata.name' && operator === 'In' && values.length === 1 ? values[0] : undefined
}

/** Whether the request comes from a service account whose token is bound to the node. */
function isAtNode({ call: { user } }: AdmissionRequest, node: string | undefined): boolean {
  if (node === undefined || accountOf(user.name) === undefined) return false
  const names = user.extra?.[NODE_NAME_EXTRA] ?? []
  return names.length === 1 && names[0] === node
}
