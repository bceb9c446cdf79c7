/** Expressions to programs. */
import { known, remember } from './cache.ts'
import { checkInSteps } from './check.ts'
import { Context, LimitReached } from './context.ts'
import type { CelAuthorizer, CelBudget, CelProgram, CelResult, CelType, CompileOptions, Compiled } from './contract.ts'
import { Lazy } from './contract.ts'
import { scopeOf } from './environment.ts'
import { worstCostInSteps } from './estimate.ts'
import { showIssues } from './issues.ts'
import { adapt } from './json.ts'
import { AuthorizerValue } from './library/authz.ts'
import { makeMutation } from './library/mutation.ts'
import { DEVICE_MACROS, MACROS } from './macros.ts'
import { parseInSteps } from './parser.ts'
import type { Plan } from './plan.ts'
import { PlanError, plan, variablesOf } from './plan.ts'
import type { Steps } from '../schema/steps.ts'
import { finish } from '../schema/steps.ts'
import { toDeclared } from './types.ts'
import { validateInSteps } from './validate.ts'
import { Failure } from './values.ts'

/** Upstream's limit of one evaluation. */
const PER_CALL = 1_000_000
const AUTHORIZER = 'kubernetes.authorization.Authorizer'
const NO_LIMITS: ReadonlyMap<string, CelType> = new Map()
const LIMIT_TEXT = 'operation cancelled: actual cost limit exceeded'

/**
 * Compiles an expression once for all who ask with the same profile and the same types (the same objects, so keep them).
 * Never throws.
 */
export function compile(expression: string, options: CompileOptions): Compiled {
  return known(expression, options) ?? finish(compileInSteps(expression, options))
}

/** The same in steps: a text of 100,000 characters takes a fifth of a second. */
export function* compileInSteps(expression: string, options: CompileOptions): Steps<Compiled> {
  const found = known(expression, options)
  if (found !== undefined) return found
  const made = yield* compileNow(expression, options)
  remember(expression, options, made)
  return made
}

function* compileNow(expression: string, options: CompileOptions): Steps<Compiled> {
  const { profile, variables } = options
  const parsed = yield* parseInSteps(expression, profile === 'devices' ? DEVICE_MACROS : MACROS)
  if (!parsed.ok) return { ok: false, issues: showIssues(parsed.issues, parsed.source) }
  const { expr, source } = parsed
  const { type, issues } = yield* checkInSteps(expr, scopeOf(profile, variables))
  if (issues.length > 0) return { ok: false, issues: showIssues(issues, source) }
  const { issues: invalid, patterns } = yield* validateInSteps(expr)
  if (invalid.length > 0) return { ok: false, issues: showIssues(invalid, source) }
  // Only schemas and devices have limits that bound anything.
  const limits = profile === 'schema' || profile === 'devices' ? variables : NO_LIMITS
  const cost = yield* worstCostInSteps(expr, limits)
  const uses = variablesOf(expr)
  yield undefined
  try {
    return {
      ok: true,
      program: new Program(plan(expr, makeMutation, patterns), toDeclared(type), uses, cost, variables),
    }
  } catch (error) {
    if (!(error instanceof PlanError)) throw error
    return { ok: false, issues: error.message, stage: 'program' }
  }
}

class Program implements CelProgram {
  readonly type: CelType
  readonly uses: ReadonlySet<string>
  readonly worstCost: number
  readonly #plan: Plan
  readonly #types: readonly CelType[]

  constructor(
    made: Plan,
    type: CelType,
    uses: ReadonlySet<string>,
    worstCost: number,
    variables: ReadonlyMap<string, CelType>,
  ) {
    this.type = type
    this.uses = uses
    this.worstCost = worstCost
    this.#plan = made
    this.#types = made.variables.map((name) => variables.get(name) ?? { kind: 'dyn' })
  }

  evaluate(values: Readonly<Record<string, unknown>>, budget: CelBudget): CelResult {
    const perCall = budget.perCall ?? PER_CALL
    const left = Math.max(budget.left, 0)
    const slots: unknown[] = []
    slots.length = this.#plan.slots
    const c = new Context(Math.min(perCall, left), slots, (context, slot) => this.#load(context, slot, values, budget))
    let value: unknown
    try {
      value = this.#plan.run(c)
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error
      const cost = Math.min(c.cost, left)
      budget.left -= cost
      return { ok: false, error: LIMIT_TEXT, kind: c.cost > perCall || left >= perCall ? 'cost' : 'budget', cost }
    }
    budget.left -= c.cost
    return value instanceof Failure
      ? { ok: false, error: value.message, kind: 'runtime', cost: c.cost }
      : { ok: true, value, cost: c.cost }
  }

  #load(c: Context, slot: number, values: Readonly<Record<string, unknown>>, budget: CelBudget): unknown {
    const name = this.#plan.variables[slot]!
    const given = Object.hasOwn(values, name) ? values[name] : undefined
    if (given === undefined) return new Failure(`no such attribute(s): ${name}`)
    const type = this.#types[slot]!
    if (!(given instanceof Lazy)) {
      const wraps = type.kind === 'opaque' && type.name === AUTHORIZER && !(given instanceof AuthorizerValue)
      return wraps ? new AuthorizerValue(given as CelAuthorizer) : adapt(given, type)
    }
    // What it costs counts here, not twice.
    const inner: CelBudget = { ...budget, left: Math.max(c.limit - c.cost, 0) }
    const made = given.read(inner)
    c.charge(made.cost)
    return made.ok ? made.value : new Failure(made.error)
  }
}
