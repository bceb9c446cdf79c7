/** Compiled schemas, shared by everything in the process that has the same schema text. */
import { createHash } from 'node:crypto'
import type { FieldError, FieldErrorType } from '../field.ts'
import { child, invalid } from '../field.ts'
import { compileCheck } from './check.ts'
import { compileDefaults } from './defaults.ts'
import { compileEmbedded } from './embedded.ts'
import { own } from './props.ts'
import type { Data, SchemaProps } from './props.ts'
import { compilePrune, pruneMetadata } from './prune.ts'
import { Report } from './report.ts'
import { checkRules, ruleTree } from './rules.ts'
import type { Steps } from './steps.ts'
import { compileUnique, uniqueErrors } from './uniqueness.ts'

/** What one version of a custom resource does with its objects. Objects passed in are private copies. */
export interface CompiledSchema {
  /** Drops what the schema does not know, in place. */
  prune(object: Data): void
  /** Fills in defaults, in place. */
  defaults(object: Data): void
  /**
   * Everything wrong, in upstream's order; on updates what was wrong before and did not change is let through. In steps:
   * rules may take long. Without rules there is one step.
   */
  validate(object: Data, options?: ValidateOptions): Steps<FieldError[]>
  /** Whether the schema has rules: all else is done in one step. */
  readonly hasRules: boolean
  /** Paths of unknown fields: `spec.foo`, `spec.list[0].bar`. */
  unknownFields(object: Data): string[]
}

export interface ValidateOptions {
  /** Before an update. */
  readonly old?: Data | undefined
  /** The status alone is checked by the schema; rules see the whole object. */
  readonly part?: 'status' | undefined
  /** What is checked after the schema: the paths of the scale subresource. */
  readonly more?: ((object: Data) => FieldError[]) | undefined
  /** Hears of failed rules that are let through because nothing has changed. */
  readonly ratcheted?: ((error: FieldError) => void) | undefined
}

const cache = new Map<string, WeakRef<CompiledSchema>>()
const gone = new FinalizationRegistry<string>((hash) => {
  if (cache.get(hash)?.deref() === undefined) cache.delete(hash)
})

/** Compiles a schema, or finds it compiled. Its parts are made when the first object needs them. */
export function compileSchema(schema: SchemaProps): CompiledSchema {
  const hash = createHash('sha256').update(JSON.stringify(schema)).digest('base64')
  const known = cache.get(hash)?.deref()
  if (known !== undefined) return known
  const compiled = compile(schema)
  cache.set(hash, new WeakRef(compiled))
  gone.register(compiled, hash)
  return compiled
}

/** Kinds of errors after which rules are not evaluated. */
const BLOCKING: ReadonlySet<FieldErrorType> = new Set<FieldErrorType>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const NOT_CHECKED =
  'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'

/** Made once by the first that needs it. */
function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}

function compile(schema: SchemaProps): CompiledSchema {
  const prune = lazy(() => compilePrune(schema, true))
  const defaults = lazy(() => compileDefaults(schema, true))
  const check = lazy(() => compileCheck(schema, 'written', true))
  const statusSchema =
    schema.properties !== undefined && Object.hasOwn(schema.properties, 'status')
      ? schema.properties['status']
      : undefined
  const status = lazy(() => (statusSchema === undefined ? undefined : compileCheck(statusSchema, 'written', true)))
  const embedded = lazy(() => compileEmbedded(schema, true))
  const unique = lazy(() => compileUnique(schema))
  const rules = ruleTree(schema, true)

  function* bySchema(object: Data, { old, part }: ValidateOptions, report: Report): Steps<void> {
    if (part === undefined) {
      check()?.(object, old, '', report)
      yield* report.rest()
    } else if (Object.hasOwn(object, 'status')) {
      const found = new Report()
      status()?.(object['status'], old === undefined ? undefined : own(old, 'status'), '', found)
      yield* found.rest()
      for (const error of found.list) report.push({ ...error, field: statusField(error.field) })
    }
  }
  return {
    hasRules: rules !== undefined,
    prune(object) {
      prune()?.(object, '', undefined)
      pruneMetadata(object, '', undefined)
    },
    defaults(object) {
      defaults()?.(object)
    },
    *validate(object, options = {}) {
      const { old, part, more, ratcheted } = options
      const report = new Report()
      yield* bySchema(object, options, report)
      if (more !== undefined) report.push(...more(object))
      if (part === undefined) embedded()?.(object, '', report)
      report.push(...(yield* uniqueErrors(unique(), object, old)))
      if (rules === undefined) return report.list
      if (report.list.some((error) => BLOCKING.has(error.type))) report.push(invalid('<nil>', null, NOT_CHECKED))
      else yield* checkRules(rules, { path: '', value: object, old, ratchet: old !== undefined, report, ratcheted })
      return report.list
    },
    unknownFields(object) {
      const unknown: string[] = []
      prune()?.(object, '', unknown)
      pruneMetadata(object, '', unknown)
      return unknown
    },
  }
}

/** Fields of a check that began at the status. */
function statusField(field: string): string {
  if (field === '' || field === '<nil>') return 'status'
  return field.startsWith('[') ? `status${field}` : child('status', field)
}
