/** Removes bootstrap tokens (Secrets of kube-system) when their time is over. */
import { isExpired } from '../../apiserver/authn/bootstrap-token.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'

const NAMESPACE = 'kube-system'
const TYPE = 'bootstrap.kubernetes.io/token'

/** Nothing waits while there are none. Keys are names of Secrets. */
export function bootstrapTokenCleaner(context: ControllerContext): Controller {
  const { client } = context
  const secrets = client.informer(resources.secrets)
  const schedule = (secret: KubeObject): void => {
    const expiration = expirationOf(secret)
    if (expiration === '') return
    const at = Date.parse(expiration)
    const wait = Number.isNaN(at) ? 0 : at - context.now()
    // A timer holds no more than 24 days: then it is asked again.
    context.enqueue(secret.metadata.name!, Math.min(Math.max(1, wait), 24 * 86_400_000))
  }
  return {
    name: 'token-cleaner',
    start() {
      secrets.onEvent(({ type, object }) => {
        if (type !== 'delete' && object.metadata.namespace === NAMESPACE && object['type'] === TYPE) schedule(object)
      })
    },
    async reconcile(name) {
      const secret = secrets.get(NAMESPACE, name)
      if (secret === undefined || secret['type'] !== TYPE) return
      if (!isExpired(expirationOf(secret), context.now())) return schedule(secret)
      const preconditions = { uid: secret.metadata.uid!, resourceVersion: secret.metadata.resourceVersion! }
      await client.delete(resources.secrets, name, { namespace: NAMESPACE, preconditions }).catch((error: unknown) => {
        if (!isReason(error, 'NotFound')) throw error
      })
    },
  }
}

function expirationOf(secret: KubeObject): string {
  const data = secret['data'] as Readonly<Record<string, string>> | undefined
  return Buffer.from(data?.['expiration'] ?? '', 'base64').toString('utf8')
}
