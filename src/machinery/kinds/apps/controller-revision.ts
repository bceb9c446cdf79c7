/** ControllerRevision: a state of a controller's template, which never changes. */
import { invalid, required } from '../../field.ts'
import { nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'

export const controllerRevisionRules: KindRules = {
  validate: (revision, old) => {
    const out: Errors = []
    nonNegative(revision['revision'], 'revision', out)
    if (old === undefined) {
      const data: Json = revision['data']
      if (!isSet(data)) out.push(required('data', 'data is mandatory'))
      else if (typeof data !== 'object' || Array.isArray(data)) {
        out.push(required('data', 'data must be a valid JSON object'))
      }
    }
    return out
  },
  validateUpdate: (revision, old) => {
    const [data, before]: Json[] = [revision['data'], old['data']]
    // Upstream compares bytes: members in another order are another content.
    const unchanged = JSON.stringify(data) === JSON.stringify(before)
    return unchanged ? [] : [invalid('data', data ?? null, 'field is immutable')]
  },
  generation: false,
}
