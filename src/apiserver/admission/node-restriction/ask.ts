/** What an operator may allow nodes beyond what their pods need. */
import type { AdmissionRequest } from '../contract.ts'

/** Whether the node has a verb on what stands for a resource here: an audience, or a signer. */
export function mayAsk(
  { call, state, requested, namespace }: AdmissionRequest,
  verb: string,
  resource: string,
  name: string,
): boolean {
  const { group, version } = requested.info
  return state.authorizer.authorize({ user: call.user, verb, group, version, resource, namespace, name }).allowed
}
