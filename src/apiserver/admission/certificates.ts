/**
 * Certificates: approving or signing a request, or attesting a bundle of authorities, needs the verb `approve`, `sign`
 * or `attest` on the signer; nobody asks for a certificate of system:masters; and who asks is recorded by the server,
 * not by the asker.
 */
import { forbidden } from '../../machinery/field.ts'
import { readRequest } from '../../machinery/pki/request.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { equalJson, equalMembers } from '../../machinery/equality.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { refusal } from './refusal.ts'

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

/** What upstream's strategy asks of a status: whoever changes it must be allowed to sign for the signer. */
export const podCertificateSigning: AdmissionPlugin = {
  name: 'PodCertificateSigning',
  handles: (operation, info, subresource) =>
    operation === 'UPDATE' &&
    subresource === 'status' &&
    info.group === GROUP &&
    info.resource === 'podcertificaterequests',
  validate(request) {
    const { object, old, call, name } = request
    if (equalJson(object['status'] ?? {}, old?.['status'] ?? {})) return
    const signer: string = old?.['spec']?.signerName ?? ''
    if (mayActFor(request, 'sign', signer)) return
    const text = `User ${JSON.stringify(call.user.name)} is not permitted to "sign" for signer ${JSON.stringify(signer)}`
    const { group, kind } = request.resource.info
    throw errors.invalid({ group, kind }, name, [forbidden('spec.signerName', text)])
  },
}

export const clusterTrustBundleAttest: AdmissionPlugin = {
  name: 'ClusterTrustBundleAttest',
  handles: (operation, info) =>
    operation !== 'DELETE' && info.group === GROUP && info.resource === 'clustertrustbundles',
  validate(request) {
    const { object, old, operation } = request
    const signer: string = object['spec']?.signerName ?? ''
    if (signer === '') return
    // Storage migration and garbage collection change nothing that is attested.
    if (operation === 'UPDATE' && old !== undefined && sameButOwners(object, old)) return
    if (!mayActFor(request, 'attest', signer)) {
      throw refusal(request, `user not permitted to attest for signerName ${JSON.stringify(signer)}`)
    }
  },
}

const BOOKKEEPING: ReadonlySet<string> = new Set(['ownerReferences', 'finalizers', 'selfLink', 'managedFields'])

function sameButOwners(object: KubeObject, old: KubeObject): boolean {
  const [now, before] = [object.metadata, old.metadata] as unknown as [Record<string, unknown>, Record<string, unknown>]
  return equalMembers(now, before, BOOKKEEPING) && equalMembers(object, old, new Set(['metadata']))
}

const CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client'

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  handles: (operation, info, subresource) => operation === 'CREATE' && subresource === '' && isRequest(info),
  validate(request) {
    const spec = request.object['spec'] ?? {}
    if (spec.signerName !== CLIENT_SIGNER) return
    // Validation has seen to it that it can be read.
    const { organizations } = readRequest(Buffer.from(String(spec.request ?? ''), 'base64').toString('latin1'))
    if (organizations.includes('system:masters')) {
      throw refusal(request, `use of ${CLIENT_SIGNER} signer with system:masters group is not allowed`)
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
