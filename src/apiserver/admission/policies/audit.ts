/** What validating policies note in the audit log of one request. */
import type { AuditSink } from '../../contract.ts'

const MOST_VALUE_BYTES = 10 * 1024
const MOST_FAILURES = 50
const FAILURES = 'validation.policy.admission.k8s.io/validation_failure'

export interface Failure {
  readonly message: string
  readonly policy: string
  readonly binding: string
  readonly expressionIndex: number
  readonly validationActions: readonly string[]
}

export class AuditNotes {
  readonly #sink: AuditSink | undefined
  readonly #values = new Map<string, string[]>()
  readonly #failures: Failure[] = []

  /** Without a sink nothing is kept. */
  constructor(sink: AuditSink | undefined) {
    this.#sink = sink
  }

  /** A value of `policy/key`. Values of several bindings and parameters stand side by side, each once. */
  add(key: string, value: string): void {
    if (this.#sink === undefined) return
    const bytes = Buffer.from(value)
    const text = bytes.length > MOST_VALUE_BYTES ? bytes.toString('utf8', 0, MOST_VALUE_BYTES) : value
    const list = this.#values.get(key)
    if (list === undefined) this.#values.set(key, [text])
    else if (!list.includes(text)) list.push(text)
  }

  /** A validation that failed, of a binding with the action Audit. */
  failure(failure: Failure): void {
    if (this.#sink !== undefined && this.#failures.length < MOST_FAILURES) this.#failures.push(failure)
  }

  publish(): void {
    for (const [key, values] of this.#values) this.#sink?.annotate(key, values.join(', '))
    if (this.#failures.length > 0) this.#sink?.annotate(FAILURES, JSON.stringify(this.#failures))
  }
}
