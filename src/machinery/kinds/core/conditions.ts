/** metav1.Conditions. */
import { child, duplicate, index, invalid, notSupported, required, tooLong } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { labelName } from '../labels.ts'

const STATUSES = ['False', 'True', 'Unknown']
const REASON = /^[A-Za-z](?:[A-Za-z0-9_,:]*[A-Za-z0-9_])?$/
const REASON_SHOWN =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or 'ReasonA:ReasonB', regex used for validation is '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?')"

export function conditions(list: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((condition, i) => {
    const at = index(path, i)
    const { type = '', status = '', reason = '', message = '' } = condition
    if (seen.has(type)) out.push(duplicate(at, type))
    seen.add(type)
    if (type === '') out.push(required(child(at, 'type'), 'is required'))
    else labelName(type, child(at, 'type'), out)
    if (status === '') out.push(required(child(at, 'status')))
    else if (!STATUSES.includes(status)) out.push(notSupported(child(at, 'status'), status, STATUSES))
    const generation: number = condition.observedGeneration ?? 0
    if (generation < 0) {
      out.push(invalid(child(at, 'observedGeneration'), generation, 'must be greater than or equal to zero'))
    }
    if (!isSet(condition.lastTransitionTime)) out.push(required(child(at, 'lastTransitionTime')))
    if (reason === '') out.push(required(child(at, 'reason')))
    else {
      if (!REASON.test(reason)) out.push(invalid(child(at, 'reason'), reason, REASON_SHOWN))
      if (Buffer.byteLength(reason) > 1024) out.push(tooLong(child(at, 'reason'), 1024))
    }
    if (Buffer.byteLength(message) > 32 * 1024) out.push(tooLong(child(at, 'message'), 32 * 1024))
  })
}
