/** StorageClass and VolumeAttributesClass. */
import { child, duplicate, forbidden, index, invalid, notSupported, required, tooLong } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { each, unique } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entriesOf, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { labelName } from '../labels.ts'
import { isQualifiedName } from '../../names.ts'
import { deprecatedNodeLabel } from '../node-labels.ts'
import { defaultStorageClass } from './defaults.ts'

const MAX_PARAMETERS = 512
const MAX_PARAMETERS_SIZE = 256 * 1024
const RECLAIM_POLICIES = ['Delete', 'Retain']
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer']
/** What a class cannot change, in the order in which it is told. */
const FIXED = ['provisioner', 'parameters', 'reclaimPolicy', 'volumeBindingMode']

function driver(name: Json, path: string, out: Errors): void {
  if (name) each(isQualifiedName(String(name).toLowerCase()), path, String(name).toLowerCase(), out)
}

function parameters(map: Json, needed: boolean, out: Errors): void {
  const all = entriesOf(map)
  if (all.length > MAX_PARAMETERS) {
    out.push(tooLong('parameters', MAX_PARAMETERS))
    return
  }
  let size = 0
  for (const [name, value] of all) {
    if (name === '') out.push(invalid('parameters', '', 'field can not be empty.'))
    size += Buffer.byteLength(name) + Buffer.byteLength(String(value))
  }
  if (size > MAX_PARAMETERS_SIZE) out.push(tooLong('parameters', MAX_PARAMETERS_SIZE))
  if (needed && all.length === 0) out.push(required('parameters', 'must contain at least one key/value pair'))
}

/** Two terms that select the same are one too many; the order of keys and values does not count. */
function topologies(terms: readonly Json[], out: Errors): void {
  // An empty term is one too many always: upstream compares with what it has not looked at yet, too.
  const earlier = new Set<string>([canonical([])])
  terms.forEach((term, i) => {
    const at = child(index('allowedTopologies', i), 'matchLabelExpressions')
    const expressions = listOf(term?.matchLabelExpressions)
    topologyTerm(expressions, at, out)
    const text = canonical(expressions)
    if (earlier.has(text)) out.push(duplicate(at, ''))
    earlier.add(text)
  })
}

function canonical(expressions: readonly Json[]): string {
  const byKey = new Map<string, string[]>()
  for (const { key = '', values } of expressions) byKey.set(key, [...new Set(listOf(values) as string[])].sort())
  return JSON.stringify([...byKey].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function topologyTerm(expressions: readonly Json[], path: string, out: Errors): void {
  const keys = new Set<string>()
  expressions.forEach((expression, i) => {
    const at = index(path, i)
    const { key = '', values }: Json = expression ?? {}
    const valuesAt = child(at, 'values')
    if (listOf(values).length === 0) out.push(required(valuesAt))
    const seen = new Set<string>()
    listOf(values).forEach((value, j) => unique(seen, String(value), index(valuesAt, j), out))
    labelName(key, child(at, 'key'), out)
    unique(keys, key, child(at, 'key'), out)
  })
}

export const storageClassRules: KindRules = {
  defaults: defaultStorageClass,
  validate: (object, old) => {
    const out: Errors = []
    const { provisioner, reclaimPolicy, volumeBindingMode }: Json = object
    driver(provisioner, 'provisioner', out)
    parameters(object['parameters'], false, out)
    if (reclaimPolicy && !RECLAIM_POLICIES.includes(reclaimPolicy)) {
      out.push(notSupported('reclaimPolicy', reclaimPolicy, RECLAIM_POLICIES))
    }
    if (!BINDING_MODES.includes(volumeBindingMode)) {
      out.push(notSupported('volumeBindingMode', volumeBindingMode ?? '', BINDING_MODES))
    }
    topologies(listOf(object['allowedTopologies']), out)
    if (!provisioner && (old === undefined || old['provisioner'])) out.push(required('provisioner'))
    return out
  },
  validateUpdate: (now, old): FieldError[] =>
    FIXED.filter((field) => !same(now[field], old[field])).map((field) => invalid(field, null, 'field is immutable')),
  warnings: (object) =>
    listOf(object['allowedTopologies']).flatMap((term, i) =>
      listOf(term?.matchLabelExpressions).flatMap(({ key }, j) => {
        const text = deprecatedNodeLabel(key)
        return text === undefined ? [] : [`allowedTopologies[${i}].matchLabelExpressions[${j}].key: ${text}`]
      }),
    ),
  generation: false,
}

export const volumeAttributesClassRules: KindRules = {
  validate: (object, old) => {
    const out: Errors = []
    if (old !== undefined) {
      if ((object['driverName'] ?? '') !== (old['driverName'] ?? '')) {
        out.push(forbidden('driverName', 'updates to driverName are forbidden.'))
      }
      if (!same(object['parameters'], old['parameters'])) {
        out.push(forbidden('parameters', 'updates to parameters are forbidden.'))
      }
    }
    if (!object['driverName']) out.push(required('driverName'))
    driver(object['driverName'], 'driverName', out)
    parameters(object['parameters'], true, out)
    return out
  },
  generation: false,
}
