/** ResourceSlice: the devices of a driver. */
import { child, index, invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import type { KubeObject } from '../../object.ts'
import { dnsSubdomain } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { fieldText } from '../fields.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { fill } from '../pod/defaults.ts'
import { nodeSelector } from '../pod/placement.ts'
import { counters, device, dropDisabled } from './device.ts'
import { distinct, sized } from './lists.ts'
import { driverName, poolName } from './names.ts'

const MAX_DEVICES = 128
/** Where some device has taints or takes of shared counters. */
const MAX_ADVANCED = 64

function validate(object: KubeObject, old?: KubeObject): FieldError[] {
  const out: Errors = []
  const spec: Json = object['spec'] ?? {}
  const before: Json = old?.['spec']
  driverName(spec.driver, 'spec.driver', out)
  pool(spec.pool ?? {}, out)
  if (old !== undefined) {
    for (const [field, now, was] of [
      ['pool.name', spec.pool?.name, before?.pool?.name],
      ['driver', spec.driver, before?.driver],
      ['nodeName', spec.nodeName, before?.nodeName],
    ]) {
      if (now !== was) out.push(invalid(`spec.${field}`, now ?? null, 'field is immutable'))
    }
  }
  nodes(spec, out)
  if (isSet(spec.sharedCounters) && isSet(spec.devices)) {
    out.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
  }
  const advanced = listOf(spec.devices).some(
    ({ taints, consumesCounters }) => listOf(taints).length > 0 || listOf(consumesCounters).length > 0,
  )
  const devices = sized(spec.devices, advanced ? MAX_ADVANCED : MAX_DEVICES, 'spec.devices', out)
  const known = new Map(listOf(before?.devices).map((one) => [one.name, one]))
  devices.forEach((one, i) => {
    device(one, known.get(one.name), spec.perDeviceNodeSelection === true, index('spec.devices', i), out)
  })
  distinct(devices, ({ name }) => name ?? '', 'spec.devices', out)
  const sets = sized(spec.sharedCounters, 8, 'spec.sharedCounters', out)
  sets.forEach((set, i) => counters(set, 'name', index('spec.sharedCounters', i), out))
  distinct(sets, ({ name }) => name ?? '', 'spec.sharedCounters', out)
  return out
}

function pool({ name, resourceSliceCount = 0, generation = 0 }: Json, out: Errors): void {
  poolName(name, 'spec.pool.name', out)
  if (resourceSliceCount <= 0) {
    out.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'))
  }
  if (generation < 0) out.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'))
}

/** Which nodes can use the devices: said in exactly one way. */
function nodes(spec: Json, out: Errors): void {
  const set: string[] = []
  if (spec.nodeName === '') {
    out.push(invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string'))
  } else if (isSet(spec.nodeName)) {
    set.push('`nodeName`')
    dnsSubdomain(spec.nodeName, 'spec.nodeName', out)
  }
  if (isSet(spec.nodeSelector)) {
    set.push('`nodeSelector`')
    nodeSelector(spec.nodeSelector, 'spec.nodeSelector', out)
    const terms: Json = spec.nodeSelector.nodeSelectorTerms
    if (listOf(terms).length !== 1) {
      out.push(
        invalid('spec.nodeSelector.nodeSelectorTerms', terms ?? null, 'must have exactly one node selector term'),
      )
    }
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection']) {
    if (spec[field] === true) set.push(`\`${field}\``)
    else if (isSet(spec[field])) out.push(invalid(child('spec', field), false, 'must be either unset or set to true'))
  }
  const why = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (set.length === 0) out.push(required('spec', why))
  else if (set.length > 1) out.push(invalid('spec', `{${set.join(', ')}}`, `${why}, but multiple fields are set`))
}

function prepare(object: KubeObject): void {
  const spec: Json = object['spec'] ?? {}
  delete spec.partitionTypeAttribute
  delete spec.skipNodeOperations
  for (const one of listOf(spec.devices)) dropDisabled(one)
}

export const resourceSliceRules: KindRules = {
  defaults: (object, now) => {
    for (const one of listOf((object['spec'] as Json)?.devices)) {
      for (const taint of listOf(one.taints)) if (!isSet(taint.timeAdded)) fill(taint, 'timeAdded', now())
    }
  },
  prepareCreate: prepare,
  prepareUpdate: (object, old) => {
    // Fields that are off count as a change, and go then.
    if (!same(object['spec'], old['spec'])) object.metadata.generation = (old.metadata.generation ?? 0) + 1
    prepare(object)
  },
  validate,
  warnings: (object) => {
    const driver: string = (object['spec'] as Json)?.driver ?? ''
    if (driver === driver.toLowerCase()) return []
    const why = `driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`
    return [`spec.driver: ${why}`]
  },
  fields: {
    'spec.nodeName': fieldText('spec', 'nodeName'),
    'spec.driver': fieldText('spec', 'driver'),
    'spec.pool.name': fieldText('spec', 'pool', 'name'),
  },
  generation: (object) => object['spec'],
}
