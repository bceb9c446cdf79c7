/**
 * What makes a cluster itself: its certificate authority, its keys, its port. Kept in the
 * cluster's own range under a key that no API path leads to, so that it goes where the
 * range goes.
 */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { FRONT_PROXY_NAME } from '../apiserver/authn/front-proxy.ts'
import { createCa, issueCertificate, loadCa, type Issued } from '../machinery/pki/certificate.ts'
import { ownBytes } from '../store/bytes.ts'
import type { Range } from '../store/contract.ts'

const KEY = 'tenantry.internal/identity//cluster'

/** As stored: PEM texts. */
export interface ClusterIdentity {
  readonly ca: Issued
  readonly server: Issued & { readonly addresses: readonly string[] }
  readonly admin: Issued
  /** Another authority, for proxies that say who asks, and this server's own certificate towards aggregated servers. */
  readonly frontProxy: { readonly ca: Issued; readonly client: Issued }
  /** Towards kubelets. */
  readonly kubeletClient: Issued
  /** Signs service account tokens. PKCS #8 PEM of a P-256 key. */
  readonly serviceAccountKey: string
  /** The port the cluster answered on last; 0: none yet. */
  readonly port: number
}

export interface IdentityOptions {
  /** Name in certificates. */
  readonly name: string
  /** Addresses that clients dial. */
  readonly addresses: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Reads the identity of a range, or makes one. A server certificate without the asked addresses is issued anew. */
export function readIdentity(
  range: Range,
  options: IdentityOptions,
): { readonly identity: ClusterIdentity; readonly changed: boolean } {
  const entry = range.latest(KEY)
  if (entry === undefined) return { identity: create(options), changed: true }
  type Later = 'frontProxy' | 'kubeletClient'
  type Stored = Omit<ClusterIdentity, Later> & Partial<Pick<ClusterIdentity, Later>>
  const stored = JSON.parse(entry.bytes.toString('utf8')) as Stored
  // Clusters from before have neither.
  const later = {
    frontProxy: stored.frontProxy ?? frontProxy(options),
    kubeletClient: stored.kubeletClient ?? kubeletClient(loadCa(stored.ca), options),
  }
  const identity = renewed({ ...stored, ...later }, options)
  const whole = stored.frontProxy !== undefined && stored.kubeletClient !== undefined
  return { identity, changed: !whole || identity.server !== stored.server }
}

function renewed(identity: ClusterIdentity, options: IdentityOptions): ClusterIdentity {
  if (options.addresses.every((a) => identity.server.addresses.includes(a))) return identity
  return { ...identity, server: serverCertificate(loadCa(identity.ca), options) }
}

function frontProxy({ name, now }: IdentityOptions): ClusterIdentity['frontProxy'] {
  const ca = createCa({ commonName: `${name}-front-proxy-ca`, now })
  const client = issueCertificate(ca, { commonName: FRONT_PROXY_NAME, usage: 'client', now })
  return { ca: { certificate: ca.certificate, key: ca.key }, client }
}

/** As kubeadm names it. */
function kubeletClient(ca: ReturnType<typeof loadCa>, { now }: IdentityOptions): Issued {
  return issueCertificate(ca, {
    commonName: 'kube-apiserver-kubelet-client',
    organizations: ['system:masters'],
    usage: 'client',
    now,
  })
}

export async function writeIdentity(range: Range, identity: ClusterIdentity): Promise<void> {
  const bytes = ownBytes(JSON.stringify(identity))
  await range.write([{ type: 'put', key: KEY, encode: () => ({ bytes }) }])
}

function create(options: IdentityOptions): ClusterIdentity {
  const ca = createCa({ commonName: `${options.name}-ca`, now: options.now })
  const account = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    ca: { certificate: ca.certificate, key: ca.key },
    server: serverCertificate(ca, options),
    admin: issueCertificate(ca, {
      commonName: 'kubernetes-admin',
      organizations: ['system:masters'],
      usage: 'client',
      now: options.now,
    }),
    frontProxy: frontProxy(options),
    kubeletClient: kubeletClient(ca, options),
    serviceAccountKey: account.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    port: 0,
  }
}

const NAMES = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
]

function serverCertificate(
  ca: ReturnType<typeof loadCa>,
  { addresses, now }: IdentityOptions,
): ClusterIdentity['server'] {
  const ips = addresses.filter((a) => /^[\d.]+$|:/.test(a))
  const dns = [...NAMES, ...addresses.filter((a) => !ips.includes(a))]
  return { ...issueCertificate(ca, { commonName: 'kube-apiserver', usage: 'server', dns, ips, now }), addresses }
}

/** The key that signs service account tokens. */
export function serviceAccountKey(identity: ClusterIdentity): KeyObject {
  return createPrivateKey(identity.serviceAccountKey)
}
