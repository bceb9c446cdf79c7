/** certificatesigningrequests/approval: only conditions change, those of the verdict too. */
import { validateApproval } from '../../machinery/kinds/index.ts'
import type { Subresource } from '../registry/subresource.ts'
import { stampConditions } from './conditions.ts'

export const approval: Subresource = {
  restrict(object, old, _target, now) {
    const conditions: unknown = object['status']?.conditions
    object['spec'] = old['spec']
    object['status'] = { ...old['status'], ...(conditions === undefined ? {} : { conditions }) }
    if (conditions === undefined) delete object['status'].conditions
    stampConditions(object, old, now)
  },
  validate: validateApproval,
}
