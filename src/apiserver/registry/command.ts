/** Admission of what is posted and not stored: bindings, evictions, requests for tokens. */
import type { Call, Target } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { AdmissionRequest } from '../admission/contract.ts'
import { stateOf } from './cluster-state.ts'
import type { Core } from './core.ts'
import { checkNamespace } from './create.ts'

/**
 * The mutating pass over a posted object, which it may change in place. Answers the validating pass.
 *
 * @throws StatusError
 */
export async function admitCommand(
  core: Core,
  call: Call,
  target: Target,
  object: KubeObject,
): Promise<() => void | Promise<void>> {
  const { resource, namespace, subresource = '' } = target
  checkNamespace(resource, namespace, object.metadata)
  const request: AdmissionRequest = {
    operation: 'CREATE',
    resource: core.catalog.storage(resource),
    requested: resource,
    subresource,
    namespace,
    name: target.name === '' ? (object.metadata.name ?? '') : target.name,
    object,
    old: undefined,
    call,
    state: stateOf(core),
  }
  const mutating = core.admission.mutate(request)
  if (mutating !== undefined) await mutating
  return () => core.admission.validate(request)
}
