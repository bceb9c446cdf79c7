/** Whom a connection trusts and as whom it appears: TLS contexts, made once for each text. */
import { createSecureContext, getCACertificates } from 'node:tls'
import type { SecureContext } from 'node:tls'

export interface Identity {
  readonly certificate: string
  readonly key: string
}

/** `id` is part of the key of a pool: connections are shared only among those who trust alike. */
export interface Trust {
  readonly id: number
  readonly context: SecureContext
}

/** Identities remembered with a bundle. */
const MAX = 64
/** Characters of bundles remembered, of all clusters together. */
const MAX_TEXT = 16 * 1024 * 1024
/** What a bundle counts for at least: a context has a size of its own. */
const LEAST = 16 * 1024
/** Bytes of a bundle: reading certificates takes time that all clusters of the process share. */
const MAX_BUNDLE = 512 * 1024

export class Trusts {
  /** By bundle, least recently used first. */
  readonly #known = new Map<string, Map<string, Trust>>()
  #size = 0
  #count = 0

  /** @throws Error with upstream's words for a text that holds no certificate */
  get(caBundle: string | undefined, identity: Identity | undefined): Trust {
    const ca = caBundle ?? ''
    let byIdentity = this.#known.get(ca)
    if (byIdentity === undefined) {
      byIdentity = new Map<string, Trust>()
      this.#size += Math.max(LEAST, ca.length)
    } else this.#known.delete(ca)
    this.#known.set(ca, byIdentity)
    for (const oldest of this.#known.keys()) {
      if (this.#size <= MAX_TEXT || oldest === ca) break
      this.#known.delete(oldest)
      this.#size -= Math.max(LEAST, oldest.length)
    }
    const key = identity === undefined ? '' : `${identity.certificate}\n${identity.key}`
    let trust = byIdentity.get(key)
    if (trust === undefined) {
      trust = { id: ++this.#count, context: contextOf(ca, identity) }
      if (byIdentity.size >= MAX) byIdentity.clear()
      byIdentity.set(key, trust)
    }
    return trust
  }
}

function contextOf(ca: string, identity: Identity | undefined): SecureContext {
  if (ca.length > MAX_BUNDLE) throw new Error(`unable to load root certificates: more than ${MAX_BUNDLE} bytes`)
  const own = identity === undefined ? {} : { cert: identity.certificate, key: identity.key }
  try {
    // As Go does, whatever stands in the bundle is trusted, a server's own certificate too: envtest gives that.
    return createSecureContext({ ca: ca === '' ? system() : bundle(ca), allowPartialTrustChain: true, ...own })
  } catch (error) {
    if (error instanceof BundleError) throw error
    throw new Error(`unable to load root certificates: ${(error as Error).message}`, { cause: error })
  }
}

class BundleError extends Error {}

function bundle(text: string): string {
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new BundleError('unable to load root certificates: unable to parse bytes as PEM block')
}

const system = (): string[] => [...getCACertificates('default'), ...getCACertificates('system')]
