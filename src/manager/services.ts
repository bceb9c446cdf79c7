/** Services of a tenant for what its API server calls: reached as the host's Service, whose pods run there. */
import type { Address, ServiceResolver } from '../apiserver/dial/contract.ts'
import { endpointResolver } from '../apiserver/dial/services.ts'
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import type { KubeObject } from '../machinery/object.ts'
import { errors } from '../machinery/status.ts'
import type { Syncer } from '../syncer/syncer.ts'

export interface HostServicesOptions {
  readonly host: Client
  /** The syncer, once it exists. */
  syncer(): Syncer
  /**
   * How the manager gets to a Service: by its cluster IP where there is a kube-proxy, or straight to the endpoints
   * that the host has of it. Headless Services have endpoints only.
   */
  readonly by: 'cluster-ip' | 'endpoints'
  /** A number in [0, 1). */
  random(): number
}

interface Spec {
  readonly type?: string
  readonly externalName?: string
  readonly clusterIP?: string
  readonly ports?: readonly { readonly port: number }[]
}

/**
 * The resolver of a virtual cluster. What the tenant wrote names a Service of its own; where it is comes from the host
 * object that the syncer made of it, found by look-up.
 */
export function hostServices(options: HostServicesOptions, uid: string): ServiceResolver {
  return {
    async resolve(namespace, name, port): Promise<Address> {
      const service = options.syncer().hostService(uid, namespace, name)
      if (service === undefined) throw errors.notFound({ group: '', resource: 'service' }, name)
      const { type, externalName = '', clusterIP = '', ports = [] } = service['spec'] as Spec
      if (type === 'ExternalName') return { host: externalName, port }
      if (options.by === 'cluster-ip' && clusterIP !== '' && clusterIP !== 'None') {
        if (ports.some((each) => each.port === port)) return { host: clusterIP, port }
        throw errors.serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
      }
      return atEndpoints(options, service, port, name)
    },
  }
}

async function atEndpoints(
  { host, random }: HostServicesOptions,
  service: KubeObject,
  port: number,
  shown: string,
): Promise<Address> {
  const { namespace = '', name = '' } = service.metadata
  const labelSelector = `kubernetes.io/service-name=${name}`
  const { items } = await host.list(resources.endpointslices, { namespace, labelSelector })
  const resolver = endpointResolver({ service: () => service, slices: () => items }, random)
  try {
    return await resolver.resolve(namespace, name, port)
  } catch (error) {
    // The tenant knows it by its own name.
    const message = (error as Error).message.replaceAll(JSON.stringify(name), JSON.stringify(shown))
    throw new Error(message, { cause: error })
  }
}
