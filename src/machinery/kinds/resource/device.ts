/** A device in a slice. */
import { child, index, invalid, required, tooLong, tooMany } from '../../field.ts'
import { isDns1123Label } from '../../names.ts'
import { dnsSubdomain, each, requiredName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { nodeSelector } from '../pod/placement.ts'
import { deviceCapacity } from './capacity.ts'
import { distinct, entriesAt, sized } from './lists.ts'
import { label, qualifiedName } from './names.ts'
import { bindingConditions, taint } from './taints.ts'

const MAX_KEY = 63 + 1 + 32
const MAX_ATTRIBUTES = 32
const MAX_VALUES = 48
const MAX_VALUE = 64
const MAX_COUNTERS = 32
/** Attributes have one value of one of these. */
const SINGLE = ['int', 'bool', 'string', 'version'] as const
const VALUES = ['int', 'bool', 'string', 'version', 'ints', 'bools', 'strings', 'versions'] as const
const SEMVER =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/

/** `perDevice`: devices say which nodes they are for, not their slice. */
export function device(value: Json, old: Json, perDevice: boolean, path: string, out: Errors): void {
  label(value.name, child(path, 'name'), out)
  const attributes = entriesOf(value.attributes)
  const total = attributes.length + entriesOf(value.capacity).length
  if (total > MAX_ATTRIBUTES) {
    out.push(invalid(path, total, `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES}`))
  }
  const values = attributes.length
  if (values > MAX_VALUES) {
    out.push(invalid(path, values, `the total number of attribute values must not exceed ${MAX_VALUES}`))
  }
  const attributesPath = child(path, 'attributes')
  entriesAt(value.attributes, MAX_KEY, attributesPath, (name, one, at) => {
    qualifiedName(name, attributesPath, out)
    attribute(one, at, out)
  })
  if (old === undefined || !same(old.capacity, value.capacity)) {
    const capacityPath = child(path, 'capacity')
    entriesAt(value.capacity, MAX_KEY, capacityPath, (name, one, at) => {
      qualifiedName(name, capacityPath, out)
      deviceCapacity(one, value.allowMultipleAllocations === true, at, out)
    })
  }
  if (old === undefined || !same(old.taints, value.taints)) {
    const at = child(path, 'taints')
    sized(value.taints, 16, at, out).forEach((one, i) => taint(one, undefined, index(at, i), out))
  }
  const consumes = child(path, 'consumesCounters')
  const sets = sized(value.consumesCounters, 2, consumes, out)
  sets.forEach((set, i) => counters(set, 'counterSet', index(consumes, i), out))
  distinct(sets, ({ counterSet }) => counterSet ?? '', consumes, out)
  nodes(value, perDevice, path, out)
  bindingConditions(value, path, out)
}

function attribute(value: Json, path: string, out: Errors): void {
  const { string, version } = value ?? {}
  if (isSet(string)) short(string, child(path, 'string'), out)
  if (isSet(version)) {
    // What is too long is not matched at all: it is refused anyway.
    if (version.length > 1024 || !SEMVER.test(version)) {
      out.push(invalid(child(path, 'version'), version, 'must be a string compatible with semver.org spec 2.0.0'))
    }
    short(version, child(path, 'version'), out)
  }
  const set = SINGLE.filter((field) => isSet(value?.[field]))
  const names = VALUES.map((field) => `\`${field}\``).join(', ')
  if (set.length === 0) out.push(invalid(path, '', `must specify one of: ${names}`))
  if (set.length > 1) out.push(invalid(path, `{${set.join(', ')}}`, `must specify exactly one of: ${names}`))
}

function short(text: string, path: string, out: Errors): void {
  if (Buffer.byteLength(text) > MAX_VALUE) out.push(tooLong(path, MAX_VALUE))
}

/** A named set of counters: of a slice, or what a device takes of one. */
export function counters(set: Json, nameField: string, path: string, out: Errors): void {
  requiredName(set?.[nameField], child(path, nameField), isDns1123Label, out)
  const at = child(path, 'counters')
  const names = entriesOf(set?.counters).map(([name]) => name)
  if (names.length === 0) out.push(required(at))
  else if (names.length > MAX_COUNTERS) out.push(tooMany(at, names.length, MAX_COUNTERS))
  else for (const name of names) each(isDns1123Label(name), at, name, out)
}

function nodes(value: Json, perDevice: boolean, path: string, out: Errors): void {
  const { nodeName, nodeSelector: selector, allNodes } = value
  if (!perDevice) {
    if (isSet(nodeName) || isSet(selector) || isSet(allNodes)) {
      const why =
        '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
      out.push(invalid(path, null, why))
    }
    return
  }
  const set: string[] = []
  if (nodeName === '') out.push(invalid(child(path, 'nodeName'), '', 'must not be empty'))
  else if (isSet(nodeName)) {
    set.push('`nodeName`')
    dnsSubdomain(nodeName, child(path, 'nodeName'), out)
  }
  if (isSet(selector)) {
    set.push('`nodeSelector`')
    nodeSelector(selector, child(path, 'nodeSelector'), out)
  }
  if (allNodes === true) set.push('`allNodes`')
  else if (isSet(allNodes)) out.push(invalid(child(path, 'allNodes'), false, 'must be either unset or set to true'))
  const why =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
  if (set.length === 0) out.push(required(path, why))
  else if (set.length > 1) out.push(invalid(path, `{${set.join(', ')}}`, why))
}

/** Drops what is behind features that are off: lists as values, compatibility groups, resources of nodes. */
export function dropDisabled(value: Json): void {
  for (const [, one] of entriesOf(value.attributes)) {
    if (isSet(one)) for (const field of ['ints', 'bools', 'strings', 'versions']) delete one[field]
  }
  for (const set of listOf(value.consumesCounters)) if (isSet(set)) delete set.compatibilityGroups
  delete value.nodeAllocatableResources
}
