/**
 * CertificateApproval and CertificateSigning: approving or signing a request needs the verb `approve` or `sign` on
 * its signer; and who asks for a certificate is recorded by the server, not by the asker.
 */
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { refusal } from './refusal.ts'
import { equalJson } from '../registry/json.ts'

const GROUP = 'certificates.k8s.io'
const isRequest = (info: { group: string; resource: string }): boolean =>
  info.group === GROUP && info.resource === 'certificatesigningrequests'

/** What upstream's strategy does on create: the identity of the asker goes into the spec, the status is empty. */
export const certificateRequester: AdmissionPlugin = {
  name: 'CertificateRequester',
  handles: (operation, info, subresource) => operation === 'CREATE' && subresource === '' && isRequest(info),
  mutate({ object, call: { user } }) {
    const spec = (object['spec'] ??= {})
    spec.username = user.name
    spec.uid = user.uid
    spec.groups = [...user.groups]
    spec.extra = user.extra === undefined ? undefined : { ...user.extra }
    object['status'] = {}
  },
}

export const certificateApproval: AdmissionPlugin = {
  name: 'CertificateApproval',
  handles: (operation, info, subresource) => operation === 'UPDATE' && subresource === 'approval' && isRequest(info),
  validate(request) {
    const signer: string = request.old?.['spec']?.signerName ?? ''
    if (!mayActFor(request, 'approve', signer)) {
      throw refusal(request, `user not permitted to approve requests with signerName ${JSON.stringify(signer)}`)
    }
  },
}

export const certificateSigning: AdmissionPlugin = {
  name: 'CertificateSigning',
  handles: (operation, info, subresource) => operation === 'UPDATE' && subresource === 'status' && isRequest(info),
  validate(request) {
    const { object, old } = request
    const before = old?.['status'] ?? {}
    const now = object['status'] ?? {}
    const unsigned = (now.certificate ?? '') === (before.certificate ?? '')
    if (unsigned && equalJson(failed(now), failed(before))) return
    const signer: string = old?.['spec']?.signerName ?? ''
    if (!mayActFor(request, 'sign', signer)) {
      throw refusal(request, `user not permitted to sign requests with signerName ${JSON.stringify(signer)}`)
    }
  },
}

const failed = (status: { conditions?: { type?: string }[] }): object[] =>
  (status.conditions ?? []).filter(({ type }) => type === 'Failed')

/** The verb on the signer itself, or on all of its domain. */
function mayActFor({ call, state }: AdmissionRequest, verb: string, signer: string): boolean {
  const ask = (name: string): boolean =>
    state.authorizer.authorize({ user: call.user, verb, group: GROUP, version: '*', resource: 'signers', name }).allowed
  return ask(signer) || ask(`${signer.split('/')[0]}/*`)
}
