/** MutatingAdmissionPolicy: the policies that are bound to a write change its object, each seeing what those before it did. */
import { meetsConditions } from '../../../machinery/policy/conditions.ts'
import { withVariables } from '../../../machinery/policy/composition.ts'
import type { KubeObject } from '../../../machinery/object.ts'
import { StatusError } from '../../../machinery/status.ts'
import { equalJson } from '../../../machinery/equality.ts'
import { copyJson } from '../../registry/json.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../contract.ts'
import { GROUP } from '../match/configured.ts'
import { View } from '../match/view.ts'
import { refusal } from '../refusal.ts'
import { Reinvocation, Repeats } from '../reinvocation.ts'
import { activate } from './activation.ts'
import { compiledMutating } from './compiled.ts'
import type { Invocation } from './dispatch.ts'
import { invocationsOf } from './dispatch.ts'
import type { PolicyError } from '../../metrics/admission.ts'
import { errorOf } from './error.ts'
import { EXEMPT } from './exempt.ts'
import { mutateOne } from './mutating.ts'
import { inSlices, type Pause } from './slices.ts'
import type { Hook } from './source.ts'
import { policiesOf } from './source.ts'
import type { MutatingSpec } from './spec.ts'
import { specOf } from './spec.ts'

const NAME = 'MutatingAdmissionPolicy'

const configured = policiesOf('mutatingadmissionpolicy')

export const mutatingAdmissionPolicy: AdmissionPlugin = {
  name: NAME,
  handles: (operation, { group, resource }) =>
    (operation === 'CREATE' || operation === 'UPDATE') && (group !== GROUP || !EXEMPT.has(resource)),
  mutate(request) {
    const hooks = configured.read(request.state)
    if (hooks.length === 0) return
    return inSlices(new Dispatch(request).run(hooks), request.call)
  },
}

/** What is kept from the first run to the second. */
interface Memory {
  readonly repeats: Repeats
  /** The object as this plug-in left it. */
  output: KubeObject | undefined
}

interface Failure {
  readonly message: string
  /** What went wrong in an evaluation is Invalid; a wrong configuration is Forbidden. */
  readonly reason: 'Invalid' | undefined
}

class Dispatch {
  readonly #request: AdmissionRequest
  readonly #view: View
  readonly #failures: Failure[] = []

  constructor(request: AdmissionRequest) {
    this.#request = request
    this.#view = new View(request)
  }

  /** @throws StatusError 403 with all that failed under the failure policy Fail */
  *run(hooks: readonly Hook[]): Generator<Pause, void> {
    const invocations: Invocation[] = []
    yield* invocationsOf(
      hooks,
      this.#view,
      // oxlint-disable-next-line require-yield -- they are asked together, after all have been found
      function* (invocation) {
        invocations.push(invocation)
      },
      ({ policy, binding, message }) => this.#fail(policy, binding, message, undefined),
    )
    if (invocations.some(({ params }) => params.length > 0)) yield* this.#invoke(invocations)
    if (this.#failures.length > 0) throw this.#refusal()
  }

  *#invoke(invocations: readonly Invocation[]): Generator<Pause, void> {
    const { object } = this.#request
    const reinvocation = (this.#request.reinvocation ??= new Reinvocation())
    const memory = reinvocation.memory(NAME, (): Memory => ({ repeats: new Repeats(), output: undefined }))
    // Built-in plug-ins ran since and may have changed the object.
    if (reinvocation.again && !equalJson(memory.output, object)) memory.repeats.changed()
    for (const invocation of invocations) {
      for (const params of invocation.params) yield* this.#mutate(invocation, params, reinvocation, memory.repeats)
    }
    memory.output = copyJson(object)
  }

  *#mutate(
    { policy, binding, matched }: Invocation,
    params: KubeObject | null,
    reinvocation: Reinvocation,
    repeats: Repeats,
  ): Generator<Pause, void> {
    const compiled = yield* compiledMutating(policy)
    const metrics = this.#request.state.metrics.admission
    yield this.#view.ready(matched)
    if (compiled.conditions.length > 0) {
      const values = withVariables(compiled.composed, activate(this.#view, matched, params, true))
      const since = performance.now()
      const met = yield* meetsConditions(compiled.conditions, values, compiled.ignore)
      if (!met.matches) {
        const outcome = 'failed' in met ? 'failed' : 'excluded'
        const seconds = (performance.now() - since) / 1000
        metrics.conditions('policy', policy.metadata.name!, 'admit', this.#request.operation, outcome, seconds)
      }
      if ('error' in met) this.#fail(policy, binding, met.error, 'Invalid')
      if (!met.matches) return
    }
    const key = keyOf(policy, binding, params)
    if (reinvocation.again && !repeats.isDue(key)) return
    const since = performance.now()
    const { changed, failed } = yield* mutateOne(compiled, this.#view, matched, params)
    const seconds = (performance.now() - since) / 1000
    const count = (error: PolicyError): void =>
      metrics.mutatingPolicy(policy.metadata.name!, binding.metadata.name!, error, seconds)
    if (failed.length === 0) count('no_error')
    for (const message of failed) {
      count(errorOf(message))
      this.#fail(policy, binding, message, 'Invalid')
    }
    if (changed) {
      repeats.changed()
      reinvocation.wanted = true
    }
    if (specOf<MutatingSpec>(policy).reinvocationPolicy === 'IfNeeded') repeats.invoked(key)
  }

  #fail(policy: KubeObject, binding: KubeObject | undefined, why: string, reason: 'Invalid' | undefined): void {
    if (specOf<MutatingSpec>(policy).failurePolicy === 'Ignore') return
    const { name = '' } = policy.metadata
    const by = binding === undefined ? JSON.stringify(name) : `'${name}' with binding '${binding.metadata.name}'`
    this.#failures.push({ message: `policy ${by} denied request: ${why}`, reason })
  }

  #refusal(): StatusError {
    const causes = this.#failures.map(({ message }) => ({ message }))
    const { status } = refusal(this.#request, 'admission request denied by policy', causes)
    const { message, reason = status.reason ?? 'Forbidden' } = this.#failures[0]!
    return new StatusError({ ...status, message, reason })
  }
}

function keyOf(policy: KubeObject, binding: KubeObject, params: KubeObject | null): string {
  const { namespace = '', name = '' } = params?.metadata ?? {}
  return `${policy.metadata.name} ${binding.metadata.name} ${namespace}/${name}`
}
