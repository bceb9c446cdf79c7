/** Nodes. */
import { child, duplicate, forbidden, index, invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isCidr, parsePrefix } from '../../ip.ts'
import { isConfigMapKey, isDns1123Label, isDns1123Subdomain, isLabelValue } from '../../names.ts'
import { each, positive, requiredName, requiredOneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { fieldTextOr } from '../fields.ts'
import { entriesOf, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { cidrWarnings } from '../ip-warnings.ts'
import { labelName } from '../labels.ts'
import { TAINT_EFFECTS } from '../pod/placement.ts'
import { resourceQuantity, roundList } from '../resources.ts'

/** Upstream reports taints below metadata. */
const TAINTS = 'metadata.taints'
const FEATURE = /^[A-Z][a-zA-Z0-9]*(?:\/[a-zA-Z][a-zA-Z0-9]*)*$/

function taints(list: Json, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((taint, i) => {
    const at = index(TAINTS, i)
    const { key = '', value = '', effect = '' } = taint
    labelName(key, child(at, 'key'), out)
    const messages = isLabelValue(value)
    if (messages.length > 0) out.push(invalid(child(at, 'value'), value, messages.join(';')))
    requiredOneOf(effect, TAINT_EFFECTS, child(at, 'effect'), out)
    const pair = `${String(effect)}/${String(key)}`
    if (seen.has(pair)) {
      const error = duplicate(at, { Key: key, Value: value, Effect: effect, TimeAdded: taint.timeAdded ?? null })
      error.message += ': taints must be unique by key and effect pair'
      out.push(error)
    }
    seen.add(pair)
  })
}

function resources(status: Json, out: Errors): void {
  for (const field of ['capacity', 'allocatable']) {
    for (const [name, text] of entriesOf(status?.[field])) resourceQuantity(name, text, `status.${field}.${name}`, out)
  }
}

function declaredFeatures(list: readonly string[], out: Errors): void {
  list.forEach((feature, i) => {
    const at = index('status.declaredFeatures', i)
    const name = JSON.stringify(feature)
    if (Buffer.byteLength(feature) > 253) {
      out.push(invalid(at, feature, `invalid feature name ${name}: must be no more than 253 characters`))
    } else if (!FEATURE.test(feature)) {
      const detail = `invalid feature name ${name}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`
      out.push(invalid(at, feature, detail))
    }
    const next = list[i + 1]
    if (next === undefined) return
    const nextAt = index('status.declaredFeatures', i + 1)
    if (feature === next) out.push(duplicate(nextAt, next))
    else if (feature > next) out.push(invalid(nextAt, next, 'list must be sorted alphabetically'))
  })
}

function familyOf(cidr: string): number | undefined {
  return parsePrefix(cidr)?.address.bytes.length
}

function podCidrs(list: readonly string[], out: Errors): void {
  list.forEach((cidr, i) => each(isCidr(cidr), index('spec.podCIDRs', i), cidr, out))
  if (list.length < 2) return
  const bad = list.findIndex((cidr) => parsePrefix(cidr) === undefined)
  if (bad >= 0) {
    const why = `invalid CIDR[${bad}]: <nil> (invalid CIDR address: ${list[bad]!})`
    const message = `Internal error: invalid PodCIDRs. failed to check with dual stack with error:${why}`
    out.push({ type: 'InternalError', field: 'spec.podCIDRs', message })
  }
  const families = new Set(list.map((cidr) => familyOf(cidr)))
  if (bad >= 0 || families.size < 2 || list.length > 2) {
    out.push(invalid('spec.podCIDRs', list, 'may specify no more than one CIDR for each IP family'))
  }
}

function validate(node: Json): FieldError[] {
  const out: Errors = []
  taints(node.spec?.taints, out)
  resources(node.status, out)
  const swap: Json = node.status?.nodeInfo?.swap?.capacity
  if (isSet(swap)) positive(swap, 'metadata.nodeSwapStatus.capacity', out)
  declaredFeatures(listOf(node.status?.declaredFeatures), out)
  podCidrs(listOf(node.spec?.podCIDRs), out)
  return out
}

/** Everything that an update of the node or of its status may not do. */
function validateUpdate(node: Json, old: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = node.spec ?? {}
  const before: Json = old.spec ?? {}
  resources(node.status, out)
  declaredFeatures(listOf(node.status?.declaredFeatures), out)
  const seen = new Set<string>()
  listOf(node.status?.addresses).forEach((address, i) => {
    const text = `${String(address.type)}/${String(address.address)}`
    if (seen.has(text)) {
      out.push(duplicate(index('status.addresses', i), { Type: address.type ?? '', Address: address.address ?? '' }))
    }
    seen.add(text)
  })
  const [now, then]: [readonly string[], readonly string[]] = [listOf(spec.podCIDRs), listOf(before.podCIDRs)]
  const fixed = 'node updates may not change podCIDR except from "" to valid'
  if (then.length > 0) {
    if (then.length !== now.length) out.push(forbidden('spec.podCIDRs', fixed))
    else then.forEach((cidr, i) => cidr !== now[i] && out.push(forbidden('spec.podCIDRs', fixed)))
  }
  const [id, oldId]: [string, string] = [spec.providerID ?? '', before.providerID ?? '']
  if (oldId !== '' && id !== oldId) {
    const what = id === '' ? 'field cannot be cleared once set' : 'field cannot be modified once set'
    out.push(invalid('spec.providerID', null, what))
  }
  if (isSet(spec.configSource)) configSource(spec.configSource, 'spec.configSource', false, out)
  for (const field of ['assigned', 'active', 'lastKnownGood']) {
    const source: Json = node.status?.config?.[field]
    if (isSet(source)) configSource(source, `status.config.${field}`, true, out)
  }
  taints(spec.taints, out)
  if ((spec.externalID ?? '') !== (before.externalID ?? '')) {
    out.push(forbidden('spec.externalID', 'may not be updated'))
  }
  return out
}

function configSource(source: Json, path: string, status: boolean, out: Errors): void {
  const ref: Json = source.configMap
  if (!isSet(ref)) {
    out.push(invalid(path, { ConfigMap: null }, 'exactly one reference subfield must be non-nil'))
    return
  }
  const at = child(path, 'configMap')
  for (const field of ['uid', 'resourceVersion']) {
    if (status && !ref[field]) out.push(required(child(at, field)))
    if (!status && ref[field]) out.push(forbidden(child(at, field), `${field} must not be set in spec`))
  }
  requiredName(ref.namespace, child(at, 'namespace'), isDns1123Label, out)
  requiredName(ref.name, child(at, 'name'), isDns1123Subdomain, out)
  requiredName(ref.kubeletConfigKey, child(at, 'kubeletConfigKey'), isConfigMapKey, out)
}

/** `podCIDR` and `podCIDRs` are one field under two names. */
function syncCidrs(spec: Json): void {
  const list = listOf(spec.podCIDRs)
  if (spec.podCIDR && list[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR]
  else if (!spec.podCIDR && list.length > 0) spec.podCIDR = list[0]
}

export const nodeRules: KindRules = {
  warnings: (node) => {
    const spec: Json = node['spec'] ?? {}
    return [
      ...(isSet(spec.configSource) ? ['spec.configSource: the feature is removed'] : []),
      ...(spec.externalID ? ['spec.externalID: this field is deprecated, and is unused by Kubernetes'] : []),
      ...listOf(spec.podCIDRs).flatMap((cidr, i) => cidrWarnings(String(cidr), `spec.podCIDRs[${i}]`)),
    ]
  },
  defaults: (node) => {
    syncCidrs((node['spec'] ??= {}))
    const status: Json = (node['status'] ??= {})
    for (const field of ['capacity', 'allocatable']) roundList(status[field])
    if (!isSet(status.allocatable) && isSet(status.capacity)) status.allocatable = { ...status.capacity }
  },
  prepareCreate: (node) => {
    const spec: Json = node['spec']
    for (const field of ['configSource', 'podPreemptionPolicy']) delete spec[field]
    const status: Json = node['status']
    if (isSet(status?.config)) delete status.config
  },
  prepareUpdate: (node, old) => {
    node['status'] = old['status']
    const [spec, before]: [Json, Json] = [node['spec'], old['spec']]
    for (const field of ['configSource', 'podPreemptionPolicy']) if (!isSet(before?.[field])) delete spec[field]
  },
  validate,
  validateUpdate,
  prepareStatus: (node, old) => {
    const [status, before]: [Json, Json] = [node['status'], old['status']]
    if (isSet(status?.config) && !isSet(before?.config)) delete status.config
  },
  validateStatus: validateUpdate,
  generation: false,
  fields: { 'spec.unschedulable': fieldTextOr('false', 'spec', 'unschedulable') },
}
