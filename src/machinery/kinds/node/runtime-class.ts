/** RuntimeClass. */
import { child, duplicate, index, invalid, required } from '../../field.ts'
import { isShortName } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entriesOf, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { labels } from '../labels.ts'
import { deprecatedNodeLabel } from '../node-labels.ts'
import { tolerations } from '../pod/placement.ts'
import { containerResourceName, resourceRequirements } from '../resources.ts'

const NO_CLAIMS = { name: containerResourceName, claims: new Set<string>() }

function scheduling({ nodeSelector, tolerations: list }: Json, out: Errors): void {
  labels(nodeSelector, 'scheduling.nodeSelector', out)
  const path = 'scheduling.tolerations'
  tolerations(list, path, out)
  const seen = new Set<string>()
  listOf(list).forEach((toleration, i) => {
    const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration ?? {}
    const text = JSON.stringify([key, operator, value, effect])
    const shown = {
      Key: key,
      Operator: operator,
      Value: value,
      Effect: effect,
      TolerationSeconds: tolerationSeconds ?? null,
    }
    if (seen.has(text)) out.push(duplicate(index(path, i), shown))
    seen.add(text)
  })
}

export const runtimeClassRules: KindRules = {
  validate: (object, old) => {
    const out: Errors = []
    const podFixed: Json = (object['overhead'] as Json)?.podFixed
    if (isSet(podFixed)) resourceRequirements({ limits: podFixed }, NO_CLAIMS, 'overhead', out)
    if (isSet(object['scheduling'])) scheduling(object['scheduling'], out)
    const handler: Json = object['handler'] ?? ''
    if (old !== undefined && handler === (old['handler'] ?? '')) return out
    if (handler === '') out.push(required('handler'))
    else each(isShortName(handler), 'handler', handler, out)
    if (old !== undefined) out.push(invalid('handler', null, 'field is immutable'))
    return out
  },
  legacyFinalizers: false,
  warnings: (object) =>
    entriesOf((object['scheduling'] as Json)?.nodeSelector).flatMap(([label]) => {
      const text = deprecatedNodeLabel(label)
      return text === undefined ? [] : [`${child('scheduling', 'nodeSelector')}: ${text}`]
    }),
  unconditionalUpdate: false,
  generation: false,
}
