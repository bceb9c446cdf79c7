/** Compiled policies. Clusters with the same text share one; what nobody used for long is forgotten. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { Composed } from '../../../machinery/policy/composition.ts'
import { compose } from '../../../machinery/policy/composition.ts'
import { compileConditions } from '../../../machinery/policy/conditions.ts'
import type { Scope } from '../../../machinery/policy/environment.ts'
import type { Checked } from '../../../machinery/policy/evaluate.ts'
import { compileExpression, type ResultRule } from '../../../machinery/policy/expression.ts'
import type { Steps } from '../../../machinery/schema/steps.ts'
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

/** Compiles each distinct text once, in steps: a policy may have many expressions, and long ones. */
class Compiler<S extends PolicySpec, C> {
  readonly #compile: (spec: S) => Steps<C>
  readonly #byPolicy = new WeakMap<KubeObject, C>()
  /** In the order of use. */
  readonly #byText = new Map<string, C>()
  #size = 0

  constructor(compile: (spec: S) => Steps<C>) {
    this.#compile = compile
  }

  *of(policy: KubeObject): Steps<C> {
    let compiled = this.#byPolicy.get(policy)
    if (compiled === undefined) this.#byPolicy.set(policy, (compiled = yield* this.#shared(specOf<S>(policy))))
    return compiled
  }

  *#shared(spec: S): Steps<C> {
    const { matchConstraints: _match, ...rest } = spec
    const text = JSON.stringify(rest)
    let compiled = this.#byText.get(text)
    if (compiled === undefined) {
      compiled = yield* this.#compile(spec)
      // Somebody else may have compiled it meanwhile.
      if (!this.#byText.has(text)) this.#size += text.length
    }
    this.#byText.delete(text)
    this.#byText.set(text, compiled)
    for (const oldest of this.#byText.keys()) {
      if (this.#size <= MOST_TEXT || oldest === text) break
      this.#byText.delete(oldest)
      this.#size -= oldest.length
    }
    return compiled
  }
}

function* common(spec: PolicySpec): Steps<CompiledPolicy & { readonly scope: Scope }> {
  const base: Scope = { params: spec.paramKind !== undefined, authorizer: true }
  const composed = yield* compose(spec.variables ?? [], base)
  const scope: Scope = { ...base, composed: composed.types }
  const conditions = yield* compileConditions(spec.matchConditions ?? [], scope)
  return { ignore: spec.failurePolicy === 'Ignore', composed, conditions, scope }
}

function* checked(text: string, scope: Scope, rule: ResultRule): Steps<Checked> {
  yield undefined
  return { text, expression: yield* compileExpression(text, scope, rule) }
}

const validating = new Compiler(function* (spec: ValidatingSpec): Steps<CompiledValidating> {
  const { scope, ...policy } = yield* common(spec)
  const validations: CompiledValidating['validations'][number][] = []
  for (const validation of spec.validations ?? []) {
    const { expression, messageExpression = '' } = validation
    const own = { ...(yield* checked(expression, scope, 'bool')), spec: validation }
    if (messageExpression === '') validations.push(own)
    else {
      const message = yield* checked(messageExpression, { ...scope, authorizer: false }, 'string')
      validations.push({ ...own, messageExpression: message })
    }
  }
  const annotations: CompiledValidating['annotations'][number][] = []
  for (const { key, valueExpression } of spec.auditAnnotations ?? []) {
    annotations.push({ ...(yield* checked(valueExpression, scope, 'string or null')), key })
  }
  return { ...policy, validations, annotations }
})

const mutating = new Compiler(function* (spec: MutatingSpec): Steps<CompiledMutating> {
  const { scope, ...policy } = yield* common(spec)
  const mutations: CompiledMutating['mutations'][number][] = []
  for (const { patchType: type, applyConfiguration, jsonPatch } of spec.mutations ?? []) {
    const json = type === 'JSONPatch'
    const text = (json ? jsonPatch : applyConfiguration)?.expression ?? ''
    mutations.push({ ...(yield* checked(text, scope, json ? 'json patch' : 'apply configuration')), type })
  }
  return { ...policy, mutations }
})

/** `policy` is a stored object: shared, never changed. */
export const compiledValidating = (policy: KubeObject): Steps<CompiledValidating> => validating.of(policy)
export const compiledMutating = (policy: KubeObject): Steps<CompiledMutating> => mutating.of(policy)
