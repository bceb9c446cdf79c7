/** How many pods the controllers of some pods want. */
import type { Client, Resource } from '../../client/contract.ts'
import { resources } from '../../client/resources.ts'
import type { KubeObject, OwnerReference } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import { discover } from '../discovery.ts'
import { controllerOf } from '../meta.ts'
import type { Pod } from '../objects.ts'
import { workloads } from '../resources.ts'

export interface Scale {
  readonly total: number
  /** Names of pods without a controller. */
  readonly unmanaged: readonly string[]
}

/**
 * The sum over the controllers of the pods, each counted once: for a ReplicaSet of a Deployment the Deployment's
 * replicas, for anything else its own, read from `spec` or from its `scale`.
 * @throws Error when a pod's controller cannot be found or has no scale
 */
export async function expectedScale(client: Client, pods: readonly Pod[], signal: AbortSignal): Promise<Scale> {
  const seen = new Set<string>()
  const scales = new Map<string, number>()
  const unmanaged: string[] = []
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (owner === undefined) unmanaged.push(pod.metadata.name!)
    else if (!seen.has(owner.uid)) {
      seen.add(owner.uid)
      const found = await scaleOf(client, owner, pod.metadata.namespace!, signal)
      if (found === undefined) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`)
      scales.set(found.uid, found.replicas)
    }
  }
  return { total: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged }
}

interface Found {
  readonly uid: string
  readonly replicas: number
}

const BUILT_IN: ReadonlyMap<string, Resource> = new Map([
  ['apps/ReplicaSet', resources.replicasets],
  ['apps/StatefulSet', workloads.statefulsets],
  ['/ReplicationController', workloads.replicationcontrollers],
])

async function scaleOf(
  client: Client,
  owner: OwnerReference,
  namespace: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const group = groupOf(owner.apiVersion)
  const known = BUILT_IN.get(`${group}/${owner.kind}`)
  if (known === undefined) return customScale(client, owner, group, namespace, signal)
  const object = await find(client, known, owner.name, namespace)
  if (object?.metadata.uid !== owner.uid) return undefined
  const parent = known === resources.replicasets ? controllerOf(object) : undefined
  if (parent?.kind !== 'Deployment' || groupOf(parent.apiVersion) !== 'apps') return found(object)
  const deployment = await find(client, resources.deployments, parent.name, namespace)
  return deployment?.metadata.uid === parent.uid ? found(deployment) : undefined
}

/** Anything that has a `scale`, such as a custom resource. */
async function customScale(
  client: Client,
  owner: OwnerReference,
  group: string,
  namespace: string,
  signal: AbortSignal,
): Promise<Found | undefined> {
  const version = owner.apiVersion.slice(owner.apiVersion.indexOf('/') + 1)
  const served = (await discover(client, signal)).resources
  const same = served.find((resource) => resource.group === group && resource.kind === owner.kind)
  if (same === undefined) {
    throw new Error(`no matches for kind ${JSON.stringify(owner.kind)} in version ${JSON.stringify(owner.apiVersion)}`)
  }
  const resource: Resource = { ...same, version }
  const scale = await find(client, resource, owner.name, namespace, 'scale')
  if (scale !== undefined) return scale.metadata.uid === owner.uid ? found(scale) : undefined
  // Missing is the object, or only its scale.
  if ((await find(client, resource, owner.name, namespace)) === undefined) return undefined
  const name = group === '' ? resource.resource : `${resource.resource}.${group}`
  throw new Error(`${name} does not implement the scale subresource`)
}

function found(object: KubeObject): Found {
  return { uid: object.metadata.uid!, replicas: (object['spec']?.replicas as number | undefined) ?? 0 }
}

function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/')
  return slash < 0 ? '' : apiVersion.slice(0, slash)
}

async function find(
  client: Client,
  resource: Resource,
  name: string,
  namespace: string,
  subresource?: string,
): Promise<KubeObject | undefined> {
  try {
    return await client.get(resource, name, { namespace, ...(subresource === undefined ? {} : { subresource }) })
  } catch (error) {
    if (isReason(error, 'NotFound')) return undefined
    throw error
  }
}
