/** What a validation finds. */
import type { RE2JS } from 're2js'
import type { FieldError } from '../field.ts'
import { isTooMuch, workOf } from './pattern.ts'
import type { Steps } from './steps.ts'

/** More is not told: a body of a few megabytes can be wrong in a million places. */
const MAX_ERRORS = 1000
/** Work of patterns (see pattern.ts) that is done at once: ten milliseconds at worst. */
const AT_ONCE = 120_000

interface Match {
  readonly pattern: RE2JS
  readonly text: string
  readonly wrong: () => FieldError
}

export class Report {
  readonly list: FieldError[] = []
  /** Which values are what they were before; for ratcheting. */
  readonly same = new Map<object, boolean>()
  readonly #work: { done: number }
  /** An alternative: whether it holds must be known at once. */
  readonly #inner: boolean
  #late: Match[] | undefined

  /** @param of the report of the whole, for alternatives below it */
  constructor(of?: Report) {
    this.#work = of === undefined ? { done: 0 } : of.#work
    this.#inner = of !== undefined
  }

  push(...errors: FieldError[]): void {
    for (const error of errors) {
      if (this.list.length >= MAX_ERRORS) return
      this.list.push(error)
    }
  }

  /** Of what was found since, the same is not told twice: alternatives repeat what the schema says itself. */
  tellOnce(since: number): void {
    const { list } = this
    if (list.length < since + 2) return
    const told = new Set<string>()
    let end = since
    for (let i = since; i < list.length; i++) {
      const key = `${list[i]!.field}\n${list[i]!.message}`
      if (!told.has(key)) list[end++] = list[i]!
      told.add(key)
    }
    list.length = end
  }

  get full(): boolean {
    return this.list.length >= MAX_ERRORS
  }

  /**
   * Matches a text, now or in {@link rest}.
   *
   * @param unchanged the text was there before: what is put off is let through
   */
  match(pattern: RE2JS, text: string, field: string, unchanged: boolean, wrong: () => FieldError): void {
    const work = workOf(pattern, text)
    this.#work.done += work
    if (isTooMuch(work) || (this.#inner && isTooMuch(this.#work.done))) {
      if (unchanged) return
      const message = 'Invalid value: is too long to be matched against its pattern'
      this.push({ type: 'FieldValueInvalid', field, message })
      return
    }
    if (this.#inner || this.#work.done <= AT_ONCE) {
      if (!pattern.test(text)) this.push(wrong())
    } else if (!unchanged) (this.#late ??= []).push({ pattern, text, wrong })
  }

  /** What was put off, one match a step. */
  *rest(): Steps<void> {
    for (const { pattern, text, wrong } of this.#late ?? []) {
      yield undefined
      if (this.full) return
      if (!pattern.test(text)) this.push(wrong())
    }
  }
}
