/** Which certificates Kubernetes' own signers give, by the rules of each. Pure. */
import type { CertificateRequest } from '../../machinery/pki/request.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { Condition } from '../objects.ts'

export interface SigningRequest extends KubeObject {
  spec: { request: string; signerName: string; usages?: string[]; expirationSeconds?: number }
  status?: { certificate?: string; conditions?: Condition[] }
}

/** A request that a signer will never sign. */
export class Refusal extends Error {}

/** Whether the signer signs such a request. @throws Refusal for one that breaks its rules */
type Signer = (request: CertificateRequest, usages: readonly string[]) => boolean

const SIGNERS: ReadonlyMap<string, Signer> = new Map([
  ['kubernetes.io/kube-apiserver-client', isClient],
  ['kubernetes.io/kube-apiserver-client-kubelet', isKubeletClient],
  ['kubernetes.io/kubelet-serving', isKubeletServing],
  ['kubernetes.io/legacy-unknown', () => true],
])

/** undefined for signers of others. */
export function signerOf({ spec }: SigningRequest): Signer | undefined {
  return SIGNERS.get(spec.signerName)
}

function isClient(_request: CertificateRequest, usages: readonly string[]): boolean {
  const allowed = ['digital signature', 'key encipherment', 'client auth']
  return usages.includes('client auth') && usages.every((usage) => allowed.includes(usage))
}

function isKubeletClient(request: CertificateRequest, usages: readonly string[]): boolean {
  ofNode(request)
  if (request.dns > 0) throw new Refusal('DNS subjectAltNames are not allowed')
  if (request.emails > 0) throw new Refusal('Email subjectAltNames are not allowed')
  if (request.ips > 0) throw new Refusal('IP subjectAltNames are not allowed')
  if (request.uris > 0) throw new Refusal('URI subjectAltNames are not allowed')
  nodeName(request)
  exactly(usages, 'client auth')
  return true
}

function isKubeletServing(request: CertificateRequest, usages: readonly string[]): boolean {
  ofNode(request)
  if (request.dns + request.ips === 0) throw new Refusal('DNS or IP subjectAltName is required')
  if (request.emails > 0) throw new Refusal('Email subjectAltNames are not allowed')
  if (request.uris > 0) throw new Refusal('URI subjectAltNames are not allowed')
  exactly(usages, 'server auth')
  nodeName(request)
  return true
}

function ofNode({ organizations }: CertificateRequest): void {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes') {
    throw new Refusal('subject organization is not system:nodes')
  }
}

function nodeName({ commonName }: CertificateRequest): void {
  if (!commonName.startsWith('system:node:')) {
    throw new Refusal('subject common name does not begin with system:node:')
  }
}

/** Keys other than RSA are not for encipherment, so that one of the usages may be left out. */
function exactly(usages: readonly string[], auth: string): void {
  const wanted = new Set(['digital signature', 'key encipherment', auth])
  const has = new Set(usages)
  const needed = [...wanted].filter((usage) => usage !== 'key encipherment')
  if ([...has].every((usage) => wanted.has(usage)) && needed.every((usage) => has.has(usage))) return
  throw new Refusal(`usages did not match [${[...wanted].toSorted((a, b) => (a < b ? -1 : 1)).join(' ')}]`)
}

export function condition({ status }: SigningRequest, type: string): Condition | undefined {
  return status?.conditions?.find((one) => one.type === type && one.status === 'True')
}
