/** Which authority stands behind a client's certificate, where a listener trusts more than one. */
import { X509Certificate } from 'node:crypto'

export interface Authorities {
  readonly client: readonly X509Certificate[]
  readonly proxy: readonly X509Certificate[]
}

/** Certificates between a client's and its authority. */
const MAX_CHAIN = 8
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g

export function certificatesOf(pem: string): X509Certificate[] {
  return (pem.match(PEM) ?? []).map((text) => new X509Certificate(text))
}

/** Whether one of the authorities signed the certificate, or one that stands above it in what the client showed. */
export function signedBy(shown: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  let certificate: X509Certificate | undefined = shown
  for (let i = 0; i < MAX_CHAIN && certificate !== undefined; i++) {
    const here: X509Certificate = certificate
    if (authorities.some((authority) => isIssuer(authority, here))) return true
    const above: X509Certificate | undefined = here.issuerCertificate
    certificate = above !== undefined && above.ca && isIssuer(above, here) ? above : undefined
  }
  return false
}

function isIssuer(issuer: X509Certificate, of: X509Certificate): boolean {
  return of.checkIssued(issuer) && of.verify(issuer.publicKey)
}
