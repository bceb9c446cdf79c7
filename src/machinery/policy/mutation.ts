/** What the expressions of mutations evaluate to, as JSON. */
import { toJson } from '../cel/output.ts'

export interface JsonPatchOperation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

export function configurationOf(value: unknown): Readonly<Record<string, unknown>> {
  return toJson(value) as Readonly<Record<string, unknown>>
}

export function operationsOf(value: unknown): readonly JsonPatchOperation[] {
  return toJson(value) as readonly JsonPatchOperation[]
}
