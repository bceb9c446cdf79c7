/** Compiled schemas, shared by everything in the process that has the same schema text. */
import { createHash } from 'node:crypto'
import type { FieldError } from '../field.ts'
import { compileCheck } from './check.ts'
import { compileDefaults } from './defaults.ts'
import type { Data, SchemaProps } from './props.ts'
import { compilePrune, pruneMetadata } from './prune.ts'

/** What one version of a custom resource does with its objects. Objects passed in are private copies. */
export interface CompiledSchema {
  /** Drops what the schema does not know, in place. */
  prune(object: Data): void
  /** Fills in defaults, in place. */
  defaults(object: Data): void
  /** Everything wrong; on updates what was wrong before and did not change is let through. */
  validate(object: Data, old?: Data): FieldError[]
  /** Paths of unknown fields: `spec.foo`, `spec.list[0].bar`. */
  unknownFields(object: Data): string[]
}

const cache = new Map<string, WeakRef<CompiledSchema>>()
const gone = new FinalizationRegistry<string>((hash) => {
  if (cache.get(hash)?.deref() === undefined) cache.delete(hash)
})

/** Compiles a schema, or finds it compiled. @throws for a pattern that is none: validate the definition first */
export function compileSchema(schema: SchemaProps): CompiledSchema {
  const hash = createHash('sha256').update(JSON.stringify(schema)).digest('base64')
  const known = cache.get(hash)?.deref()
  if (known !== undefined) return known
  const compiled = compile(schema)
  cache.set(hash, new WeakRef(compiled))
  gone.register(compiled, hash)
  return compiled
}

function compile(schema: SchemaProps): CompiledSchema {
  const prune = compilePrune(schema, true)
  const defaults = compileDefaults(schema, true)
  const check = compileCheck(schema, true)
  return {
    prune(object) {
      prune?.(object, '', undefined)
      pruneMetadata(object, '', undefined)
    },
    defaults(object) {
      defaults?.(object)
    },
    validate(object, old) {
      const errors: FieldError[] = []
      check?.(object, old, '', errors)
      return errors
    },
    unknownFields(object) {
      const unknown: string[] = []
      prune?.(object, '', unknown)
      pruneMetadata(object, '', unknown)
      return unknown
    },
  }
}
