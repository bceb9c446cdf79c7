/** What the expressions of mutations evaluate to, as JSON. */
import { ObjectValue, misnamedObjects } from '../cel/library/mutation.ts'
import { toJson } from '../cel/output.ts'
import { List } from '../cel/values.ts'

export interface JsonPatchOperation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** An `Object{…}` as an apply configuration. @throws MutationError when types are named otherwise than their fields */
export function configurationOf(value: unknown): Readonly<Record<string, unknown>> {
  checkNames(value)
  return toJson(value) as Readonly<Record<string, unknown>>
}

/** A list of `JSONPatch{…}` as operations. @throws MutationError as above */
export function operationsOf(value: unknown): readonly JsonPatchOperation[] {
  if (value instanceof List) {
    for (let i = 0; i < value.length; i++) {
      const operation = value.at(i)
      if (operation instanceof ObjectValue) checkNames(operation.fields.get('value'))
    }
  }
  return toJson(value) as readonly JsonPatchOperation[]
}

/** A mutation cannot be done; the policy's failure policy says what that means. */
export class MutationError extends Error {}

function checkNames(value: unknown): void {
  const wrong = misnamedObjects(value)
  if (wrong.length > 0) throw new MutationError(`type mismatch: ${wrong.join('\n')}`)
}
