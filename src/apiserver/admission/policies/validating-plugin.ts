/**
 * ValidatingAdmissionPolicy: the policies that are bound to a write may refuse it, warn about it, or note it in the
 * audit log.
 */
import { StatusError } from '../../../machinery/status.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../contract.ts'
import { GROUP } from '../match/configured.ts'
import { View } from '../match/view.ts'
import { refusal } from '../refusal.ts'
import { AuditNotes } from './audit.ts'
import { compiledValidating } from './compiled.ts'
import type { Invocation, Misconfigured } from './dispatch.ts'
import { invocationsOf } from './dispatch.ts'
import { errorOf } from './error.ts'
import { EXEMPT } from './exempt.ts'
import { inSlices, type Pause } from './slices.ts'
import type { Hook } from './source.ts'
import { policiesOf } from './source.ts'
import type { BindingSpec, ValidatingSpec } from './spec.ts'
import { specOf } from './spec.ts'
import type { Denial } from './validating.ts'
import { validateOne } from './validating.ts'

const CODES: ReadonlyMap<string, number> = new Map([
  ['Forbidden', 403],
  ['RequestEntityTooLarge', 413],
  ['Invalid', 422],
])

const configured = policiesOf('validatingadmissionpolicy')

export const validatingAdmissionPolicy: AdmissionPlugin = {
  name: 'ValidatingAdmissionPolicy',
  handles: (_operation, { group, resource }) => group !== GROUP || !EXEMPT.has(resource),
  validate(request) {
    const hooks = configured.read(request.state)
    if (hooks.length === 0) return
    return inSlices(new Dispatch(request).run(hooks), request.call)
  },
}

type Count = (action: 'allow' | 'deny' | 'warn' | 'audit', message: string) => void

/** Who denies. A denial without a binding is about the policy's configuration. */
interface Denied extends Pick<Denial, 'message' | 'reason'> {
  readonly policy: string
  readonly binding: string | undefined
}

class Dispatch {
  readonly #request: AdmissionRequest
  readonly #view: View
  readonly #audit: AuditNotes
  /** The first is what the request is refused with. */
  #denied: Denied | undefined

  constructor(request: AdmissionRequest) {
    this.#request = request
    this.#view = new View(request)
    this.#audit = new AuditNotes(request.call.audit)
  }

  /** @throws StatusError when a policy refuses */
  *run(hooks: readonly Hook[]): Generator<Pause, void> {
    yield* invocationsOf(
      hooks,
      this.#view,
      (invocation) => this.#ask(invocation),
      (wrong) => this.#misconfigured(wrong),
    )
    this.#audit.publish()
    if (this.#denied !== undefined) throw this.#refusal(this.#denied)
  }

  *#ask({ policy, binding, matched, params }: Invocation): Generator<Pause, void> {
    const compiled = yield* compiledValidating(policy)
    const { validationActions = [] } = specOf<BindingSpec>(binding)
    const [name, bound] = [policy.metadata.name!, binding.metadata.name!]
    for (const param of params) {
      const since = performance.now()
      const { denials, annotations, errors, ignored } = yield* validateOne(name, compiled, this.#view, matched, param)
      const seconds = (performance.now() - since) / 1000
      const count: Count = (action, message) =>
        this.#request.state.metrics.admission.validatingPolicy(name, bound, action, errorOf(message), seconds)
      for (const message of ignored) count('allow', message)
      for (const { message } of denials) {
        for (const action of validationActions) count(action.toLowerCase() as Parameters<Count>[0], message)
      }
      for (const message of errors) count('deny', message)
      for (const denial of denials) this.#act(validationActions, name, bound, denial)
      for (const { key, value } of annotations) this.#audit.add(`${name}/${key}`, value)
      for (const message of errors) this.#deny({ policy: name, binding: bound, message, reason: '' })
    }
  }

  #act(actions: readonly string[], policy: string, binding: string, { index, message, reason }: Denial): void {
    for (const action of actions) {
      if (action === 'Deny') this.#deny({ policy, binding, message, reason })
      else if (action === 'Warn') {
        const { warnings } = this.#request.call
        const text = `Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${message}`
        if (warnings !== undefined && !warnings.includes(text)) warnings.push(text)
      } else if (action === 'Audit') {
        this.#audit.failure({ message, policy, binding, expressionIndex: index, validationActions: actions })
      }
    }
  }

  #misconfigured({ policy, binding, message }: Misconfigured): void {
    if (specOf<ValidatingSpec>(policy).failurePolicy === 'Ignore') return
    this.#deny({ policy: policy.metadata.name!, binding: binding?.metadata.name, message, reason: '' })
  }

  #deny(denied: Denied): void {
    this.#denied ??= denied
  }

  #refusal({ policy, binding, message, reason }: Denied): StatusError {
    const by = binding === undefined ? `'${policy}'` : `'${policy}' with binding '${binding}'`
    const text = `ValidatingAdmissionPolicy ${by} denied request: ${message}`
    const { status } = refusal(this.#request, text, [{ message: text }])
    const known = reason === '' ? 'Invalid' : reason
    return new StatusError({ ...status, reason: known, code: CODES.get(known) ?? 422 })
  }
}
