/** Certificates that a node asks for in the name of a pod that it runs. */
import type { KubeObject } from '../../../machinery/object.ts'
import { errors } from '../../../machinery/status.ts'
import type { AdmissionRequest } from '../contract.ts'
import { refusal } from '../refusal.ts'
import { mayAsk } from './ask.ts'

const MIRROR = 'kubernetes.io/config.mirror'
const quoted = (text: unknown): string => JSON.stringify(text ?? '')

export function checkPodCertificate(request: AdmissionRequest, node: string): void {
  const { operation, subresource, namespace, object, state } = request
  if (operation !== 'CREATE') throw refusal(request, `unexpected operation ${operation}`)
  if (subresource !== '') throw refusal(request, `unexpected subresource ${subresource}`)
  const spec = (object['spec'] ?? {}) as Record<string, string | undefined>
  const { nodeName, nodeUID, podName = '', podUID, serviceAccountName = '', serviceAccountUID } = spec
  if (nodeName !== node) {
    const text = `PodCertificateRequest.Spec.NodeName=${quoted(nodeName)}, which is not the requesting node ${quoted(node)}`
    throw refusal(request, text)
  }
  const find = (resource: string, space: string, name: string, what: string): KubeObject => {
    const found = state.find('', resource, space, name)
    if (found !== undefined) return found
    const { message } = errors.notFound({ group: '', resource }, name)
    throw errors.unknown(`while retrieving ${what} named in the PodCertificateRequest: ${message}`)
  }
  const pod = `${namespace}/${podName}`
  const found = find('nodes', '', node, `node ${quoted(node)}`)
  if (found.metadata.uid !== nodeUID) {
    const text = `names node UID ${quoted(nodeUID)}, inconsistent with the running node (${quoted(found.metadata.uid)})`
    throw errors.unknown(`PodCertificateRequest for pod ${quoted(pod)} ${text}`)
  }
  const running = find('pods', namespace, podName, `pod ${quoted(pod)}`)
  if (running.metadata.uid !== podUID) {
    const text = `contains pod UID (${quoted(podUID)}) which differs from running pod ${quoted(running.metadata.uid)}`
    throw errors.unknown(`PodCertificateRequest for pod ${quoted(pod)} ${text}`)
  }
  if (running['spec']?.nodeName !== node) {
    const text = `pod ${quoted(pod)} is not running on node ${quoted(node)} named in the PodCertificateRequest`
    throw refusal(request, text)
  }
  if (Object.hasOwn(running.metadata.annotations ?? {}, MIRROR)) {
    throw refusal(request, `pod ${quoted(pod)} is a mirror pod`)
  }
  if (running['spec']?.serviceAccountName !== serviceAccountName) {
    const text = `contains serviceAccountName (${quoted(serviceAccountName)}) that differs from running pod`
    const own = quoted(running['spec']?.serviceAccountName)
    throw refusal(request, `PodCertificateRequest for pod ${quoted(pod)} ${text} (${own})`)
  }
  const account = find(
    'serviceaccounts',
    namespace,
    serviceAccountName,
    `service account ${quoted(`${namespace}/${serviceAccountName}`)}`,
  )
  if (account.metadata.uid !== serviceAccountUID) {
    const text = `names service account UID ${quoted(serviceAccountUID)}, which differs from the running service account`
    throw errors.unknown(`PodCertificateRequest for pod ${quoted(pod)} ${text} (${quoted(account.metadata.uid)})`)
  }
  checkSigner(request, running, spec['signerName'] ?? '', serviceAccountName, pod)
}

interface Volume {
  readonly projected?: { readonly sources?: readonly { readonly podCertificate?: { readonly signerName?: string } }[] }
}

function checkSigner(
  request: AdmissionRequest,
  running: KubeObject,
  signer: string,
  account: string,
  pod: string,
): void {
  const mounted = ((running['spec']?.volumes ?? []) as readonly Volume[]).some(({ projected }) =>
    (projected?.sources ?? []).some(({ podCertificate }) => podCertificate?.signerName === signer),
  )
  if (mounted) return
  const verb = 'request-serviceaccounts-podcertificate-signer'
  if (mayAsk(request, verb, signer.replaceAll('/', ':'), account)) return
  throw refusal(
    request,
    `pod ${quoted(pod)} does not mount a podCertificate projected volume for signer ${quoted(signer)}`,
  )
}
