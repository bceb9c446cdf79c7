/** Fills Secrets of type kubernetes.io/service-account-token, and takes them away with their account. */
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import type { ControllerFactory } from '../contract.ts'
import { keyOf, splitKey } from '../meta.ts'

const TYPE = 'kubernetes.io/service-account-token'
const NAME = 'kubernetes.io/service-account.name'
const UID = 'kubernetes.io/service-account.uid'

export interface AccountSecretsOptions {
  /** PEM of the cluster's authority, for the Secret's `ca.crt`. */
  readonly ca: string
  /** The token of an account for one Secret. */
  sign(account: { namespace: string; name: string; uid: string; secret: string }): string
}

/** Keys are Secrets. */
export function accountSecrets({ ca, sign }: AccountSecretsOptions): ControllerFactory {
  return (context) => {
    const { client } = context
    const secrets = client.informer(resources.secrets)
    const accounts = client.informer(resources.serviceaccounts)
    const isOurs = (secret: KubeObject): boolean => secret['type'] === TYPE
    const ofAccount = (account: KubeObject): void => {
      const { namespace = '', name } = account.metadata
      for (const secret of secrets.list(namespace))
        if (isOurs(secret) && secret.metadata.annotations?.[NAME] === name) context.enqueue(keyOf(secret))
    }
    return {
      name: 'serviceaccount-token',
      start() {
        secrets.onEvent(({ type, object }) => {
          if (type !== 'delete' && isOurs(object)) context.enqueue(keyOf(object))
        })
        accounts.onEvent(({ type, object }) => {
          if (type !== 'update') ofAccount(object)
        })
      },
      async reconcile(key) {
        if (!accounts.synced) await accounts.ready()
        const { namespace, name } = splitKey(key)
        const secret = secrets.get(namespace, name)
        if (secret === undefined || !isOurs(secret) || secret.metadata.deletionTimestamp !== undefined) return
        const { annotations = {} } = secret.metadata
        const account = annotations[NAME] === undefined ? undefined : accounts.get(namespace, annotations[NAME])
        const uid = account?.metadata.uid
        if (account === undefined || uid === undefined || (annotations[UID] ?? uid) !== uid) {
          const preconditions = { uid: secret.metadata.uid!, resourceVersion: secret.metadata.resourceVersion! }
          await client.delete(resources.secrets, name, { namespace, preconditions }).catch(ignoreMissing)
          return
        }
        const filled = {
          'ca.crt': base64(ca),
          namespace: base64(namespace),
          token: '',
          ...(secret['data'] as Record<string, string> | undefined),
        }
        const isComplete = filled.token !== '' && annotations[UID] === uid
        if (isComplete && filled['ca.crt'] === base64(ca) && secret['data']?.namespace !== undefined) return
        filled['ca.crt'] = base64(ca)
        if (filled.token === '')
          filled.token = base64(sign({ namespace, name: account.metadata.name!, uid, secret: name }))
        const metadata = { ...secret.metadata, annotations: { ...annotations, [UID]: uid } }
        await client
          .update(resources.secrets, { ...secret, metadata, data: filled }, { namespace })
          .catch(ignoreMissing)
      },
    }
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function ignoreMissing(error: unknown): void {
  if (!isReason(error, 'NotFound')) throw error
}
