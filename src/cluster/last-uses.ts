/** Labels Secrets with the day on which their token was last used, as kube-apiserver does. */
import { LAST_USED } from '../apiserver/authn/legacy-token.ts'
import type { Api, UserInfo } from '../apiserver/contract.ts'
import type { Log } from '../controllers/contract.ts'
import type { KubeObject } from '../machinery/object.ts'
import { StatusError } from '../machinery/status.ts'

const USER: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** A write for each Secret and day, however many requests come meanwhile; nobody waits for it. */
export function lastUses(api: () => Api, log: Log): (secret: KubeObject, day: string) => void {
  const under = new Set<string>()
  return ({ metadata }, day) => {
    const { name = '', namespace = '', uid } = metadata
    const key = `${namespace}/${name}`
    if (under.has(key)) return
    under.add(key)
    const resource = api().catalog.find('', 'v1', 'secrets')!
    const patch = { metadata: { uid, labels: { [LAST_USED]: day } } }
    const call = { user: USER, fieldManager: 'kube-apiserver', authorized: true }
    api()
      .patch(call, { resource, namespace, name }, 'merge', patch)
      .catch((error: unknown) => {
        // It is gone, or another one by now.
        if (error instanceof StatusError && (error.code === 404 || error.code === 409)) return
        log.warn('the last use of a token is not noted', { secret: key, error: String(error) })
      })
      .finally(() => under.delete(key))
  }
}
