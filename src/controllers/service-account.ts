/** Every namespace has a ServiceAccount `default`. */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import type { Controller, ControllerContext } from './contract.ts'
import type { Namespace } from './objects.ts'

const NAME = 'default'

/** Makes the account where it is missing, and again when somebody deletes it. Keys are namespaces. */
export function serviceAccountController(context: ControllerContext): Controller {
  const namespaces = context.client.informer<Namespace>(resources.namespaces)
  const accounts = context.client.informer(resources.serviceaccounts)
  return {
    name: 'serviceaccount',
    start() {
      namespaces.onEvent(({ type, object }) => {
        if (type !== 'delete') context.enqueue(object.metadata.name!)
      })
      accounts.onEvent(({ type, object }) => {
        if (type === 'delete' && object.metadata.name === NAME) context.enqueue(object.metadata.namespace!)
      })
    },
    async reconcile(namespace) {
      if (!accounts.synced) await accounts.ready()
      if (accounts.get(namespace, NAME) !== undefined) return
      const owner = namespaces.get('', namespace)
      if (owner === undefined || isEnding(owner)) return
      const account: KubeObject = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } }
      await createUnlessEnding(() => context.client.create(resources.serviceaccounts, account, { namespace }))
    },
  }
}

export function isEnding(namespace: Namespace): boolean {
  return namespace.metadata.deletionTimestamp !== undefined || namespace.status?.phase === 'Terminating'
}

/** Creates; that it is there already, or that its namespace is going, is fine. */
export async function createUnlessEnding(create: () => Promise<unknown>): Promise<void> {
  try {
    await create()
  } catch (error) {
    if (isReason(error, 'AlreadyExists') || isReason(error, 'NotFound')) return
    const causes = isReason(error, 'Forbidden') ? (error.status.details?.causes ?? []) : []
    if (!causes.some(({ reason }) => reason === 'NamespaceTerminating')) throw error
  }
}
