/** The rules of a schema when its definition is written: that they compile, and what they may cost at most. */
import { maxCardinality, typeOfSchema } from '../../cel/schema-type.ts'
import { child, forbidden, index, internal, invalid } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import type { SchemaProps } from '../../schema/props.ts'
import { compileRule } from '../../schema/rule.ts'
import type { Steps } from '../../schema/steps.ts'
import type { Errors } from '../checks.ts'
import { shownRule } from './shown.ts'

/** Upstream's cost units: of one expression as often as it may run, and of all of a schema. */
const RULE_LIMIT = 10_000_000
const SCHEMA_LIMIT = 100_000_000
/** Where costs stop growing: Go's largest integer. */
const MOST = 2 ** 64
/** How many rules are named when all together cost too much. */
const NAMED = 4

/** Where rules stand: at most so many times in one object; undefined when nothing bounds it. */
export interface RuleContext {
  readonly costs: RuleCosts
  readonly most: number | undefined
}

/** The context of what a schema contains. */
export function within({ costs, most }: RuleContext, schema: SchemaProps): RuleContext {
  const factor = multiplicity(schema)
  return { costs, most: most === undefined || factor === undefined ? undefined : times(most, factor) }
}

function multiplicity(schema: SchemaProps): number | undefined {
  const { type, additionalProperties, maxProperties, maxItems } = schema
  if (type === 'array') return maxItems === undefined ? undefined : Math.max(0, maxItems)
  if (type !== 'object' || additionalProperties === undefined) return 1
  return maxProperties === undefined ? undefined : Math.max(0, maxProperties)
}

function times(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : Math.min(a * b, MOST)
}

/** What the rules of a schema cost together. */
export class RuleCosts {
  /** Whether single rules are let through whatever they cost. */
  readonly costly: boolean
  #total = 0
  #expensive: { readonly path: string; readonly cost: number }[] = []

  constructor(costly: boolean) {
    this.costly = costly
  }

  add(path: string, cost: number): void {
    this.#total = Math.min(this.#total + cost, MOST)
    if (cost < SCHEMA_LIMIT / 100) return
    this.#expensive.push({ path, cost })
    this.#expensive.sort((a, b) => b.cost - a.cost)
    this.#expensive.length = Math.min(this.#expensive.length, NAMED)
  }

  /** Errors when it is too much. */
  over(path: string): FieldError[] {
    if (this.#total <= SCHEMA_LIMIT) return []
    const why = 'contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema'
    const what = 'x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema'
    return [
      ...this.#expensive.map((rule) => forbidden(rule.path, why)),
      forbidden(path, tooCostly(what, this.#total, SCHEMA_LIMIT)),
    ]
  }
}

function tooCostly(what: string, cost: number, limit: number): string {
  const factor = cost / limit
  const text = factor > 100 ? 'more than 100x' : factor < 1.5 ? `${factor.toFixed(6)}x` : `${factor.toFixed(1)}x`
  return `${what} exceeds budget by factor of ${text} (try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)`
}

interface Where {
  readonly path: string
  readonly root: boolean
  readonly uncorrelated: string | undefined
}

/** Everything wrong with the rules of one node. */
export function* ruleErrors(schema: SchemaProps, where: Where, cel: RuleContext, out: Errors): Steps<void> {
  const all = child(where.path, 'x-kubernetes-validations')
  const { root, uncorrelated } = where
  const type = typeOfSchema(schema, root)
  if (type === undefined) {
    const why = 'unable to convert structural schema to CEL declarations'
    const what = 'internal error: failed to construct type information for x-kubernetes-validations rules'
    out.push(internal(all, `${what}: ${why}`))
    return
  }
  const { costs } = cel
  const most = cel.most ?? maxCardinality(schema, root)
  for (const [i, rule] of schema['x-kubernetes-validations']!.entries()) {
    yield undefined
    const at = index(all, i)
    const compiled = yield* compileRule(rule, schema, type)
    const cost = times(Math.min(compiled.program?.worstCost ?? 0, MOST), most)
    const ruleAt = child(at, 'rule')
    if (!costs.costly && cost > RULE_LIMIT)
      out.push(forbidden(ruleAt, tooCostly('estimated rule cost', cost, RULE_LIMIT)))
    costs.add(ruleAt, cost)
    if (compiled.error !== undefined) out.push(invalid(ruleAt, shownRule(rule), compiled.error))
    const messageAt = child(at, 'messageExpression')
    if (compiled.messageError !== undefined) out.push(invalid(messageAt, shownRule(rule), compiled.messageError))
    else if (compiled.message !== undefined) {
      const spent = Math.min(compiled.message.worstCost, MOST)
      if (!costs.costly && spent > RULE_LIMIT)
        out.push(forbidden(messageAt, tooCostly('estimated messageExpression cost', spent, RULE_LIMIT)))
      costs.add(messageAt, spent)
    }
    if (compiled.usesOldSelf) {
      if (uncorrelated !== undefined) {
        const why = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelated}`
        out.push(invalid(ruleAt, rule.rule, why))
      }
    } else if (rule.optionalOldSelf !== undefined) {
      const why = 'may not be set if oldSelf is not used in rule'
      out.push(invalid(child(at, 'optionalOldSelf'), rule.optionalOldSelf, why))
    }
  }
}
