/** CertificateSigningRequests. */
import { child, duplicate, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { CERTIFICATE_USAGES, readRequest } from '../../pki/request.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { signerName } from '../signer.ts'

const USAGES = [...CERTIFICATE_USAGES].toSorted((a, b) => (a < b ? -1 : 1))
const LEGACY = 'kubernetes.io/legacy-unknown'
/** Conditions that are never taken back. */
const VERDICTS = ['Approved', 'Denied', 'Failed']

function validate(csr: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = csr.spec ?? {}
  const before: Json = old?.spec
  if (old === undefined) request(spec.request, out)
  const usages = listOf(spec.usages) as readonly string[]
  if (usages.length === 0) out.push(required('spec.usages'))
  if (!same(usages, before?.usages)) {
    for (const [i, usage] of usages.entries()) {
      if (!USAGES.includes(usage)) out.push(notSupported(index('spec.usages', i), usage, USAGES))
    }
    for (const [i, usage] of usages.entries()) {
      if (usages.indexOf(usage) < i) out.push(duplicate(index('spec.usages', i), usage))
    }
  }
  const signer: string = spec.signerName ?? ''
  if (signer === LEGACY && before?.signerName !== LEGACY) {
    out.push(invalid('spec.signerName', signer, 'the legacy signerName is not allowed via this API version'))
  } else signerName(signer, 'spec.signerName', out)
  if (isSet(spec.expirationSeconds) && spec.expirationSeconds < 600) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)'
    out.push(invalid('spec.expirationSeconds', spec.expirationSeconds, detail))
  }
  return out
}

function request(text: Json, out: Errors): void {
  try {
    readRequest(Buffer.from(String(text ?? ''), 'base64').toString('latin1'))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    out.push(invalid('spec.request', text ?? null, error.message))
  }
}

/** What a write of `status` may not do. */
function validateStatus(csr: Json, old: Json): FieldError[] {
  const out: Errors = []
  const path = 'status.conditions'
  validateConditions(csr, old, out)
  const [conditions, before] = [listOf(csr.status?.conditions), listOf(old.status?.conditions)]
  for (const type of ['Approved', 'Denied']) {
    const [now, was] = [ofType(conditions, type), ofType(before, type)]
    if (now.length > was.length) {
      out.push(forbidden(path, `updates may not add a condition of type ${JSON.stringify(type)}`))
    } else if (now.length === was.length && !same(now, was)) {
      out.push(forbidden(path, `updates may not modify a condition of type ${JSON.stringify(type)}`))
    }
  }
  const [certificate, known] = [csr.status?.certificate ?? '', old.status?.certificate ?? '']
  if (certificate !== known && known !== '') {
    out.push(forbidden('status.certificate', 'updates may not modify existing certificate content'))
  }
  return out
}

/** What a write of `approval` may not do: it alone may approve and deny. */
export function validateApproval(csr: Json, old: Json): FieldError[] {
  const out: Errors = []
  validateConditions(csr, old, out)
  return out
}

const ofType = (list: readonly Json[], type: string): readonly Json[] => list.filter((one) => one.type === type)

function validateConditions(csr: Json, old: Json, out: Errors): void {
  const path = 'status.conditions'
  const conditions = listOf(csr.status?.conditions)
  const before = listOf(old.status?.conditions)
  const had = (list: readonly Json[], type: string): boolean => ofType(list, type).length > 0
  const both = had(before, 'Approved') && had(before, 'Denied')
  const repeated = new Set(before.map(({ type }) => type as string)).size < before.length
  const seen = new Set<string>()
  for (const [i, { type = '', status = '' }] of conditions.entries()) {
    const at = index(path, i)
    const allowed = VERDICTS.includes(type as string) ? ['True'] : ['False', 'True', 'Unknown']
    if (type === '' && !had(before, '')) out.push(required(child(at, 'type')))
    if (status === '') out.push(required(child(at, 'status')))
    else if (!allowed.includes(status as string)) out.push(notSupported(child(at, 'status'), status, allowed))
    const other = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (!both && other !== undefined && seen.has(other)) {
      out.push(invalid(path, type, 'Approved and Denied conditions are mutually exclusive'))
    }
    if (!repeated && seen.has(type as string)) out.push(duplicate(child(at, 'type'), type))
    seen.add(type as string)
  }
  for (const type of VERDICTS) {
    if (ofType(conditions, type).length < ofType(before, type).length) {
      out.push(forbidden(path, `updates may not remove a condition of type ${JSON.stringify(type)}`))
    }
  }
}

export const certificateRequestRules: KindRules = {
  name: 'path',
  // Status and requester are set by admission, which knows who asks.
  prepareUpdate: (csr, old) => {
    csr['spec'] = old['spec']
    csr['status'] = old['status']
  },
  // Verdicts stay as they are unless their number changes, which is refused.
  prepareStatus: (csr, old) => {
    csr['spec'] = old['spec']
    const status: Json = csr['status'] ?? {}
    const before = listOf((old['status'] as Json)?.conditions)
    let conditions = listOf(status.conditions)
    for (const type of ['Approved', 'Denied']) {
      const kept = [...ofType(before, type)]
      if (ofType(conditions, type).length !== kept.length) continue
      conditions = conditions.map((one) => (one.type === type ? kept.shift() : one))
    }
    if (conditions.length > 0) csr['status'] = { ...status, conditions }
  },
  validate,
  validateStatus,
  generation: false,
  fields: { 'spec.signerName': (csr) => String((csr['spec'] as Json)?.signerName ?? '') },
}
