/** certificatesigningrequests/approval: only the conditions Approved and Denied change. */
import { invalid, required } from '../../machinery/field.ts'
import type { FieldError } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Subresource } from '../registry/subresource.ts'
import type { Condition } from './conditions.ts'

const VERDICTS: ReadonlySet<string> = new Set(['Approved', 'Denied'])

const conditionsOf = (object: KubeObject): Condition[] => object['status']?.conditions ?? []

export const approval: Subresource = {
  restrict(object, old) {
    const verdicts = conditionsOf(object).filter(({ type }) => VERDICTS.has(type))
    const others = conditionsOf(old).filter(({ type }) => !VERDICTS.has(type))
    object['spec'] = old['spec']
    object['status'] = { ...old['status'], conditions: [...others, ...verdicts] }
  },
  validate(object, old) {
    const wrong: FieldError[] = []
    const types = new Set(conditionsOf(object).map(({ type }) => type))
    if (types.has('Approved') && types.has('Denied')) {
      wrong.push(invalid('status.conditions', 'Denied', 'Approved and Denied conditions are mutually exclusive'))
    }
    for (const [i, { status }] of conditionsOf(object).entries()) {
      if ((status ?? '') === '') wrong.push(required(`status.conditions[${i}].status`))
    }
    for (const { type } of conditionsOf(old)) {
      if (VERDICTS.has(type) && !types.has(type)) {
        wrong.push(invalid('status.conditions', type, 'may not be removed'))
      }
    }
    return wrong
  },
}
