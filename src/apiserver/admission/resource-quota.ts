/**
 * ResourceQuota: a write that uses more of what a namespace's quotas limit is charged to them, in the same transaction,
 * so that no number of writers together gets beyond a limit.
 */
import type { KubeObject } from '../../machinery/object.ts'
import { charge } from '../../machinery/quota/charge.ts'
import { evaluatorFor } from '../../machinery/quota/usage.ts'
import type { AdmissionPlugin, AdmissionRequest, SideWrite } from './contract.ts'
import { refusal } from './refusal.ts'

const NOTHING: readonly SideWrite[] = []

/** `now`: milliseconds since the epoch. */
export function resourceQuota(now: () => number): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    handles: (operation, info, subresource) =>
      operation !== 'DELETE' &&
      info.namespaced &&
      (subresource === '' || subresource === 'resize' || subresource === 'status') &&
      evaluatorFor(info.group, info.resource) !== undefined,
    reserve(request) {
      const quotas = quotasOf(request)
      if (quotas.length === 0) return NOTHING
      const { info } = request.resource
      const evaluator = evaluatorFor(info.group, info.resource)!
      if (!evaluator.charges(request.subresource, request.object, request.old)) return NOTHING
      const result = charge(quotas, evaluator, request.object, request.old, now())
      if ('refused' in result) {
        // A status is what has happened: it is counted, never refused.
        if (request.subresource === 'status') return NOTHING
        throw refusal(request, result.refused)
      }
      return result.quotas.map((object) => ({ group: '', resource: 'resourcequotas', object }))
    },
  }
}

/** The quotas of the namespace in their newest state: `list` alone may lag behind commits under way. */
function quotasOf({ state, namespace }: AdmissionRequest): KubeObject[] {
  const out: KubeObject[] = []
  for (const { metadata } of state.list('', 'resourcequotas', namespace)) {
    const newest = state.find('', 'resourcequotas', namespace, metadata.name!)
    if (newest !== undefined) out.push(newest)
  }
  return out
}
