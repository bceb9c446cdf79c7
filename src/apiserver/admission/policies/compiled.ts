/** Compiled policies. Clusters with the same text share one; what nobody used for long is forgotten. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { Composed } from '../../../machinery/policy/composition.ts'
import { compose } from '../../../machinery/policy/composition.ts'
import { compileConditions } from '../../../machinery/policy/conditions.ts'
import type { Scope } from '../../../machinery/policy/environment.ts'
import type { Checked } from '../../../machinery/policy/evaluate.ts'
import { compileExpression, type ResultRule } from '../../../machinery/policy/expression.ts'
import type { MutatingSpec, PolicySpec, Validation, ValidatingSpec } from './spec.ts'
import { specOf } from './spec.ts'

export interface CompiledPolicy {
  readonly ignore: boolean
  readonly composed: Composed
  readonly conditions: readonly Checked[]
}

export interface CompiledValidating extends CompiledPolicy {
  readonly validations: readonly (Checked & { readonly spec: Validation; readonly messageExpression?: Checked })[]
  readonly annotations: readonly (Checked & { readonly key: string })[]
}

export interface CompiledMutating extends CompiledPolicy {
  readonly mutations: readonly (Checked & { readonly type: 'ApplyConfiguration' | 'JSONPatch' })[]
}

/** Characters of policies that are kept compiled for all clusters together. */
const MOST_TEXT = 8 * 1024 * 1024

/** Compiles each distinct text once. */
class Compiler<S extends PolicySpec, C> {
  readonly #compile: (spec: S) => C
  readonly #byPolicy = new WeakMap<KubeObject, C>()
  /** In the order of use. */
  readonly #byText = new Map<string, C>()
  #size = 0

  constructor(compile: (spec: S) => C) {
    this.#compile = compile
  }

  of(policy: KubeObject): C {
    let compiled = this.#byPolicy.get(policy)
    if (compiled === undefined) this.#byPolicy.set(policy, (compiled = this.#shared(specOf<S>(policy))))
    return compiled
  }

  #shared(spec: S): C {
    const { matchConstraints: _match, ...rest } = spec
    const text = JSON.stringify(rest)
    let compiled = this.#byText.get(text)
    if (compiled === undefined) {
      compiled = this.#compile(spec)
      this.#size += text.length
    } else this.#byText.delete(text)
    this.#byText.set(text, compiled)
    for (const oldest of this.#byText.keys()) {
      if (this.#size <= MOST_TEXT || oldest === text) break
      this.#byText.delete(oldest)
      this.#size -= oldest.length
    }
    return compiled
  }
}

function common(spec: PolicySpec): CompiledPolicy & { readonly scope: Scope } {
  const base: Scope = { params: spec.paramKind !== undefined, authorizer: true }
  const composed = compose(spec.variables ?? [], base)
  const scope: Scope = { ...base, composed: composed.types }
  const conditions = compileConditions(spec.matchConditions ?? [], scope)
  return { ignore: spec.failurePolicy === 'Ignore', composed, conditions, scope }
}

const checked = (text: string, scope: Scope, rule: ResultRule): Checked => ({
  text,
  expression: compileExpression(text, scope, rule),
})

const validating = new Compiler((spec: ValidatingSpec): CompiledValidating => {
  const { scope, ...policy } = common(spec)
  const validations = (spec.validations ?? []).map((validation) => {
    const { expression, messageExpression = '' } = validation
    const message =
      messageExpression === '' ? undefined : checked(messageExpression, { ...scope, authorizer: false }, 'string')
    return {
      ...checked(expression, scope, 'bool'),
      spec: validation,
      ...(message === undefined ? {} : { messageExpression: message }),
    }
  })
  const annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
    ...checked(valueExpression, scope, 'string or null'),
    key,
  }))
  return { ...policy, validations, annotations }
})

const mutating = new Compiler((spec: MutatingSpec): CompiledMutating => {
  const { scope, ...policy } = common(spec)
  const mutations = (spec.mutations ?? []).map(({ patchType: type, applyConfiguration, jsonPatch }) => {
    const json = type === 'JSONPatch'
    const text = (json ? jsonPatch : applyConfiguration)?.expression ?? ''
    return { ...checked(text, scope, json ? 'json patch' : 'apply configuration'), type }
  })
  return { ...policy, mutations }
})

/** `policy` is a stored object: shared, never changed. */
export const compiledValidating = (policy: KubeObject): CompiledValidating => validating.of(policy)
export const compiledMutating = (policy: KubeObject): CompiledMutating => mutating.of(policy)
