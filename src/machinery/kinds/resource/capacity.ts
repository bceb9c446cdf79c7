/** Capacities of devices, and how much of them one claim may ask for. */
import { child, duplicate, forbidden, index, invalid, required, tooMany } from '../../field.ts'
import type { Quantity } from '../../quantity.ts'
import { addQuantities, compareQuantities, formatQuantity, parseQuantity, signOf } from '../../quantity.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

const MAX_OPTIONS = 10
const NANO = 1_000_000_000n
const MILLI = 1_000_000n
const MAX_INT = 2n ** 63n - 1n

const quantity = (value: Json): Quantity => parseQuantity(String(value ?? '0')) ?? parseQuantity('0')!
const shown = (value: Json): string => formatQuantity(quantity(value))

/** `shared`: the device can be allocated more than once. */
export function deviceCapacity(capacity: Json, shared: boolean, path: string, out: Errors): void {
  if (!isSet(capacity?.requestPolicy)) return
  const at = child(path, 'requestPolicy')
  if (shared) requestPolicy(quantity(capacity.value), capacity.requestPolicy, at, out)
  else out.push(forbidden(at, 'allowMultipleAllocations must be true'))
}

function requestPolicy(most: Quantity, policy: Json, path: string, out: Errors): void {
  const values = listOf(policy.validValues)
  const range: Json = policy.validRange
  if (values.length > 0 && isSet(range)) {
    const why = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
    out.push(forbidden(path, why))
    return
  }
  const kind = values.length > 0 ? 'validValues' : 'validRange'
  if (values.length === 0 && !isSet(range)) return
  if (!isSet(policy.default)) out.push(required(child(path, 'default'), `required when ${kind} is defined`))
  else if (values.length > 0) validValues(policy.default, most, values, child(path, kind), out)
  else validRange(policy.default, most, range, child(path, kind), out)
}

function validValues(preset: Json, most: Quantity, values: readonly Json[], path: string, out: Errors): void {
  const parsed = values.map(quantity)
  for (let i = 1; i < parsed.length; i++) {
    if (compareQuantities(parsed[i - 1]!, parsed[i]!) <= 0) continue
    out.push(invalid(index(path, i), shown(values[i]), 'values must be sorted in ascending order'))
  }
  let found = false
  if (values.length > MAX_OPTIONS) out.push(tooMany(path, values.length, MAX_OPTIONS))
  else {
    parsed.forEach((value, i) => {
      found ||= compareQuantities(value, quantity(preset)) === 0
      if (compareQuantities(value, most) <= 0) return
      const why = `option is larger than capacity value: ${formatQuantity(most)}`
      out.push(invalid(index(path, i), shown(values[i]), why))
    })
    const seen = new Set<bigint>()
    parsed.forEach(({ nanos }, i) => {
      if (seen.has(nanos)) out.push(duplicate(index(path, i), shown(values[i])))
      seen.add(nanos)
    })
  }
  if (!found) out.push(invalid(path, shown(preset), 'default value is not valid according to the requestPolicy'))
}

function validRange(preset: Json, most: Quantity, range: Json, path: string, out: Errors): void {
  if (!isSet(range.min)) {
    out.push(required(child(path, 'min'), 'required when validRange is defined'))
    return
  }
  const refuse = (field: string, value: Json, why: string): unknown =>
    out.push(invalid(child(path, field), shown(value), why))
  const [min, start] = [quantity(range.min), quantity(preset)]
  const capacity = formatQuantity(most)
  if (compareQuantities(min, most) > 0) refuse('min', range.min, `min is larger than capacity value: ${capacity}`)
  if (compareQuantities(start, min) < 0) refuse('default', preset, `default is less than min: ${shown(range.min)}`)
  if (isSet(range.max)) {
    const max = quantity(range.max)
    if (compareQuantities(min, max) > 0) refuse('max', range.min, `min is larger than max: ${shown(range.max)}`)
    if (compareQuantities(max, most) > 0) refuse('max', range.max, `max is larger than capacity value: ${capacity}`)
    if (compareQuantities(start, max) > 0) refuse('default', preset, `default is more than max: ${shown(range.max)}`)
  }
  steps(preset, most, range, refuse)
}

type Refuse = (field: string, value: Json, why: string) => unknown

function steps(preset: Json, most: Quantity, range: Json, refuse: Refuse): void {
  const all: readonly (readonly [string, Json])[] = [['default', preset], ...RANGE.map((f) => [f, range[f]] as const)]
  const parts = all.filter(([, value]) => isSet(value))
  const fractional = parts.some(([, value]) => quantity(value).nanos % NANO !== 0n)
  if (fractional) {
    const fine = parts.filter(([, value]) => quantity(value).nanos % MILLI !== 0n)
    for (const [field, value] of fine) refuse(field, value, 'value cannot be represented as a milli value')
    if (fine.length > 0) return
  }
  if (!isSet(range.step)) return
  const [min, step] = [quantity(range.min), quantity(range.step)]
  if (signOf(step) <= 0) {
    refuse('step', range.step, 'must be greater than zero')
    return
  }
  const next = addQuantities(min, step)
  if (compareQuantities(next, most) > 0) {
    const why = `one step ${formatQuantity(next)} is larger than capacity value: ${formatQuantity(most)}`
    refuse('step', range.step, why)
  }
  if (!fractional && !inRange(parts, refuse)) return
  for (const value of [preset, range.max]) {
    if (!isSet(value) || (quantity(value).nanos - min.nanos) % step.nanos === 0n) continue
    refuse('step', value, `value is not a multiple of a given step (${shown(range.step)}) from (${shown(range.min)})`)
  }
}

const RANGE = ['min', 'max', 'step'] as const

/** Whether all are integers of 64 bits and none is negative. */
function inRange(parts: readonly (readonly [string, Json])[], refuse: Refuse): boolean {
  let sound = true
  for (const [field, value] of parts) {
    const { nanos } = quantity(value)
    if (nanos >= 0n && nanos <= MAX_INT * NANO) continue
    sound = false
    refuse(
      field,
      value,
      nanos < 0n ? 'must be greater than or equal to 0' : 'must not be larger than 9223372036854775807',
    )
  }
  return sound
}
