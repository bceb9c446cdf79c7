/** Admission of a connection to a subresource: exec, attach, port-forward, proxy. */
import type { Call, Target } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { stateOf } from './cluster-state.ts'
import type { Core } from './core.ts'

/** Both passes, at once: there is nothing to write. `options`: a PodExecOptions and the like. @throws StatusError */
export async function admitConnection(core: Core, call: Call, target: Target, options: KubeObject): Promise<void> {
  const { resource, namespace, name, subresource = '' } = target
  const request: AdmissionRequest = {
    operation: 'CONNECT',
    resource: core.catalog.storage(resource),
    requested: resource,
    subresource,
    namespace,
    name,
    object: options,
    old: undefined,
    call,
    state: stateOf(core),
  }
  const mutating = core.admission.mutate(request)
  if (mutating !== undefined) await mutating
  const validating = core.admission.validate(request)
  if (validating !== undefined) await validating
}
