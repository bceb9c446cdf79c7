/**
 * Tokens of the tenant's service accounts, for pods on the host: one host Secret for each
 * (namespace, account, audience) that a pod's volumes ask for, filled by TokenRequest on
 * the tenant's API server. They are bound to the account, not to the pod.
 */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import type { Host } from './host.ts'
import { annotations, labels, MANAGER } from './identity.ts'
import type { Session } from './session.ts'
import { tokenSecretName, type TokenUse } from './token-use.ts'

const USE = 'tenantry.dev/token'
const EXPIRES = 'tenantry.dev/token-expires'
const ISSUED = 'tenantry.dev/token-issued'
/** What the kubelet asks for; the API server extends it to a year (service-account-extend-token-expiration). */
const SECONDS = 3607

export class Tokens {
  readonly #host: Host
  readonly #now: () => number

  constructor(host: Host, now: () => number) {
    this.#host = host
    this.#now = now
  }

  /** The use that a host Secret serves, if it is a token Secret. */
  useOf(host: KubeObject): TokenUse | undefined {
    const text = host.metadata.annotations?.[USE]
    if (text === undefined) return undefined
    // Somebody on the host may have written into it.
    try {
      const [account, audience] = JSON.parse(text) as [string, string | null]
      return { namespace: host.metadata.annotations![annotations.namespace]!, account, audience: audience ?? undefined }
    } catch {
      return undefined
    }
  }

  /** Token Secrets of a session that want a new token: four fifths of their time are over. */
  due(session: Session): TokenUse[] {
    const out: TokenUse[] = []
    for (const secret of this.#host.ofTenant('Secret', session.tenant.uid)) {
      const use = this.useOf(secret)
      if (use !== undefined && this.#stale(secret)) out.push(use)
    }
    return out
  }

  #stale(secret: KubeObject): boolean {
    const issued = Number(secret.metadata.annotations?.[ISSUED])
    const expires = Number(secret.metadata.annotations?.[EXPIRES])
    return !(this.#now() < issued + (expires - issued) * 0.8)
  }

  async sync(session: Session, use: TokenUse, ensureNamespace: (namespace: string) => Promise<void>): Promise<void> {
    const { tenant } = session
    const namespace = tenant.placement.namespace(use.namespace)
    const name = tokenSecretName(tenant.uid, use.namespace, use.account, use.audience)
    const there = this.#host.informers.Secret.get(namespace, name)
    if (!session.tokenWanted(use)) {
      if (there !== undefined) await this.#host.delete(resources.secrets, there)
      return
    }
    if (there !== undefined && !this.#stale(there)) return
    const { token, expires, account } = await this.#request(session, use)
    if (token === undefined) return
    const marks = { [ISSUED]: String(this.#now()), [EXPIRES]: String(expires) }
    const data = { token: Buffer.from(token).toString('base64') }
    if (there !== undefined) {
      await this.#host.patch(resources.secrets, there, 'merge', {
        metadata: { uid: there.metadata.uid, annotations: marks },
        data,
      })
      return
    }
    await ensureNamespace(use.namespace)
    if (session.stopped) return
    const secret: KubeObject = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        labels: {
          ...tenant.placement.labels(use.namespace),
          [labels.managedBy]: MANAGER,
          [labels.cluster]: tenant.uid,
        },
        annotations: {
          [annotations.cluster]: `${tenant.namespace}/${tenant.name}`,
          [annotations.namespace]: use.namespace,
          // No Kubernetes name has a space: this identity is no tenant object's.
          [annotations.name]: `token ${name}`,
          [annotations.uid]: account,
          [USE]: JSON.stringify([use.account, use.audience ?? null]),
          ...marks,
        },
      },
      type: 'Opaque',
      data,
    }
    try {
      await this.#host.create(resources.secrets, secret)
    } catch (error) {
      if (!isReason(error, 'AlreadyExists')) throw error
    }
  }

  async #request(session: Session, use: TokenUse): Promise<{ token?: string; expires: number; account: string }> {
    const { client } = session.tenant
    try {
      const account = await client.get(resources.serviceaccounts, use.account, { namespace: use.namespace })
      const request: KubeObject = {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: { expirationSeconds: SECONDS, ...(use.audience !== undefined && { audiences: [use.audience] }) },
      }
      const answer = await client.create(resources.serviceaccounts, request, {
        namespace: use.namespace,
        name: use.account,
        subresource: 'token',
      })
      const status = answer['status'] as { token: string; expirationTimestamp: string }
      return { token: status.token, expires: Date.parse(status.expirationTimestamp), account: account.metadata.uid! }
    } catch (error) {
      // The account is gone: its pods' tokens are of no use.
      if (isReason(error, 'NotFound')) return { expires: 0, account: '' }
      throw error
    }
  }
}
