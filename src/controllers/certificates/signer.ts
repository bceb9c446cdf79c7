/** Signs approved CertificateSigningRequests of Kubernetes' own signers with the cluster's certificate authority. */
import { X509Certificate } from 'node:crypto'
import { isReason } from '../../machinery/status.ts'
import { loadCa } from '../../machinery/pki/certificate.ts'
import { readRequest, signRequest } from '../../machinery/pki/request.ts'
import type { ControllerFactory } from '../contract.ts'
import { timestamp } from '../meta.ts'
import type { Condition } from '../objects.ts'
import { workloads } from '../resources.ts'
import { condition, Refusal, signerOf, type SigningRequest } from './signers.ts'

export interface SignerOptions {
  /** PEM of the certificate authority and of its key. */
  readonly ca: { readonly certificate: string; readonly key: string }
  /** Seconds that certificates are valid at most, and if the request asks for nothing else. @default a year */
  readonly longest?: number
}

/** Seconds that a certificate is valid at least. */
const SHORTEST = 600
/** Milliseconds that certificates are valid before they are made, for clocks that lag. */
const BACKDATE = 5 * 60_000

export function certificateSigner({ ca, longest = 365 * 86_400 }: SignerOptions): ControllerFactory {
  return (context) => {
    const { client } = context
    const requests = client.informer<SigningRequest>(workloads.certificatesigningrequests)
    return {
      name: 'certificate-signer',
      start() {
        requests.onEvent(({ type, object }) => {
          if (type !== 'delete' && isReady(object)) context.enqueue(object.metadata.name!)
        })
      },
      async reconcile(name) {
        if (!requests.synced) await requests.ready()
        const csr = requests.get('', name)
        if (csr === undefined || !isReady(csr)) return
        const status = decide(csr, context.now())
        if (status === undefined) return
        try {
          const where = { subresource: 'status' }
          await client.update(workloads.certificatesigningrequests, { ...csr, status }, where)
        } catch (error) {
          if (!isReason(error, 'NotFound')) throw error
        }
      },
    }
  }

  /** The status with a certificate or with the reason why there will be none; undefined: not for this signer. */
  function decide(csr: SigningRequest, now: number): SigningRequest['status'] | undefined {
    const { request: text, usages = [], expirationSeconds } = csr.spec
    try {
      const request = readRequest(Buffer.from(text, 'base64').toString('latin1'))
      if (!signerOf(csr)!(request, usages)) return undefined
      const seconds = Math.min(Math.max(expirationSeconds ?? longest, SHORTEST), longest)
      const notAfter = Math.min(now + seconds * 1000, Date.parse(new X509Certificate(ca.certificate).validTo))
      const made = signRequest(loadCa(ca), request, { usages, notBefore: now - BACKDATE, notAfter })
      return { ...csr.status, certificate: Buffer.from(made).toString('base64') }
    } catch (error) {
      if (!(error instanceof Refusal) && !(error instanceof RangeError)) throw error
      const failed: Condition = {
        type: 'Failed',
        status: 'True',
        reason: 'SignerValidationFailure',
        message: error.message,
        lastUpdateTime: timestamp(now),
        lastTransitionTime: timestamp(now),
      }
      return { ...csr.status, conditions: [...(csr.status?.conditions ?? []), failed] }
    }
  }
}

/** Approved, for one of these signers, and neither signed nor refused. */
function isReady(csr: SigningRequest): boolean {
  if (condition(csr, 'Approved') === undefined || condition(csr, 'Denied') !== undefined) return false
  if (condition(csr, 'Failed') !== undefined || (csr.status?.certificate ?? '') !== '') return false
  return signerOf(csr) !== undefined
}
