/** PodCertificateRequest: a node asks for a certificate of a pod. */
import { createPublicKey } from 'node:crypto'
import { child, index, invalid, notSupported, required, tooLong } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1123Subdomain, isQualifiedName } from '../../names.ts'
import { readRequestDer, WrongSignature } from '../../pki/request.ts'
import { each, immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { conditions } from '../core/conditions.ts'
import { fieldText } from '../fields.ts'
import { entriesOf, isSet, listOf, same, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'
import { isKubernetesSigner, signerName } from '../signer.ts'
import { issuance } from './issuance.ts'

const HOUR = 3600
const DAY = 24 * HOUR
const DEFAULT_EXPIRATION = DAY
const MAX_ANNOTATIONS = 256 * 1024
const MAX_UID = 128
const MAX_REQUEST = 10 * 1024
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1']
const MODULI = [3072, 4096]
const REQUEST = 'spec.stubPKCS10Request'
/** Nothing changes after one of them. */
const OUTCOMES = ['Issued', 'Denied', 'Failed']

/** An invalid value that is not shown. */
function wrong(field: string, detail: string): FieldError {
  return { type: 'FieldValueInvalid', field, message: `Invalid value: ${detail}` }
}

function userAnnotations(map: Json, path: string, out: Errors): void {
  let size = 0
  for (const [name, value] of entriesOf(map)) {
    size += Buffer.byteLength(name) + Buffer.byteLength(String(value))
    const text = name.toLowerCase()
    if (text === '') {
      out.push(required(path))
      continue
    }
    const messages = isQualifiedName(text)
    if (messages.length > 0) each(messages, path, text, out)
    else if (!text.includes('/')) {
      out.push(invalid(path, text, 'must be a domain-prefixed key (such as "acme.io/foo")'))
    }
  }
  if (size > MAX_ANNOTATIONS) out.push(tooLong(path, MAX_ANNOTATIONS))
}

function uid(value: string, path: string, out: Errors): void {
  if (value === '') out.push(invalid(path, value, 'must not be empty'))
  if (Buffer.byteLength(value) > MAX_UID) out.push(tooLong(path, MAX_UID))
}

function expiration(seconds: number, signer: string, out: Errors): void {
  const most = isKubernetesSigner(signer) ? DAY : 91 * DAY
  if (seconds >= HOUR && seconds <= most) return
  out.push(invalid('spec.maxExpirationSeconds', seconds, `must be in the range [${HOUR}, ${most}]`))
}

function request(text: string, out: Errors): void {
  const der = Buffer.from(text, 'base64')
  if (der.length > MAX_REQUEST) {
    out.push(tooLong(REQUEST, MAX_REQUEST))
    return
  }
  try {
    const problem = keyProblem(readRequestDer(der).spki)
    if (problem !== undefined) out.push(problem)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const signature = error instanceof WrongSignature
    out.push(wrong(REQUEST, signature ? 'invalid signature' : 'must be a valid PKCS#10 CSR'))
  }
}

function keyProblem(spki: Buffer): FieldError | undefined {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({
    key: spki,
    format: 'der',
    type: 'spki',
  })
  if (type === 'ed25519') return undefined
  if (type === 'ec') {
    const curve = details?.namedCurve ?? ''
    if (CURVES.includes(curve)) return undefined
    return invalid(REQUEST, `curve ${curve}`, 'elliptic public keys must use curve P256, P384, or P521')
  }
  if (type === 'rsa') {
    const bits = details?.modulusLength ?? 0
    if (MODULI.includes(bits)) return undefined
    return invalid(REQUEST, `${bits}-bit modulus`, 'RSA keys must have modulus size 3072 or 4096')
  }
  return wrong(REQUEST, 'unknown public key type; supported types are Ed25519, ECDSA, and RSA')
}

function validate(object: Json): Errors {
  const out: Errors = []
  const spec: Json = object.spec ?? {}
  signerName(spec.signerName ?? '', 'spec.signerName', out)
  userAnnotations(spec.unverifiedUserAnnotations, 'spec.unverifiedUserAnnotations', out)
  for (const [name, id] of [
    ['podName', 'podUID'],
    ['serviceAccountName', 'serviceAccountUID'],
    ['nodeName', 'nodeUID'],
  ] as const) {
    const text: string = spec[name] ?? ''
    each(isDns1123Subdomain(text), child('spec', name), text, out)
    uid(spec[id] ?? '', child('spec', id), out)
  }
  expiration(spec.maxExpirationSeconds, spec.signerName ?? '', out)
  if (spec.stubPKCS10Request) request(spec.stubPKCS10Request, out)
  else {
    out.push(wrong('spec', 'exactly one of (stubPKCS10Request) or (pkixPublicKey, proofOfPossession) must be set'))
  }
  return out
}

/** As Go's struct is written. */
function shown(spec: Json): Json {
  return {
    SignerName: spec.signerName ?? '',
    PodName: spec.podName ?? '',
    PodUID: spec.podUID ?? '',
    ServiceAccountName: spec.serviceAccountName ?? '',
    ServiceAccountUID: spec.serviceAccountUID ?? '',
    NodeName: spec.nodeName ?? '',
    NodeUID: spec.nodeUID ?? '',
    MaxExpirationSeconds: spec.maxExpirationSeconds ?? null,
    PKIXPublicKey: null,
    ProofOfPossession: null,
    StubPKCS10Request: spec.stubPKCS10Request ?? null,
    UnverifiedUserAnnotations: sortedMap(spec.unverifiedUserAnnotations),
  }
}

function hasEnded(object: Json): boolean {
  return listOf(object.status?.conditions).some(({ type }) => OUTCOMES.includes(type))
}

function outcomes(status: Json, out: Errors): void {
  const path = 'status.conditions'
  let known = 0
  listOf(status.conditions).forEach(({ type = '', status: truth = '' }, i) => {
    const at = index(path, i)
    if (!OUTCOMES.includes(type)) {
      // With the dot that upstream's path has.
      out.push(notSupported(`${path}.[${i}].type`, type, OUTCOMES))
      return
    }
    if (++known > 1) {
      const detail = 'There may be at most one condition with type "Issued", "Denied", or "Failed"'
      out.push(invalid(child(at, 'type'), type, detail))
    }
    if (truth !== 'True') out.push(notSupported(child(at, 'status'), truth, ['True']))
  })
  conditions(status.conditions, path, out)
}

function validateStatus(object: Json, old: Json, now: () => string): Errors {
  const out: Errors = []
  const status: Json = object.status ?? {}
  outcomes(status, out)
  if (out.length > 0) return out
  if (hasEnded(old)) {
    if (!same(status, old.status)) {
      out.push(wrong('status', 'immutable after PodCertificateRequest is issued, denied, or failed'))
    }
    return out
  }
  const [outcome] = listOf(status.conditions)
  if (outcome === undefined) {
    const detail = 'status is immutable unless transitioning to "Issued", "Denied", or "Failed"'
    if (!same(status, old.status)) out.push(wrong('status', detail))
  } else if (outcome.type === 'Issued') issuance(status, old.spec ?? {}, now(), out)
  else if (!same(status, { conditions: status.conditions })) {
    const detail = 'non-condition status fields must be empty when denying or failing the PodCertificateRequest'
    out.push(wrong('status', detail))
  }
  return out
}

export const podCertificateRequestRules: KindRules = {
  fields: {
    'spec.signerName': fieldText('spec', 'signerName'),
    'spec.podName': fieldText('spec', 'podName'),
    'spec.nodeName': fieldText('spec', 'nodeName'),
  },
  defaults: (object) => {
    const spec: Json = (object['spec'] ??= {})
    if (!isSet(spec.maxExpirationSeconds)) spec.maxExpirationSeconds = DEFAULT_EXPIRATION
  },
  prepareCreate: (object) => {
    object['status'] = {}
  },
  prepareUpdate: (object, old) => {
    object['status'] = old['status']
  },
  prepareStatus: (object, old) => {
    object['spec'] = old['spec']
    keepMetadata(object, old)
  },
  validate: (object, old) => (old === undefined ? validate(object) : []),
  validateUpdate: (object, old) => {
    const out: Errors = []
    immutable(object['spec'], old['spec'], 'spec', out, shown(object['spec'] ?? {}))
    return out
  },
  validateStatus,
  unconditionalUpdate: false,
  generation: false,
}
