/** The service `kubernetes` in namespace `default`: where pods find the API server. */
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { isReason } from '../machinery/status.ts'
import type { ControllerFactory } from './contract.ts'
import { label, sameValue } from './meta.ts'
import type { Service } from './objects.ts'

const NAME = 'kubernetes'
const NAMESPACE = 'default'

export interface KubernetesServiceOptions {
  /** The service's cluster IP: the first address of the service range. */
  readonly clusterIP: string
  /** The IP address where the API server is reached. @default the service gets no endpoints */
  readonly address?: string
  /** @default 443 */
  readonly port?: number
}

/** Keeps the service, its Endpoints and its EndpointSlice. There is one key. */
export function kubernetesServiceController(options: KubernetesServiceOptions): ControllerFactory {
  const { clusterIP, address, port = 443 } = options
  const family = clusterIP.includes(':') ? 'IPv6' : 'IPv4'
  const addressType = address?.includes(':') === true ? 'IPv6' : 'IPv4'
  const meta = { name: NAME, namespace: NAMESPACE }
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...meta, labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: [family],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'https', port: 443, protocol: 'TCP', targetPort: port }],
      sessionAffinity: 'None',
    },
  }
  const ports = [{ name: 'https', port, protocol: 'TCP' }]
  const endpoints: KubeObject = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...meta, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address ?? '' }], ports }],
  }
  const slice: KubeObject = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...meta, labels: { 'kubernetes.io/service-name': NAME } },
    addressType,
    endpoints: [{ addresses: [address ?? ''], conditions: { ready: true } }],
    ports,
  }
  return (context) => {
    const { client } = context
    const services = client.informer<Service>(resources.services)
    const all = client.informer(resources.endpoints)
    const slices = client.informer(resources.endpointslices)
    const ours = ({ metadata }: KubeObject): boolean => metadata.name === NAME && metadata.namespace === NAMESPACE
    return {
      name: 'kubernetes-service',
      start() {
        context.enqueue(NAME)
        for (const informer of [services, all, slices]) {
          informer.onEvent(({ object }) => {
            if (ours(object)) context.enqueue(NAME)
          })
        }
      },
      async reconcile() {
        await Promise.all([services.ready(), all.ready(), slices.ready()])
        const current = services.get(NAMESPACE, NAME)
        if (current === undefined) {
          await create(() => client.create(resources.services, service, { namespace: NAMESPACE }))
        } else if (!sameValue(current.spec.ports, service['spec'].ports)) {
          const spec = { ...current.spec, ports: service['spec'].ports }
          await client.update(resources.services, { ...current, spec }, { namespace: NAMESPACE })
        }
        if (address === undefined) return
        const known = all.get(NAMESPACE, NAME)
        if (known === undefined) {
          await create(() => client.create(resources.endpoints, endpoints, { namespace: NAMESPACE }))
        } else if (!sameValue(known['subsets'], endpoints['subsets'])) {
          const changed = { ...known, subsets: endpoints['subsets'] }
          await client.update(resources.endpoints, changed, { namespace: NAMESPACE })
        }
        const found = slices.get(NAMESPACE, NAME)
        if (found !== undefined && found['addressType'] !== addressType) {
          await client.delete(resources.endpointslices, NAME, { namespace: NAMESPACE })
          return
        }
        if (found === undefined) {
          await create(() => client.create(resources.endpointslices, slice, { namespace: NAMESPACE }))
        } else if (
          !sameValue(found['endpoints'], slice['endpoints']) ||
          !sameValue(found['ports'], ports) ||
          label(found, 'kubernetes.io/service-name') !== NAME
        ) {
          const labels = { ...found.metadata.labels, ...slice.metadata.labels }
          const changed = { ...found, metadata: { ...found.metadata, labels }, endpoints: slice['endpoints'], ports }
          await client.update(resources.endpointslices, changed, { namespace: NAMESPACE })
        }
      },
    }
  }
}

/** The namespace may not be there yet: that is an error and comes again. */
async function create(make: () => Promise<unknown>): Promise<void> {
  try {
    await make()
  } catch (error) {
    // An address that servers refuse in endpoints (loopback, on some): the service stays without.
    if (!isReason(error, 'AlreadyExists') && !isReason(error, 'Invalid')) throw error
  }
}
