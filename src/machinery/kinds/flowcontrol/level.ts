/** PriorityLevelConfiguration: how many requests of a kind run at once. */
import { child, forbidden, invalid, notSupported, required } from '../../field.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entry, isSet, same } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata, statusErrors } from './conditions.ts'
import { FIXED_LEVELS } from './mandatory.ts'

const TYPES = ['Exempt', 'Limited']
const RESPONSES = ['Queue', 'Reject']
const ZERO_SHARES = 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares'
const MAX_QUEUES = 10_000_000
const MAX_HASH_BITS = 60
const DEFAULT_SHARES = 30
const QUEUING = { handSize: 8, queues: 64, queueLengthLimit: 50 } as const

function orElse(object: Json, field: string, value: number): void {
  if (!isSet(object[field])) object[field] = value
}

function validateSpec(name: string, spec: Json, out: Errors): void {
  const { type = '', exempt, limited } = spec
  if ((name === 'exempt') !== (type === 'Exempt')) {
    out.push(invalid('spec.type', type, "must be 'Exempt' if and only if `name` is 'exempt'"))
  }
  if (type === 'Exempt' && isSet(exempt)) shares(exempt, 'spec.exempt', out)
  if (type === 'Limited' && isSet(limited)) limits(limited, out)
  if (type !== '' && !TYPES.includes(type)) out.push(notSupported('spec.type', type, TYPES))
}

/** What upstream declares about the parts that belong to a type: it is told last, and of parts that count for nothing too. */
function validateParts({ type = '', exempt, limited }: Json, out: Errors): void {
  if (type === '') out.push(required('spec.type'))
  if (isSet(exempt) && type !== 'Exempt') out.push(forbidden('spec.exempt', ''))
  if (isSet(limited) && type !== 'Limited') out.push(forbidden('spec.limited', ''))
  if (!isSet(limited)) {
    if (type === 'Limited') out.push(required('spec.limited'))
    return
  }
  const path = 'spec.limited.limitResponse'
  const { type: response = '', queuing } = limited.limitResponse ?? {}
  if (response === '') out.push(required(child(path, 'type')))
  if (isSet(queuing) && response !== 'Queue') out.push(forbidden(child(path, 'queuing'), ''))
  if (!isSet(queuing) && response === 'Queue') out.push(required(child(path, 'queuing')))
}

function shares(value: Json, path: string, out: Errors): void {
  const { nominalConcurrencyShares: nominal } = value
  if (nominal < 0) out.push(invalid(child(path, 'nominalConcurrencyShares'), nominal, 'must be a non-negative integer'))
  lendable(value, path, out)
}

function lendable({ lendablePercent: percent }: Json, path: string, out: Errors): void {
  if (!isSet(percent) || (percent >= 0 && percent <= 100)) return
  out.push(invalid(child(path, 'lendablePercent'), percent, 'must be between 0 and 100, inclusive'))
}

function limits(limited: Json, out: Errors): void {
  const path = 'spec.limited'
  const { nominalConcurrencyShares: nominal, borrowingLimitPercent: borrowing } = limited
  if (nominal < 0) out.push(invalid(child(path, 'nominalConcurrencyShares'), nominal, 'must be a non-negative integer'))
  const at = child(path, 'limitResponse')
  const { type = '', queuing } = limited.limitResponse ?? {}
  if (type === 'Queue' && isSet(queuing)) queues(queuing, child(at, 'queuing'), out)
  if (type !== '' && !RESPONSES.includes(type)) out.push(notSupported(child(at, 'type'), type, RESPONSES))
  lendable(limited, path, out)
  if (borrowing < 0) {
    const why = 'if specified, must be a non-negative integer'
    out.push(invalid(child(path, 'borrowingLimitPercent'), borrowing, why))
  }
}

function queues({ queueLengthLimit = 0, queues: count = 0, handSize = 0 }: Json, path: string, out: Errors): void {
  const refuse = (field: string, value: number, why: string): unknown =>
    out.push(invalid(child(path, field), value, why))
  if (queueLengthLimit <= 0) refuse('queueLengthLimit', queueLengthLimit, 'must be positive')
  if (count <= 0) refuse('queues', count, 'must be positive')
  else if (count > MAX_QUEUES) refuse('queues', count, `must not be greater than ${MAX_QUEUES}`)
  if (handSize <= 0) refuse('handSize', handSize, 'must be positive')
  else if (handSize > count) refuse('handSize', handSize, `should not be greater than queues (${count})`)
  else if (entropyBits(count, handSize) > MAX_HASH_BITS) {
    const why = `required entropy bits of deckSize ${count} and handSize ${handSize} should not be greater than ${MAX_HASH_BITS}`
    refuse('handSize', handSize, why)
  }
}

/** Bits of a hash that deals a hand; counted until they are too many. */
function entropyBits(deck: number, hand: number): number {
  let bits = 0
  for (let i = 0; i < hand && bits <= MAX_HASH_BITS; i++) bits += Math.log2(deck - i)
  return Math.ceil(bits)
}

export const priorityLevelRules: KindRules = {
  defaults: (level) => {
    const { exempt, limited }: Json = level['spec'] ?? {}
    if (isSet(exempt)) {
      orElse(exempt, 'nominalConcurrencyShares', 0)
      orElse(exempt, 'lendablePercent', 0)
    }
    if (!isSet(limited)) return
    orElse(limited, 'nominalConcurrencyShares', DEFAULT_SHARES)
    orElse(limited, 'lendablePercent', 0)
    const queuing: Json = limited.limitResponse?.queuing
    if (!isSet(queuing)) return
    for (const [field, value] of Object.entries(QUEUING)) if (!queuing[field]) queuing[field] = value
  },
  prepareCreate: (level) => {
    level['status'] = {}
  },
  prepareUpdate: (level, old) => {
    level['status'] = old['status']
  },
  prepareStatus: keepMetadata,
  validate: (level) => {
    const out: Errors = []
    const spec: Json = level['spec'] ?? {}
    const name = level.metadata.name ?? ''
    if (entry(level.metadata.annotations, ZERO_SHARES) !== undefined) {
      out.push(forbidden('metadata.annotations', `annotation '${ZERO_SHARES}' is forbidden`))
    }
    validateSpec(name, spec, out)
    fixedSpec(name, spec, out)
    out.push(...statusErrors(level))
    validateParts(spec, out)
    return out
  },
  validateStatus: statusErrors,
  generation: (level) => level['spec'],
}

function fixedSpec(name: string, spec: Json, out: Errors): void {
  const fixed = FIXED_LEVELS.get(name)
  if (fixed === undefined) return
  const exempt = name === 'exempt'
  if (same(exempt ? { ...spec, exempt: fixed.exempt } : spec, fixed)) return
  const except = exempt ? " except the 'spec.exempt' field" : ''
  out.push(invalid('spec', spec, `spec of '${name}'${except} must equal the fixed value`))
}
