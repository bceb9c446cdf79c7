/** What a validation finds. */
import type { FieldError } from '../field.ts'

/** More is not told: a body of a few megabytes can be wrong in a million places. */
const MAX_ERRORS = 1000

export class Report {
  readonly list: FieldError[] = []
  /** Which values are what they were before; for ratcheting. */
  readonly same = new Map<object, boolean>()

  push(...errors: FieldError[]): void {
    for (const error of errors) {
      if (this.list.length >= MAX_ERRORS) return
      this.list.push(error)
    }
  }

  get full(): boolean {
    return this.list.length >= MAX_ERRORS
  }
}
