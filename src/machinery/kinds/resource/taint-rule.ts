/** DeviceTaintRule: a taint for devices that a selector names. */
import { child, tooMany } from '../../field.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { conditions } from '../core/conditions.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'
import { driverName, label, poolName } from './names.ts'
import { taint } from './taints.ts'

const SELECTOR = 'spec.deviceSelector'
const CONDITIONS = 'status.conditions'
const MAX_CONDITIONS = 8

export const deviceTaintRuleRules: KindRules = {
  defaults: (rule, now) => {
    const spec: Json = (rule['spec'] ??= {})
    spec.taint ??= {}
    if (!isSet(spec.taint.timeAdded)) spec.taint.timeAdded = now()
  },
  prepareCreate: (rule) => {
    rule['status'] = {}
  },
  prepareUpdate: (rule, old, now) => {
    rule['status'] = old['status']
    const { taint: next } = rule['spec'] as Json
    const before: Json = (old['spec'] as Json)?.taint ?? {}
    // Another effect counts from now, unless the client says since when.
    if (next.effect !== before.effect && next.timeAdded === before.timeAdded) next.timeAdded = now()
  },
  validate: (rule, old) => {
    const out: Errors = []
    const spec: Json = rule['spec'] ?? {}
    const { driver, pool, device }: Json = spec.deviceSelector ?? {}
    if (isSet(driver)) driverName(driver, child(SELECTOR, 'driver'), out)
    if (isSet(pool)) poolName(pool, child(SELECTOR, 'pool'), out)
    if (isSet(device)) label(device, child(SELECTOR, 'device'), out)
    taint(spec.taint, (old?.['spec'] as Json)?.taint, 'spec.taint', out)
    return out
  },
  prepareStatus: keepMetadata,
  validateStatus: (rule) => {
    const out: Errors = []
    const list = listOf((rule['status'] as Json)?.conditions)
    conditions(list, CONDITIONS, out)
    if (list.length > MAX_CONDITIONS) out.push(tooMany(CONDITIONS, list.length, MAX_CONDITIONS))
    return out
  },
  unconditionalUpdate: false,
  generation: (rule) => rule['spec'],
}
