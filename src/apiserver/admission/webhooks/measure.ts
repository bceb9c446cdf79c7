/** Counts calls of webhooks by what came of them. */
import { StatusError } from '../../../machinery/status.ts'
import type { Called, HookPass } from '../../metrics/admission.ts'
import type { AdmissionRequest } from '../contract.ts'
import { CallFailure } from './failure.ts'
import type { Hook } from './hook.ts'

/** Calls a webhook, and counts. What it throws is thrown on. */
export async function measured<T>(
  { state, operation, call }: AdmissionRequest,
  { name, ignore }: Pick<Hook, 'name' | 'ignore'>,
  type: HookPass,
  ask: () => Promise<T>,
): Promise<T> {
  const metrics = state.metrics.admission
  const since = performance.now()
  const end = (code: number, rejected: boolean): Called => {
    const milliseconds = performance.now() - since
    if (call.latency !== undefined) call.latency.elsewhere += milliseconds
    const called: Called = { name, type, operation, code, rejected, seconds: milliseconds / 1000 }
    metrics.called(called)
    return called
  }
  try {
    const answer = await ask()
    end(200, false)
    return answer
  } catch (error) {
    if (error instanceof CallFailure) {
      const called = end(error.code, !ignore)
      if (ignore) metrics.failedOpen(name, type)
      else metrics.rejected(called, 'calling_webhook_error')
    } else if (error instanceof StatusError) {
      metrics.rejected(end(error.code, true), 'no_error')
    } else metrics.rejected(end(0, true), 'apiserver_internal_error')
    throw error
  }
}
