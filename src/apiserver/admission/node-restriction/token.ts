/** Tokens that a node asks for: bound to a pod that it runs, for an audience that the pod has a use for. */
import type { KubeObject } from '../../../machinery/object.ts'
import { errors } from '../../../machinery/status.ts'
import type { AdmissionRequest } from '../contract.ts'
import { refusal } from '../refusal.ts'
import { mayAsk } from './ask.ts'

export function checkToken(request: AdmissionRequest, node: string): void {
  const { operation, subresource, object, namespace, state } = request
  if (operation !== 'CREATE' || subresource !== 'token') return
  const spec = object['spec'] ?? {}
  const ref = spec.boundObjectRef as { apiVersion?: string; kind?: string; name?: string; uid?: string } | undefined
  if (ref?.apiVersion !== 'v1' || ref.kind !== 'Pod' || (ref.name ?? '') === '') {
    throw refusal(request, 'node requested token not bound to a pod')
  }
  if ((ref.uid ?? '') === '') throw refusal(request, 'node requested token with a pod binding without a uid')
  const pod = state.find('', 'pods', namespace, ref.name!)
  if (pod === undefined) throw errors.notFound({ group: '', resource: 'pods' }, ref.name!)
  if (pod.metadata.uid !== ref.uid) {
    const text = `the UID in the bound object reference (${ref.uid}) does not match the UID in record`
    throw refusal(request, `${text}. The object might have been deleted and then recreated`)
  }
  if (pod['spec']?.nodeName !== node) {
    throw refusal(request, 'node requested token bound to a pod scheduled on a different node')
  }
  checkAudience(request, pod, (spec.audiences ?? []) as readonly string[])
}

function checkAudience(request: AdmissionRequest, pod: KubeObject, audiences: readonly string[]): void {
  if (audiences.length > 1) throw refusal(request, 'node may only request 0 or 1 audiences')
  const audience = audiences[0] ?? ''
  const { used, failed } = usesAudience(request, pod, audience)
  if (used) return
  if (failed.length > 0) {
    const why = failed.length === 1 ? failed[0]! : `[${failed.join(', ')}]`
    throw refusal(request, `error validating audience ${JSON.stringify(audience)}: ${why}`)
  }
  if (mayAsk(request, 'request-serviceaccounts-token-audience', audience, request.name)) return
  const text = `${request.call.user.name} is not authorized to request tokens for audience ${JSON.stringify(audience)}`
  throw refusal(request, text)
}

interface Volume {
  readonly name?: string
  readonly projected?: {
    readonly sources?: readonly { readonly serviceAccountToken?: { readonly audience?: string } }[]
  }
  readonly ephemeral?: { readonly volumeClaimTemplate?: object }
  readonly persistentVolumeClaim?: { readonly claimName?: string }
  readonly csi?: { readonly driver?: string }
}

/** A projected token of the pod, or a CSI driver of one of its volumes, is for the audience. */
function usesAudience(
  { state, namespace }: AdmissionRequest,
  pod: KubeObject,
  audience: string,
): { readonly used: boolean; readonly failed: readonly string[] } {
  const failed: string[] = []
  const find = (group: string, resource: string, space: string, name: string): KubeObject | undefined => {
    const found = state.find(group, resource, space, name)
    if (found === undefined) failed.push(errors.notFound({ group, resource }, name).message)
    return found
  }
  const driverOf = (volume: Volume): string | undefined => {
    if (volume.csi !== undefined) return volume.csi.driver
    const claimName =
      volume.ephemeral?.volumeClaimTemplate === undefined
        ? volume.persistentVolumeClaim?.claimName
        : `${pod.metadata.name}-${volume.name}`
    if (claimName === undefined) return undefined
    const claim = find('', 'persistentvolumeclaims', namespace, claimName)
    if (claim === undefined) return undefined
    return find('', 'persistentvolumes', '', claim['spec']?.volumeName ?? '')?.['spec']?.csi?.driver
  }
  for (const volume of (pod['spec']?.volumes ?? []) as readonly Volume[]) {
    const sources = volume.projected?.sources ?? []
    const token = sources.some(
      ({ serviceAccountToken }) =>
        serviceAccountToken !== undefined && (serviceAccountToken.audience ?? '') === audience,
    )
    if (token) return { used: true, failed }
    const name = driverOf(volume)
    const driver = name === undefined || name === '' ? undefined : find('storage.k8s.io', 'csidrivers', '', name)
    const requests = (driver?.['spec']?.tokenRequests ?? []) as readonly { readonly audience?: string }[]
    if (requests.some((one) => (one.audience ?? '') === audience)) return { used: true, failed }
  }
  return { used: false, failed }
}
