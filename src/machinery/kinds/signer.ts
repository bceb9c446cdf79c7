/** Signer names of certificates: `example.com/signer`. */
import { invalid, required, tooLong } from '../field.ts'
import { isDns1123Label, isDns1123Subdomain } from '../names.ts'
import type { Errors } from './checks.ts'

/** 253 for the domain, a slash, and 253 + 63 + 1 for the path. */
const MAX_LENGTH = 571

export function signerName(name: string, path: string, out: Errors): void {
  if (name === '') {
    out.push(required(path))
    return
  }
  const [domain = '', rest = '', ...more] = name.split('/')
  if (!name.includes('/') || more.length > 0) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    out.push(invalid(path, name, detail))
    return
  }
  if (Buffer.byteLength(domain) > 253) out.push(tooLong(path, 253))
  const labels = domain.split('.')
  firstBad(labels, isDns1123Label, domain, path, out)
  if (labels.length < 2) {
    out.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'))
  }
  firstBad(rest.split('.'), isDns1123Subdomain, rest, path, out)
  if (Buffer.byteLength(name) > MAX_LENGTH) out.push(tooLong(path, MAX_LENGTH))
}

function firstBad(
  labels: readonly string[],
  check: (label: string) => string[],
  shown: string,
  path: string,
  out: Errors,
): void {
  for (const label of labels) {
    const messages = check(label)
    if (messages.length === 0) continue
    for (const message of messages) {
      out.push(invalid(path, shown, `validating label ${JSON.stringify(label)}: ${message}`))
    }
    return
  }
}

/** Whether the signer is one of Kubernetes' own. */
export function isKubernetesSigner(name: string): boolean {
  const domain = name.split('/')[0] ?? ''
  return domain === 'kubernetes.io' || domain.endsWith('.kubernetes.io')
}
