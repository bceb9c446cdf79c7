/** One call of one webhook: what it is asked, and what its answer means. */
import { DecodeError } from '../../../machinery/codec/error.ts'
import type { ServedResource } from '../../contract.ts'
import type { Dialler } from '../../dial/contract.ts'
import { postJson } from '../../dial/post.ts'
import type { View } from '../match/view.ts'
import { InvalidAnswer, verdictOf } from './answer.ts'
import type { Verdict } from './answer.ts'
import { StatusError } from '../../../machinery/status.ts'
import { CallFailure, denial, dryRunUnsupported } from './failure.ts'
import type { Hook } from './hook.ts'
import { reviewText } from './review.ts'

export interface CallerOptions {
  readonly dialler: Dialler
  readonly uuid: () => string
}

/** Bytes of an answer: a patch in base64 that is as large as an object may be, and room for what stands around it. */
const MAX_ANSWER = 5 * 1024 * 1024

export class Caller {
  readonly #options: CallerOptions

  constructor(options: CallerOptions) {
    this.#options = options
  }

  /**
   * Asks, and takes warnings and annotations over. What it answers allows the request.
   *
   * @throws StatusError when the webhook refuses, or must not be asked in a dry run; CallFailure; the signal's reason
   */
  async ask(hook: Hook, view: View, matched: ServedResource, mutating: boolean): Promise<Verdict> {
    const { call } = view.request
    if (call.dryRun === true && !hook.dryRun) throw dryRunUnsupported(hook.name)
    const { version } = hook
    if (version === undefined) {
      const why = 'webhook does not accept known AdmissionReview versions (v1, v1beta1)'
      throw new CallFailure(hook.name, `could not create admission objects: ${why}`, 400)
    }
    const verdict = await this.#verdict(hook, view, matched, { uid: this.#options.uuid(), version, mutating })
    for (const [key, value] of verdict.annotations) call.audit?.annotate(`${hook.name}/${key}`, value)
    for (const text of verdict.warnings) {
      if (call.warnings !== undefined && !call.warnings.includes(text)) call.warnings.push(text)
    }
    if (!verdict.allowed) throw denial(hook.name, verdict.status)
    return verdict
  }

  async #verdict(
    hook: Hook,
    view: View,
    matched: ServedResource,
    expected: Parameters<typeof verdictOf>[1],
  ): Promise<Verdict> {
    const { signal } = view.request.call
    let review: Record<string, unknown>
    try {
      review = await postJson(this.#options.dialler, {
        destination: hook.destination,
        ...(hook.caBundle === undefined ? {} : { caBundle: hook.caBundle }),
        body: reviewText(expected.version, expected.uid, view, matched),
        timeout: this.#timeout(hook, view),
        maxAnswer: MAX_ANSWER,
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      signal?.throwIfAborted()
      const code = error instanceof StatusError ? error.code : undefined
      throw new CallFailure(hook.name, `failed to call webhook: ${(error as Error).message}`, code)
    }
    try {
      return verdictOf(review, expected)
    } catch (error) {
      if (error instanceof DecodeError) {
        throw new CallFailure(hook.name, `failed to call webhook: ${error.message}`)
      }
      if (!(error instanceof InvalidAnswer)) throw error
      throw new CallFailure(hook.name, `received invalid webhook response: ${error.message}`)
    }
  }

  /** A webhook may take no longer than the request that it is asked about. */
  #timeout(hook: Hook, { request }: View): number {
    const { deadline } = request.call
    return deadline === undefined ? hook.timeout : Math.max(1, Math.min(hook.timeout, deadline - performance.now()))
  }
}
