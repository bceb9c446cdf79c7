/** ValidatingAdmissionWebhook: webhooks that may refuse what is written, all at the same time. */
import { errors } from '../../../machinery/status.ts'
import type { ServedResource } from '../../contract.ts'
import type { AdmissionPlugin } from '../contract.ts'
import { View } from '../match/view.ts'
import type { Caller } from './call.ts'
import { meets } from './conditions.ts'
import { isExempt } from './exempt.ts'
import { CallFailure, failedClosed } from './failure.ts'
import type { Hook } from './hook.ts'
import { ruledIn, selectedIn, webhooksOf } from './hook.ts'
import { measured } from './measure.ts'
import { isOver, TIMED_OUT } from './time.ts'

const FAILED_OPEN = 'failed-open.validating.webhook.admission.k8s.io/'

interface Meant {
  readonly hook: Hook
  readonly matched: ServedResource
}

export function validatingWebhooks(caller: Caller): AdmissionPlugin {
  const configured = webhooksOf('validatingwebhookconfigurations')
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: (_operation, info) => !isExempt(info),
    validate(request) {
      const hooks = configured.read(request.state)
      if (hooks.length === 0) return
      const view = new View(request)
      if (!hooks.some((hook) => ruledIn(hook, view) !== undefined)) return
      return validate(caller, hooks, view)
    },
  }
}

/** @throws StatusError the first failure that comes in, once all have answered */
async function validate(caller: Caller, hooks: readonly Hook[], view: View): Promise<void> {
  const meant: Meant[] = []
  for (const hook of hooks) {
    const matched = selectedIn(hook, view)
    if (matched === undefined) continue
    await view.ready(matched)
    if (await meets(hook, view, matched, 'validating')) meant.push({ hook, matched })
  }
  if (meant.length === 0) return
  const { call } = view.request
  if (isOver(call)) throw errors.timeout(TIMED_OUT)
  const wrong: unknown[] = []
  const askAll = async () => {
    await Promise.all(
      meant.map((each, index) =>
        ask(caller, each, view, index).catch((error: unknown) => {
          wrong.push(error)
        }),
      ),
    )
  }
  await (call.seat === undefined ? askAll() : call.seat.without(askAll))
  if (wrong.length > 0) throw wrong[0]
}

async function ask(caller: Caller, { hook, matched }: Meant, view: View, index: number): Promise<void> {
  try {
    await measured(view.request, hook, 'validating', () => caller.ask(hook, view, matched, false))
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error
    if (!hook.ignore) throw failedClosed(error)
    view.request.call.audit?.annotate(`${FAILED_OPEN}round_0_index_${index}`, hook.name)
  }
}
