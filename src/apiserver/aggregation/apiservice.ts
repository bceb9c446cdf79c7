/** APIService objects: what they say, and the ones that a server registers for what it serves itself. */
import { localCondition } from '../../machinery/kinds/index.ts'
import type { KubeObject } from '../../machinery/object.ts'

/** Where APIServices live in a range. */
export const PREFIX = 'apiregistration.k8s.io/apiservices/'

/** Whose APIService it is: `onstart` for built-in groups, `true` for those of custom resources. */
export const AUTOMANAGED = 'kube-aggregator.kubernetes.io/automanaged'

export interface Condition {
  readonly type: string
  readonly status: string
  readonly lastTransitionTime?: string
  readonly reason?: string
  readonly message?: string
}

/** A group version that another server serves, behind a Service. */
export interface RemoteService {
  /** `v1alpha1.wardle.example.com` */
  readonly name: string
  readonly group: string
  readonly version: string
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  /** PEM. */
  readonly caBundle?: string
  readonly insecure: boolean
  /** What its status says: nothing is sent to a service that is not available. */
  readonly available: boolean
  readonly groupPriority: number
  readonly versionPriority: number
}

interface Spec {
  group?: string
  version?: string
  service?: { namespace?: string; name?: string; port?: number } | null
  caBundle?: string
  insecureSkipTLSVerify?: boolean
  groupPriorityMinimum?: number
  versionPriority?: number
}

export const conditionsOf = (object: KubeObject): readonly Condition[] => {
  const { conditions } = (object['status'] ?? {}) as { conditions?: readonly Condition[] | null }
  return conditions ?? []
}

/** Undefined for what this server serves itself. */
export function remoteServiceOf(object: KubeObject): RemoteService | undefined {
  const spec = (object['spec'] ?? {}) as Spec
  if (spec.service === undefined || spec.service === null) return undefined
  const { namespace = '', name = '', port = 443 } = spec.service
  const available = conditionsOf(object).some((c) => c.type === 'Available' && c.status === 'True')
  return {
    name: object.metadata.name ?? '',
    group: spec.group ?? '',
    version: spec.version ?? '',
    service: { namespace, name, port },
    ...(spec.caBundle !== undefined &&
      spec.caBundle !== '' && { caBundle: Buffer.from(spec.caBundle, 'base64').toString('utf8') }),
    insecure: spec.insecureSkipTLSVerify === true,
    available,
    groupPriority: spec.groupPriorityMinimum ?? 0,
    versionPriority: spec.versionPriority ?? 0,
  }
}

/** One service, whatever it serves: `default/wardle:443`. */
export function serviceKey({ service }: RemoteService): string {
  return `${service.namespace}/${service.name}:${service.port}`
}

/** Whether both are reached and trusted in the same way. */
export function sameBackend(a: RemoteService, b: RemoteService): boolean {
  return serviceKey(a) === serviceKey(b) && a.caBundle === b.caBundle && a.insecure === b.insecure
}

export interface LocalGroupVersion {
  readonly group: string
  readonly version: string
  readonly groupPriority: number
  readonly versionPriority: number
}

/** The APIService of a group version that this server serves. */
export function localApiService(
  { group, version, groupPriority, versionPriority }: LocalGroupVersion,
  managed: 'onstart' | 'true',
  time: string,
): KubeObject {
  return {
    kind: 'APIService',
    apiVersion: 'apiregistration.k8s.io/v1',
    metadata: { name: `${version}.${group}`, labels: { [AUTOMANAGED]: managed } },
    spec: {
      ...(group !== '' && { group }),
      version,
      groupPriorityMinimum: groupPriority,
      versionPriority,
    },
    status: { conditions: [localCondition(time)] },
  }
}
