/**
 * The rules of a schema, evaluated over an object: in upstream's order, with its texts, under its budgets. In steps,
 * because the rules of one object may take long.
 */
import type { CelBudget, CelType } from '../cel/contract.ts'
import { adapt } from '../cel/json.ts'
import { typeOfSchema } from '../cel/schema-type.ts'
import { NONE, Optional } from '../cel/values.ts'
import type { FieldError } from '../field.ts'
import { child, duplicate, forbidden, index, invalid, key, required } from '../field.ts'
import { correlation, memberSchema, unchanged } from './correlate.ts'
import { isObject, own } from './props.ts'
import type { SchemaProps, ValidationRule } from './props.ts'
import type { Report } from './report.ts'
import { compileRule } from './rule.ts'
import type { CompiledRule } from './rule.ts'
import type { Steps } from './steps.ts'

/** Upstream's cost units for one object, and for one evaluation. */
const OBJECT_BUDGET = 10_000_000
const CALL_BUDGET = 1_000_000
/** Bytes of an evaluated message. */
const MAX_MESSAGE = 5 * 1024

/** Rules of a schema and of all below it. */
export interface RuleTree {
  readonly schema: SchemaProps
  readonly rules: readonly ValidationRule[]
  readonly root: boolean
  readonly items: RuleTree | undefined
  readonly properties: ReadonlyMap<string, RuleTree>
  readonly additional: RuleTree | undefined
  /** Made when the first value needs it. */
  compiled: (CompiledRule | undefined)[] | undefined
  type: CelType | undefined
}

/** Undefined when there is no rule. What rules cannot see (data without a type) has none. */
export function ruleTree(schema: SchemaProps, root: boolean): RuleTree | undefined {
  const rules = schema['x-kubernetes-validations'] ?? []
  const below = (inner: SchemaProps): RuleTree | undefined =>
    typeOfSchema(inner) === undefined ? undefined : ruleTree(inner, inner['x-kubernetes-embedded-resource'] === true)
  const properties = new Map<string, RuleTree>()
  for (const [name, inner] of Object.entries(schema.properties ?? {})) {
    const tree = below(inner)
    if (tree !== undefined) properties.set(name, tree)
  }
  const { additionalProperties } = schema
  const additional = typeof additionalProperties === 'object' ? below(additionalProperties) : undefined
  const items = schema.items === undefined ? undefined : below(schema.items)
  if (rules.length === 0 && properties.size === 0 && additional === undefined && items === undefined) return undefined
  return { schema, rules, root, items, properties, additional, compiled: undefined, type: undefined }
}

/** A value beside what it was; undefined where that cannot be said. */
interface Pair {
  readonly schema: SchemaProps
  readonly value: unknown
  readonly old: unknown
}

interface Place {
  readonly pair: Pair | undefined
  /** The nearest one above that could be correlated. */
  readonly above: Pair | undefined
}

const NOWHERE: Place = { pair: undefined, above: undefined }

function memberOf(place: Place, name: string): Place {
  const { pair, above } = place
  if (pair === undefined) return place
  if (above === undefined && (name === 'apiVersion' || name === 'kind')) return NOWHERE
  const schema = memberSchema(pair.schema, name)
  const { value, old } = pair
  const known = schema !== undefined && isObject(value) && isObject(old) && Object.hasOwn(old, name)
  return { pair: known ? { schema, value: value[name], old: old[name] } : undefined, above: pair }
}

export interface RuleOptions {
  /** Where the value stands. '' for the root of an object. */
  readonly path: string
  readonly value: unknown
  /** Before an update; undefined for a create. */
  readonly old: unknown
  /** Whether failures of what has not changed are let through. */
  readonly ratchet: boolean
  readonly report: Report
  /** Hears what was let through. */
  readonly ratcheted?: ((error: FieldError) => void) | undefined
}

/** Evaluates all rules of a tree. */
export function* checkRules(tree: RuleTree, options: RuleOptions): Steps<void> {
  const run = new Run(options)
  const { path, value, old, ratchet } = options
  const place = ratchet ? { pair: { schema: tree.schema, value, old }, above: undefined } : NOWHERE
  yield* run.visit(tree, path, value, old ?? undefined, place)
}

const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

class Run {
  readonly #report: Report
  readonly #ratcheted: ((error: FieldError) => void) | undefined
  readonly #budget: CelBudget = { left: OBJECT_BUDGET, perCall: CALL_BUDGET }
  #over = false

  constructor({ report, ratcheted }: RuleOptions) {
    this.#report = report
    this.#ratcheted = ratcheted
  }

  *visit(tree: RuleTree, path: string, value: unknown, old: unknown, place: Place): Steps<void> {
    if (value === null || value === undefined) return
    if (tree.rules.length > 0) yield* this.#own(tree, path, value, old, place)
    if (Array.isArray(value)) {
      if (tree.items === undefined) return
      const find = Array.isArray(old) ? correlation(tree.schema)?.(old) : undefined
      const was = Array.isArray(place.pair?.old) ? correlation(tree.schema)?.(place.pair.old) : undefined
      for (let i = 0; i < value.length && !this.#over; i++) {
        const item: unknown = value[i]
        const before = was?.(item)
        const inner = before === undefined ? undefined : { schema: tree.items.schema, value: item, old: before }
        const at = place.pair === undefined ? place : { pair: inner, above: place.pair }
        yield* this.visit(tree.items, index(path, i), item, find?.(item) ?? undefined, at)
      }
    } else if (isObject(value)) {
      const before = isObject(old) ? old : undefined
      const member = (name: string): unknown => (before === undefined ? undefined : (own(before, name) ?? undefined))
      if (tree.additional !== undefined) {
        for (const name of Object.keys(value)) {
          if (this.#over) return
          yield* this.visit(tree.additional, key(path, name), value[name], member(name), memberOf(place, name))
        }
      }
      for (const [name, inner] of tree.properties) {
        if (this.#over) return
        if (!Object.hasOwn(value, name)) continue
        yield* this.visit(inner, child(path, name), value[name], member(name), memberOf(place, name))
      }
    }
  }

  *#own(tree: RuleTree, path: string, value: unknown, old: unknown, place: Place): Steps<void> {
    const shown = path === '' ? '<nil>' : path
    const type = tree.schema.type ?? ''
    const say = (detail: string): void => this.#report.push(invalid(shown, type, detail))
    if (this.#budget.left <= 0) {
      say(OUT_OF_BUDGET)
      this.#over = true
      return
    }
    for (const i of tree.rules.keys()) {
      yield undefined
      const rule = tree.compiled?.[i] ?? (yield* compiledAt(tree, i))
      const { program, source } = rule
      if (rule.error !== undefined) {
        say(`rule compile error: ${rule.error}`)
        continue
      }
      if (program === undefined) continue
      const optional = source.optionalOldSelf === true
      if (rule.usesOldSelf && old === undefined && !optional) continue
      const values = optional ? { self: value, oldSelf: maybe(old, tree.type!) } : valuesOf(value, old)
      const result = program.evaluate(values, this.#budget)
      if (!result.ok) {
        const text = source.message?.trim() || source.rule.trim()
        if (result.kind === 'budget') {
          say(OUT_OF_BUDGET)
          this.#over = true
          return
        }
        if (result.kind === 'cost') {
          say(
            `'${result.error}': no further validation rules will be run due to call cost exceeds limit for rule: ${text}`,
          )
          this.#over = true
          return
        }
        if (result.error.startsWith('no such overload')) {
          const why = 'call arguments did not match a supported operator, function or macro signature for rule'
          say(`'${result.error}': ${why}: ${text}`)
        } else say(`${result.error} evaluating rule: ${text}`)
        continue
      }
      if (result.value === true) continue
      this.#failed(tree, rule, shown, value, old, place)
      if (this.#over) return
    }
  }

  #failed(tree: RuleTree, rule: CompiledRule, path: string, value: unknown, old: unknown, place: Place): void {
    const { source, message } = rule
    const type = tree.schema.type ?? ''
    const field = rule.fieldPath === '' ? path : path === '<nil>' ? rule.fieldPath : child(path, rule.fieldPath)
    const add = (error: FieldError): void => {
      if (!rule.usesOldSelf && this.#isUnchanged(place)) this.#ratcheted?.(error)
      else this.#report.push(error)
    }
    let detail: string | undefined
    if (message !== undefined) {
      const result = message.evaluate(valuesOf(value, old), this.#budget)
      if (result.ok) detail = messageText(result.value)
      else if (result.kind !== 'runtime') {
        const why =
          result.kind === 'budget'
            ? 'messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run'
            : `no further validation rules will be run due to call cost exceeds limit for messageExpression: ${JSON.stringify(source.messageExpression)}`
        add(invalid(field, type, why))
        this.#over = true
        return
      }
    }
    detail ??=
      source.message === undefined || source.message === ''
        ? `failed rule: ${source.rule.trim()}`
        : source.message.trim()
    add(reasoned(source.reason, field, type === 'object' || type === 'array' ? OMITTED : value, detail))
  }

  #isUnchanged({ pair, above }: Place): boolean {
    const known = pair ?? above
    return known !== undefined && unchanged(known.schema, known.value, known.old, this.#report.same)
  }
}

function* compiledAt(tree: RuleTree, i: number): Steps<CompiledRule> {
  tree.type ??= typeOfSchema(tree.schema, tree.root)
  const compiled = yield* compileRule(tree.rules[i]!, tree.schema, tree.type!)
  tree.compiled ??= []
  return (tree.compiled[i] = compiled)
}

function valuesOf(self: unknown, old: unknown): Record<string, unknown> {
  return old === undefined ? { self } : { self, oldSelf: old }
}

/** What an optional `oldSelf` is. */
function maybe(old: unknown, type: CelType): Optional {
  return old === undefined ? NONE : new Optional(true, adapt(old, type))
}

function messageText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  return text === '' || text.includes('\n') || Buffer.byteLength(text) > MAX_MESSAGE ? undefined : text
}

const OMITTED = Symbol('omitted')

function reasoned(reason: ValidationRule['reason'], field: string, value: unknown, detail: string): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return forbidden(field, detail)
    case 'FieldValueRequired':
      return required(field, detail)
    case 'FieldValueDuplicate':
      return value === OMITTED
        ? { type: 'FieldValueDuplicate', field, message: 'Duplicate value' }
        : duplicate(field, value)
    default:
      return value === OMITTED
        ? { type: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` }
        : invalid(field, value, detail)
  }
}
