/** Which tokens a tenant's pods ask for, and the host Secrets that hold them. */
import { createHash } from 'node:crypto'
import type { KubeObject } from '../machinery/object.ts'

/** The host Secret's name; unique by hash, so no tenant object can have it. */
export function tokenSecretName(
  cluster: string,
  namespace: string,
  account: string,
  audience: string | undefined,
): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([cluster, namespace, account, audience ?? '']))
    .digest('hex')
    .slice(0, 24)
  return `tenantry-token-${hash}`
}

/** One token that a pod's volumes ask for. */
export interface TokenUse {
  readonly namespace: string
  readonly account: string
  readonly audience: string | undefined
}

/** The tokens that a tenant pod's volumes ask for. */
export function tokenUses(pod: KubeObject): TokenUse[] {
  const out: TokenUse[] = []
  for (const volume of pod['spec'].volumes ?? []) {
    for (const source of volume.projected?.sources ?? []) {
      if (source.serviceAccountToken === undefined) continue
      out.push({
        namespace: pod.metadata.namespace!,
        account: pod['spec'].serviceAccountName ?? 'default',
        audience: source.serviceAccountToken.audience || undefined,
      })
    }
  }
  return out
}
