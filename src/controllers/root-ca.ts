/** Every namespace has the ConfigMap `kube-root-ca.crt` with the CA that pods need to trust the API server. */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { ControllerFactory } from './contract.ts'
import { annotation, sameValue } from './meta.ts'
import type { Namespace } from './objects.ts'
import { createUnlessEnding, isEnding } from './service-account.ts'

const NAME = 'kube-root-ca.crt'
const DESCRIPTION = 'kubernetes.io/description'
const TEXT =
  'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.'

export interface RootCaOptions {
  /** The CA certificates in PEM. */
  readonly ca: string
}

/** Makes the ConfigMap where it is missing, and takes back what somebody changes in it. Keys are namespaces. */
export function rootCaController({ ca }: RootCaOptions): ControllerFactory {
  return (context) => {
    const namespaces = context.client.informer<Namespace>(resources.namespaces)
    const maps = context.client.informer(resources.configmaps)
    const data = { 'ca.crt': ca }
    return {
      name: 'root-ca',
      start() {
        namespaces.onEvent(({ type, object }) => {
          if (type !== 'delete') context.enqueue(object.metadata.name!)
        })
        maps.onEvent(({ type, object }) => {
          if (object.metadata.name === NAME && type !== 'add') context.enqueue(object.metadata.namespace!)
        })
      },
      async reconcile(namespace) {
        if (!maps.synced) await maps.ready()
        const owner = namespaces.get('', namespace)
        if (owner === undefined || isEnding(owner)) return
        const current = maps.get(namespace, NAME)
        if (current === undefined) {
          const map: KubeObject = {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: NAME, namespace, annotations: { [DESCRIPTION]: TEXT } },
            data,
          }
          await createUnlessEnding(() => context.client.create(resources.configmaps, map, { namespace }))
          return
        }
        const described = annotation(current, DESCRIPTION) === TEXT
        if (described && sameValue(current['data'], data) && current['binaryData'] === undefined) return
        const annotations = { ...current.metadata.annotations, [DESCRIPTION]: TEXT }
        const { binaryData: _, ...kept } = current
        await context.client.update(
          resources.configmaps,
          { ...kept, metadata: { ...current.metadata, annotations }, data },
          { namespace },
        )
      },
    }
  }
}
