/** Expressions that select devices: CEL over `device`. */
import { child, forbidden, index, invalid, required, tooLong } from '../../field.ts'
import { compile, compileInSteps } from '../../cel/compile.ts'
import type { CelType, CompileOptions, Compiled } from '../../cel/contract.ts'
import { typeText } from '../../cel/types.ts'
import type { Steps } from '../../schema/steps.ts'
import type { Errors } from '../checks.ts'
import { isSet } from '../json.ts'
import type { Json } from '../json.ts'
import { sized } from './lists.ts'

const MAX_EXPRESSION = 10 * 1024
const MAX_COST = 1_000_000
const MAX_ENTRIES = 32

const text = (maxLength: number): CelType => ({ kind: 'string', maxLength })
const perDomain = (value: CelType): CelType => ({
  kind: 'map',
  key: text(63),
  value: { kind: 'map', key: text(32), value, maxItems: MAX_ENTRIES, members: true },
  maxItems: MAX_ENTRIES,
})

const FIELDS: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['driver', text(63)],
  ['allowMultipleAllocations', { kind: 'bool' }],
  ['attributes', perDomain({ kind: 'dyn', maxLength: 64 })],
  ['capacity', perDomain({ kind: 'opaque', name: 'kubernetes.Quantity' })],
])
const VARIABLES: ReadonlyMap<string, CelType> = new Map([
  ['device', { kind: 'object', name: 'kubernetes.DRADevice', field: (name) => FIELDS.get(name) }],
])

const OPTIONS: CompileOptions = { profile: 'devices', variables: VARIABLES }

export function compileSelector(expression: string): Compiled {
  return compile(expression, OPTIONS)
}

/** A list of selectors. `stored`: the expressions were let in before. */
export function* selectors(list: Json, stored: boolean, path: string, out: Errors): Steps<void> {
  for (const [i, selector] of sized(list, 32, path, out).entries()) {
    yield undefined
    const at = child(index(path, i), 'cel')
    if (!isSet(selector?.cel)) out.push(required(at))
    else if (!stored) yield* expression(selector.cel.expression ?? '', child(at, 'expression'), out)
  }
}

function* expression(written: string, path: string, out: Errors): Steps<void> {
  if (Buffer.byteLength(written) > MAX_EXPRESSION) {
    out.push(tooLong(path, MAX_EXPRESSION))
    return
  }
  const compiled = yield* compileInSteps(written, OPTIONS)
  if (!compiled.ok) {
    const what = compiled.stage === 'program' ? 'program instantiation failed' : 'compilation failed'
    out.push(invalid(path, written, `${what}: ${compiled.issues}`))
    return
  }
  const { type, worstCost } = compiled.program
  if (type.kind !== 'bool' && type.kind !== 'dyn') {
    out.push(invalid(path, written, `must evaluate to bool or the unknown type, not ${typeText(type)}`))
  } else if (worstCost > MAX_COST) out.push(forbidden(path, 'too complex, exceeds cost limit'))
}
