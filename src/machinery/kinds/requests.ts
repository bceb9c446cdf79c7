/** Objects that are asked for but not stored: scales, token requests. */
import { invalid } from '../field.ts'
import type { FieldError } from '../field.ts'
import { nonNegative } from './checks.ts'
import type { Errors } from './checks.ts'
import { entriesOf, isSet, listOf } from './json.ts'
import type { Json } from './json.ts'

/** autoscaling/v1 Scale. */
export function validateScale(scale: Json): FieldError[] {
  const out: Errors = []
  nonNegative(scale.spec?.replicas, 'spec.replicas', out)
  return out
}

/** Fills in authentication.k8s.io/v1 TokenRequest: an hour. */
export function defaultTokenRequest(request: Json): void {
  const spec: Json = (request.spec ??= {})
  if (!isSet(spec.expirationSeconds)) spec.expirationSeconds = 3600
}

/** authentication.k8s.io/v1 TokenRequest. Seconds between ten minutes and 2^32. */
export function validateTokenRequest(request: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = request.spec ?? {}
  const seconds: number = spec.expirationSeconds ?? 0
  const path = 'spec.expirationSeconds'
  if (seconds < 600) out.push(invalid(path, seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > 2 ** 32) out.push(invalid(path, seconds, 'may not specify a duration larger than 2^32 seconds'))
  const ref: Json = spec.boundObjectRef
  const webhook =
    ref?.apiVersion === 'admissionregistration.k8s.io/v1' &&
    (ref.kind === 'ValidatingWebhookConfiguration' || ref.kind === 'MutatingWebhookConfiguration')
  const attestations = entriesOf(spec.attestations)
  if (!webhook) {
    if (attestations.length === 0) return out
    const detail = 'attestations may only be specified with a webhook bound object reference'
    return [invalid('spec.attestations', spec.attestations, detail)]
  }
  const audiences = listOf(spec.audiences)
  if (audiences.length !== 1) {
    const shown = audiences.length === 0 ? null : audiences
    out.push(invalid('spec.audiences', shown, 'must be length 1 when bound to a webhook config'))
  }
  if (attestations.length !== 1) {
    const detail = 'webhook bound requests require exactly one admissionReviewAPIGroups attestation'
    out.push(invalid('spec.attestations', spec.attestations ?? null, detail))
  }
  return out
}
