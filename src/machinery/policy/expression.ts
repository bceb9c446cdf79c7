/** Expressions of policies and match conditions: compiled with upstream's types of results and its words for what is wrong. */
import { compileInSteps } from '../cel/compile.ts'
import type { CelProgram, CelType } from '../cel/contract.ts'
import type { Steps } from '../schema/steps.ts'
import type { Scope } from './environment.ts'
import { declarations } from './environment.ts'

/** What an expression may result in. */
export type ResultRule = 'bool' | 'string' | 'string or null' | 'any' | 'apply configuration' | 'json patch'

export type Expression =
  | { readonly ok: true; readonly program: CelProgram }
  /** `compilation failed: …`, `must evaluate to bool but got int` */
  | { readonly ok: false; readonly why: string }

const EXPECTED: Readonly<Record<ResultRule, readonly string[]>> = {
  bool: ['bool'],
  string: ['string'],
  'string or null': ['string', 'null_type'],
  any: [],
  'apply configuration': ['Object'],
  'json patch': ['list(JSONPatch)'],
}

/** `text` is compiled as it stands: columns in messages count its leading blanks. */
export function* compileExpression(text: string, scope: Scope, rule: ResultRule): Steps<Expression> {
  const patches = rule === 'apply configuration' || rule === 'json patch'
  const profile = patches ? 'mutation' : 'admission'
  const compiled = yield* compileInSteps(text, { profile, variables: declarations(scope) })
  if (!compiled.ok) {
    const what = compiled.stage === 'program' ? 'program instantiation failed' : 'compilation failed'
    return { ok: false, why: `${what}: ${compiled.issues}` }
  }
  const expected = EXPECTED[rule]
  const got = typeText(compiled.program.type)
  if (expected.length === 0 || expected.includes(got)) return compiled
  const one = expected.length === 1
  const wanted = one ? expected[0]! : `one of [${expected.join(' ')}]`
  return { ok: false, why: `must evaluate to ${wanted} but got ${got}` }
}

/** A type as messages have it: `map(string, dyn)`. */
function typeText(type: CelType): string {
  switch (type.kind) {
    case 'null':
      return 'null_type'
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    case 'list':
      return `list(${typeText(type.item)})`
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`
    case 'optional':
      return `optional_type(${typeText(type.value)})`
    case 'object':
    case 'opaque':
      return type.name
    default:
      return type.kind
  }
}

/** The type that others see of a composed variable: messages lose theirs. */
export function composedType(type: CelType): CelType {
  switch (type.kind) {
    case 'list':
      return { kind: 'list', item: composedType(type.item) }
    case 'map':
      return { kind: 'map', key: composedType(type.key), value: composedType(type.value) }
    case 'optional':
    case 'object':
    case 'opaque':
    case 'type':
      return { kind: 'dyn' }
    default:
      return type
  }
}
