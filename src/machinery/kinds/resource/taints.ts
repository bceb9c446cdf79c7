/** Taints of devices and what tolerates them; conditions for binding. */
import { child, duplicate, index, invalid, notSupported, required } from '../../field.ts'
import { isLabelValue } from '../../names.ts'
import { each, oneOf, requiredOneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { labelName } from '../labels.ts'
import { sized } from './lists.ts'

const EFFECTS = ['NoExecute', 'NoSchedule', 'None']
const OPERATORS = ['Equal', 'Exists']

/** `old`: an effect that was there before is not looked at. */
export function taint(value: Json, old: Json, path: string, out: Errors): void {
  labelName(value?.key, child(path, 'key'), out)
  if (value?.value) each(isLabelValue(value.value), child(path, 'value'), value.value, out)
  if (old === undefined || old?.effect !== value?.effect) {
    requiredOneOf(value?.effect, EFFECTS, child(path, 'effect'), out)
  }
}

export function toleration(value: Json, path: string, out: Errors): void {
  if (value.key) labelName(value.key, child(path, 'key'), out)
  const at = child(path, 'value')
  const { operator, value: text = '' } = value
  if (operator === 'Exists') {
    if (text !== '') out.push(invalid(at, text, 'must be empty for operator `Exists`'))
  } else if (operator === 'Equal') each(isLabelValue(text), at, text, out)
  else if (!operator) out.push(required(child(path, 'operator')))
  else out.push(notSupported(child(path, 'operator'), operator, OPERATORS))
  if (value.effect) oneOf(value.effect, EFFECTS, child(path, 'effect'), out)
}

/** Conditions that a device must have, or must not get, before its pod is bound. */
export function bindingConditions(owner: Json, path: string, out: Errors): void {
  const wantedPath = child(path, 'bindingConditions')
  const failedPath = child(path, 'bindingFailureConditions')
  const wanted: readonly string[] = listOf(owner.bindingConditions)
  const failed: readonly string[] = listOf(owner.bindingFailureConditions)
  for (const [list, at] of [
    [wanted, wantedPath],
    [failed, failedPath],
  ] as const) {
    sized(list, 4, at, out).forEach((name, i) => labelName(name, index(at, i), out))
  }
  wanted.forEach((name, i) => {
    if (wanted.indexOf(name) < i) out.push(duplicate(index(wantedPath, i), name))
  })
  failed.forEach((name, i) => {
    if (failed.indexOf(name) < i) out.push(duplicate(index(failedPath, i), name))
    if (wanted.includes(name)) {
      const why = 'bindingFailureConditions must not overlap with bindingConditions'
      out.push(invalid(index(failedPath, i), name, why))
    }
  })
  if (wanted.length === 0 && failed.length > 0) {
    const why = 'bindingConditions are required to use bindingFailureConditions'
    out.push(invalid(wantedPath, owner.bindingConditions ?? null, why))
  }
  if (failed.length === 0 && wanted.length > 0) {
    const why = 'bindingFailureConditions are required to use bindingConditions'
    out.push(invalid(failedPath, owner.bindingFailureConditions ?? null, why))
  }
}
