/** Filters over sets: the fields that a write through an endpoint cannot change are not tracked there. */
import type { FieldSet } from './fieldset.ts'

export type FieldFilter = (set: FieldSet) => FieldSet

/** Takes away these fields and everything below them. */
export function without(excluded: FieldSet): FieldFilter {
  return (set) => set.recursiveDifference(excluded)
}
