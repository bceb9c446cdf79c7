/** What the commands share about VirtualCluster objects. */
import type { Client } from '../client/contract.ts'
import { resources } from '../client/resources.ts'
import { isReason } from '../machinery/status.ts'
import { humanDuration } from '../machinery/duration.ts'
import { KUBECONFIG_KEY, kubeconfigSecretName, type VirtualCluster } from '../manager/virtual-cluster.ts'
import { text, type Input } from './command.ts'
import { CliError, exitCodes } from './errors.ts'

export const DEFAULT_NAMESPACE = 'tenantry'

export function namespaceOf(input: Input): string {
  return text(input, 'namespace') ?? DEFAULT_NAMESPACE
}

/** @throws CliError naming the object and how to list what there is */
export async function getVirtualCluster(host: Client, namespace: string, name: string): Promise<VirtualCluster> {
  try {
    return await host.get<VirtualCluster>(resources.virtualclusters, name, { namespace })
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error
    throw new CliError(
      `there is no virtual cluster "${name}" in namespace "${namespace}"`,
      exitCodes.notFound,
      'See "tenantry list".',
    )
  }
}

/** The admin kubeconfig of a running virtual cluster. */
export async function kubeconfigOf(host: Client, object: VirtualCluster): Promise<string> {
  const { name, namespace } = object.metadata
  if (object.status?.phase !== 'Running') {
    throw new CliError(
      `virtual cluster "${name!}" is ${object.status?.phase ?? 'Pending'}, not Running`,
      exitCodes.failed,
      `"tenantry status ${name!}" says why.`,
    )
  }
  const secret = await host.get(resources.secrets, object.status.kubeconfigSecret ?? kubeconfigSecretName(name!), {
    namespace: namespace!,
  })
  return Buffer.from(secret['data'][KUBECONFIG_KEY] as string, 'base64').toString()
}

export function age(object: VirtualCluster, now = Date.now()): string {
  return humanDuration(now - Date.parse(object.metadata.creationTimestamp!))
}

/** What `--output json` and `yaml` show of a virtual cluster. */
export function summary(object: VirtualCluster): Record<string, unknown> {
  return {
    name: object.metadata.name,
    namespace: object.metadata.namespace,
    uid: object.metadata.uid,
    created: object.metadata.creationTimestamp,
    spec: object.spec,
    status: object.status ?? { phase: 'Pending' },
  }
}

/** Resolves when `done` answers for a state of the object (`undefined`: it is gone). Watches; does not poll. */
export async function waitFor<T>(
  host: Client,
  namespace: string,
  name: string,
  seconds: number,
  doing: string,
  done: (object: VirtualCluster | undefined) => T | undefined,
): Promise<T> {
  const informer = host.informer<VirtualCluster>(resources.virtualclusters, {
    namespace,
    fieldSelector: `metadata.name=${name}`,
  })
  let stop: (() => void) | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<T>((resolve, reject) => {
      timer = setTimeout(() => {
        const phase = informer.get(namespace, name)?.status?.phase ?? 'Pending'
        reject(
          new CliError(
            `${doing}: still ${phase} after ${seconds} s`,
            exitCodes.timeout,
            `"tenantry status ${name}" says more.`,
          ),
        )
      }, seconds * 1000)
      const look = (object: VirtualCluster | undefined) => {
        try {
          const value = done(object)
          if (value !== undefined) resolve(value)
        } catch (error) {
          reject(error as Error)
        }
      }
      informer.ready().then(() => {
        if (informer.get(namespace, name) === undefined) look(undefined)
      }, reject)
      stop = informer.onEvent((event) => look(event.type === 'delete' ? undefined : event.object))
    })
  } finally {
    clearTimeout(timer)
    stop?.()
  }
}
