/** One rule of `x-kubernetes-validations`, compiled. */
import type { CelProgram, CelType } from '../cel/contract.ts'
import { compileInSteps } from '../cel/compile.ts'
import type { ValidationRule } from './props.ts'
import type { SchemaProps } from './props.ts'
import { findPath } from './rule-path.ts'
import type { Steps } from './steps.ts'

export interface CompiledRule {
  readonly source: ValidationRule
  /** Absent when the rule is empty or has an error. */
  readonly program?: CelProgram
  /** Upstream's text of what is wrong. */
  readonly error?: string
  readonly message?: CelProgram
  readonly messageError?: string
  /** It is about a change. */
  readonly usesOldSelf: boolean
  /** Where errors are reported, below the place of the rule; '' for that place. */
  readonly fieldPath: string
}

/** `self`: the type of what the rule stands on. */
export function* compileRule(rule: ValidationRule, schema: SchemaProps, self: CelType): Steps<CompiledRule> {
  const source = rule
  const none = { source, usesOldSelf: false, fieldPath: '' }
  if (rule.rule.trim() === '') return none
  const oldSelf: CelType = rule.optionalOldSelf === true ? { kind: 'optional', value: self } : self
  const options = { profile: 'schema' as const, variables: new Map([['self', self] as const, ['oldSelf', oldSelf]]) }
  const compiled = yield* compileInSteps(rule.rule, options)
  if (!compiled.ok) {
    const what = compiled.stage === 'program' ? 'program instantiation failed' : 'compilation failed'
    return { ...none, error: `${what}: ${compiled.issues}` }
  }
  const { program } = compiled
  if (program.type.kind !== 'bool') return { ...none, error: 'cel expression must evaluate to a bool' }
  const usesOldSelf = program.uses.has('oldSelf')
  const path =
    rule.fieldPath === undefined || rule.fieldPath === '' ? undefined : findPath(rule.fieldPath, schema, true)
  const done = { source, program, usesOldSelf, fieldPath: path?.ok === true ? path.text : '' }
  if (rule.messageExpression === undefined || rule.messageExpression === '') return done
  const message = yield* compileInSteps(rule.messageExpression, options)
  if (!message.ok) {
    const what = message.stage === 'program' ? 'instantiation' : 'compilation'
    return { ...done, messageError: `messageExpression ${what} failed: ${message.issues}` }
  }
  if (message.program.type.kind !== 'string')
    return { ...done, messageError: 'messageExpression must evaluate to a string' }
  return { ...done, message: message.program }
}
