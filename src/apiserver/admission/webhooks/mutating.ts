/** MutatingAdmissionWebhook: webhooks that may change what is written, one after the other. */
import { decodeManagers } from '../../../machinery/apply/index.ts'
import { errors } from '../../../machinery/status.ts'
import { equalJson } from '../../../machinery/equality.ts'
import type { ServedResource } from '../../contract.ts'
import { breathe } from '../../registry/core.ts'
import { copyJson } from '../../registry/json.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../contract.ts'
import { View } from '../match/view.ts'
import { Reinvocation, Repeats } from '../reinvocation.ts'
import type { Caller } from './call.ts'
import { meets } from './conditions.ts'
import { isExempt } from './exempt.ts'
import { CallFailure, failedClosed } from './failure.ts'
import type { Hook } from './hook.ts'
import { ruledIn, selectedIn, webhooksOf } from './hook.ts'
import { measured } from './measure.ts'
import { applyOperations, operationsOf } from './patching.ts'
import { isOver, TIMED_OUT } from './time.ts'

const NAME = 'MutatingAdmissionWebhook'
/** Bytes of a patch from which on its steps are long. */
const LARGE = 64 * 1024
const INVALID_MANAGERS =
  '.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests'
const MUTATION = 'mutation.webhook.admission.k8s.io/'
const PATCH = 'patch.webhook.admission.k8s.io/'

/** Members by name, as Go writes a map. */
function inOrder(operation: unknown): object {
  return Object.fromEntries(Object.entries(operation as object).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Go's encoder escapes what HTML would read. */
function goJson(value: object): string {
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  return JSON.stringify(value).replaceAll(/[<>&\u2028\u2029]/g, escaped)
}

/** What is kept from the first run to the second. */
interface Memory {
  readonly repeats: Repeats
  /** The object as the first run left it. */
  output?: unknown
}

export function mutatingWebhooks(caller: Caller): AdmissionPlugin {
  const configured = webhooksOf('mutatingwebhookconfigurations')
  return {
    name: NAME,
    handles: (_operation, info) => !isExempt(info),
    mutate(request) {
      const hooks = configured.read(request.state)
      if (hooks.length === 0) return
      const view = new View(request)
      if (!hooks.some((hook) => ruledIn(hook, view) !== undefined)) return
      return new Run(caller, request, view).all(hooks)
    },
  }
}

class Run {
  readonly #caller: Caller
  readonly #request: AdmissionRequest
  readonly #view: View
  readonly #reinvocation: Reinvocation
  readonly #memory: Memory

  constructor(caller: Caller, request: AdmissionRequest, view: View) {
    this.#caller = caller
    this.#request = request
    this.#view = view
    this.#reinvocation = request.reinvocation ??= new Reinvocation()
    this.#memory = this.#reinvocation.memory(NAME, (): Memory => ({ repeats: new Repeats() }))
  }

  async all(hooks: readonly Hook[]): Promise<void> {
    const { again } = this.#reinvocation
    const managers = this.#request.object.metadata.managedFields
    const { repeats, output } = this.#memory
    // Built-in plug-ins have changed it since.
    if (again && output !== undefined && !equalJson(output, this.#request.object)) repeats.changed()
    for (const [index, hook] of hooks.entries()) {
      const matched = selectedIn(hook, this.#view)
      if (matched === undefined) continue
      await this.#view.ready(matched)
      if (!(await meets(hook, this.#view, matched, 'admit'))) continue
      // What was not asked in the first run is not asked in the second.
      if (again && !repeats.isDue(hook.id)) continue
      await this.#one(hook, matched, `round_${again ? 1 : 0}_index_${index}`)
    }
    this.#checkManagers(managers)
    if (!again) this.#memory.output = copyJson(this.#request.object)
  }

  /** managedFields that cannot be read are as they were before, with a warning. */
  #checkManagers(before: unknown[] | undefined): void {
    const { call, object } = this.#request
    const { managedFields } = object.metadata
    if (managedFields === before) return
    try {
      decodeManagers(managedFields)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      if (before === undefined) delete object.metadata.managedFields
      else object.metadata.managedFields = before
      this.#view.changed()
      const text = `${INVALID_MANAGERS}: ${error.message}`
      if (call.warnings?.includes(text) === false) call.warnings.push(text)
    }
  }

  async #one(hook: Hook, matched: ServedResource, place: string): Promise<void> {
    const { audit } = this.#request.call
    const { repeats } = this.#memory
    const { configuration, name: webhook } = hook
    let mutated = false
    try {
      mutated = await measured(this.#request, hook, 'admit', () => this.#change(hook, matched, place))
    } catch (error) {
      if (!(error instanceof CallFailure)) throw error
      if (!hook.ignore) throw failedClosed(error)
      audit?.annotate(`failed-open.${MUTATION}${place}`, webhook)
      if (isOver(this.#request.call)) throw errors.timeout(TIMED_OUT)
    } finally {
      audit?.annotate(MUTATION + place, JSON.stringify({ configuration, webhook, mutated }))
    }
    if (mutated) {
      repeats.changed()
      this.#reinvocation.wanted = true
    }
    if (hook.reinvoked) repeats.invoked(hook.id)
  }

  /** Whether the object is different. @throws CallFailure, StatusError */
  async #change(hook: Hook, matched: ServedResource, place: string): Promise<boolean> {
    await this.#view.ready(matched)
    const ask = () => this.#caller.ask(hook, this.#view, matched, true)
    const { seat } = this.#request.call
    const verdict = await (seat === undefined ? ask() : seat.without(ask))
    if (verdict.patch.length === 0) return false
    if (verdict.patch.length >= LARGE) this.#request.call.large = true
    const pause = () => breathe(this.#request.call)
    await pause()
    const operations = operationsOf(hook, verdict.patch)
    if (operations.length === 0) return false
    if (this.#view.in(matched).object === null) {
      const who = JSON.stringify(hook.name)
      const what = 'attempted to modify the object, which is not supported for this operation'
      throw errors.internal(`admission webhook ${who} ${what}`)
    }
    if (verdict.patchType !== 'JSONPatch') {
      throw new CallFailure(hook.name, `unsupported patch type ${JSON.stringify(verdict.patchType)}`)
    }
    const changed = await applyOperations(this.#view, matched, operations, pause)
    const { configuration, name: webhook } = hook
    const { audit } = this.#request.call
    // What patched nothing counts as a patch all the same.
    audit?.annotateBody(PATCH + place, () =>
      goJson({ configuration, webhook, patch: operations.map(inOrder), patchType: 'JSONPatch' }),
    )
    return changed
  }
}
