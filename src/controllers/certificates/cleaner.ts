/** Removes CertificateSigningRequests that nobody will come back for. */
import { X509Certificate } from 'node:crypto'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { parseTime } from '../meta.ts'
import { workloads } from '../resources.ts'
import { condition, type SigningRequest } from './signers.ts'

/** Milliseconds that an answered request stays, and one that nobody answers. */
const ANSWERED = 60 * 60_000
const PENDING = 24 * 60 * 60_000

/** Milliseconds until the request may go. */
export function goesIn(csr: SigningRequest, now: number): number {
  const since = (time: string | undefined): number => parseTime(time ?? csr.metadata.creationTimestamp)
  const certificate = csr.status?.certificate ?? ''
  if (certificate !== '' && hasExpired(certificate, now)) return 0
  const approved = condition(csr, 'Approved')
  const ends: number[] = []
  for (const verdict of [
    condition(csr, 'Denied'),
    condition(csr, 'Failed'),
    certificate === '' ? undefined : approved,
  ]) {
    if (verdict !== undefined) ends.push(since(verdict.lastUpdateTime) + ANSWERED)
  }
  if ((csr.status?.conditions ?? []).length === 0) ends.push(since(undefined) + PENDING)
  // Approved and left unsigned, by whoever signs for it: it may take its time.
  if (ends.length === 0) ends.push(since(approved?.lastUpdateTime) + PENDING)
  return Math.max(0, Math.min(...ends) - now)
}

function hasExpired(certificate: string, now: number): boolean {
  try {
    return Date.parse(new X509Certificate(Buffer.from(certificate, 'base64')).validTo) < now
  } catch {
    // What is no certificate goes with its age.
    return false
  }
}

/** Each request has one turn waiting; where there are none, nothing waits. */
export function certificateCleaner(context: ControllerContext): Controller {
  const { client } = context
  const requests = client.informer<SigningRequest>(workloads.certificatesigningrequests)
  return {
    name: 'certificate-cleaner',
    start() {
      requests.onEvent(({ type, object }) => {
        if (type !== 'delete') context.enqueue(object.metadata.name!, Math.max(1, goesIn(object, context.now())))
      })
    },
    async reconcile(name) {
      if (!requests.synced) await requests.ready()
      const csr = requests.get('', name)
      if (csr === undefined) return
      const wait = goesIn(csr, context.now())
      if (wait > 0) {
        context.enqueue(name, wait)
        return
      }
      try {
        const preconditions = { uid: csr.metadata.uid! }
        await client.delete(workloads.certificatesigningrequests, name, { preconditions })
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    },
  }
}
