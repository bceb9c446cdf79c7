/**
 * Everything a cluster has before anybody writes: namespaces, roles and bindings, priority classes, flow control, API
 * services, the service CIDR. One array serves all clusters; an object becomes bytes when somebody reads it.
 */
import { createHash } from 'node:crypto'
import type { KubeObject } from '../../machinery/object.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { BaseEntry, Encoded, RangeIdentity } from '../../store/contract.ts'
import { localApiService } from '../aggregation/apiservice.ts'
import type { KeyedObject } from '../authz/book.ts'
import { flowSchemas, priorityLevels } from './flowcontrol.ts'
import { rbacObjects } from './rbac.ts'

export interface BootstrapOptions {
  /** Range of the cluster's service addresses. @default '10.96.0.0/16' */
  readonly serviceCidr?: string
}

export const DEFAULT_SERVICE_CIDR = '10.96.0.0/16'

/** The revision that base entries carry: a range's first. */
const BASE_REVISION = '1'

/** Stands for the birth time inside shared objects. No Kubernetes text holds a NUL. */
const BIRTH = '\u0000birth'
/** Stands for the day of birth. */
const BIRTHDAY = '\u0000day'

const cache = new Map<string, readonly BaseEntry[]>()
const CACHED_CIDRS = 64

/** Sorted by key, as OpenOptions.base wants them. Equal options give the same array. */
export function bootstrapEntries(options: BootstrapOptions = {}): readonly BaseEntry[] {
  const cidr = options.serviceCidr ?? DEFAULT_SERVICE_CIDR
  let entries = cache.get(cidr)
  if (entries === undefined) {
    if (cache.size >= CACHED_CIDRS) cache.clear()
    cache.set(cidr, (entries = make(cidr)))
  }
  return entries
}

/** uid of a base object in one cluster: the same after every restart, different in every cluster. */
export function bootstrapUid(seed: string, key: string): string {
  const hash = createHash('sha256').update(seed).update('\0').update(key).digest()
  hash[6] = (hash[6]! & 0x0f) | 0x40
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = hash.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}

let shared: readonly BaseEntry[] | undefined

/** All but the service CIDR is the same in every cluster. */
function make(cidr: string): readonly BaseEntry[] {
  shared ??= [
    ...keyed('core/namespaces/', namespaces()),
    ...keyed('core/configmaps/kube-system', [tokenTracking()]),
    ...rbacObjects(),
    ...keyed('scheduling.k8s.io/priorityclasses/', priorityClasses()),
    ...keyed('apiregistration.k8s.io/apiservices/', apiServices()),
    ...keyed('flowcontrol.apiserver.k8s.io/flowschemas/', flowSchemas(BIRTH)),
    ...keyed('flowcontrol.apiserver.k8s.io/prioritylevelconfigurations/', priorityLevels()),
  ].map(template)
  const own = keyed('networking.k8s.io/servicecidrs/', [serviceCidr(cidr)]).map(template)
  return Object.freeze([...shared, ...own].sort((a, b) => (a.key < b.key ? -1 : 1)))
}

function keyed(prefix: string, objects: readonly KubeObject[]): KeyedObject[] {
  return objects.map((object) => ({ key: `${prefix}/${object.metadata.name!}`, object }))
}

/** Text around the fields that each cluster has of its own, made when first rendered. Field order is Go's. */
function template({ key, object }: KeyedObject): BaseEntry {
  let parts: { head: string; generation: string; tail: string[] } | undefined
  const dated = object['data'] !== undefined
  return {
    key,
    render(identity: RangeIdentity): Encoded {
      parts ??= split(object)
      const { head, generation, tail } = parts
      const time = rfc3339(identity.createdAt)
      const uid = bootstrapUid(identity.seed, key)
      const meta = `"uid":"${uid}","resourceVersion":"${BASE_REVISION}",${generation}"creationTimestamp":"${time}"`
      const text = `${head}${meta}${tail.join(time)}`
      return { bytes: Buffer.from(dated ? text.replaceAll(marker(BIRTHDAY), time.slice(0, 10)) : text) }
    },
  }
}

function split(object: KubeObject): { head: string; generation: string; tail: string[] } {
  const { kind, apiVersion, metadata, ...rest } = object
  const { name, namespace, generation, ...more } = metadata
  const names = JSON.stringify({ name, namespace })
  const ending = inner(more)
  const body = inner(rest)
  return {
    head: `{"kind":"${kind}","apiVersion":"${apiVersion}","metadata":${names.slice(0, -1)},`,
    generation: generation === undefined ? '' : `"generation":${generation},`,
    tail: `${ending}}${body}}`.split(marker(BIRTH)),
  }
}

/** As it stands in JSON. */
const marker = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Members of an object with a leading comma; '' if it has none. */
function inner(value: object): string {
  const text = JSON.stringify(value)
  return text === '{}' ? '' : `,${text.slice(1, -1)}`
}

/** RFC 3339 in UTC with seconds, as metav1.Time. */
function rfc3339(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`
}

function namespaces(): KubeObject[] {
  return ['default', 'kube-node-lease', 'kube-public', 'kube-system'].map((name) => ({
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }))
}

/**
 * Since when uses of tokens from Secrets are noted (here there are none): kube-apiserver makes it, and the cleaner of
 * such tokens in kube-controller-manager wants it.
 */
function tokenTracking(): KubeObject {
  return {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: BIRTHDAY },
  }
}

/** One for each group version, but that of API services itself. */
function apiServices(): KubeObject[] {
  const versions = new Map(typeTable.resources.map((info) => [`${info.version}.${info.group}`, info]))
  versions.delete('v1.apiregistration.k8s.io')
  return [...versions.values()].map((info) => localApiService(info, 'onstart', BIRTH))
}

function priorityClasses(): KubeObject[] {
  const critical = (name: string, value: number, description: string): KubeObject => ({
    kind: 'PriorityClass',
    apiVersion: 'scheduling.k8s.io/v1',
    metadata: { name, generation: 1 },
    value,
    description,
    preemptionPolicy: 'PreemptLowerPriority',
  })
  return [
    critical(
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ),
    critical(
      'system-node-critical',
      2_000_001_000,
      'Used for system critical pods that must not be moved from their current node.',
    ),
  ]
}

function serviceCidr(cidr: string): KubeObject {
  const condition = {
    type: 'Ready',
    status: 'True',
    lastTransitionTime: BIRTH,
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
  }
  return {
    kind: 'ServiceCIDR',
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: cidr.split(',') },
    status: { conditions: [condition] },
  }
}
