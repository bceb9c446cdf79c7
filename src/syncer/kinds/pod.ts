/** Pods: spec down, binding and status up. */
import { resources } from '../../client/resources.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { equalJson } from '../../machinery/equality.ts'
import type { Descriptor, TenantView, Translation, Upward } from '../contract.ts'
import { labels } from '../identity.ts'
import { violations } from '../isolation.ts'
import { renameReferences } from '../references.ts'
import { tokenSecretName } from '../token-use.ts'

type Spec = KubeObject['spec']

export const pods: Descriptor = {
  kind: 'Pod',
  resource: resources.pods,

  toHost(pod, view): Translation {
    const refused = refusal(pod)
    if (refused !== undefined) return { refused }
    const spec = structuredClone(pod['spec']) as Spec
    const namespace = pod.metadata.namespace!
    delete spec.nodeName
    for (const field of DROPPED) delete spec[field]
    spec.automountServiceAccountToken = false
    spec.enableServiceLinks = false
    spec.hostname ??= pod.metadata.name!.slice(0, 63).replace(/\./g, '-').replace(/-+$/, '')
    renameReferences(spec, (_, name) => view.tenant.placement.name(namespace, name))
    // After the renaming: token Secrets are host names already.
    projectTokens(pod, spec, view)
    for (const volume of spec.volumes ?? []) {
      if (volume.persistentVolumeClaim !== undefined) {
        volume.persistentVolumeClaim.claimName = view.tenant.placement.name(
          namespace,
          volume.persistentVolumeClaim.claimName,
        )
      }
    }
    injectApiAddress(spec, view)
    translateDownwardApi(pod, spec)
    restrictAffinity(spec, view, namespace)
    avoidClosedNodes(spec, view.closedNodes(spec.tolerations ?? []))
    return {
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          name: view.tenant.placement.name(namespace, pod.metadata.name!),
          namespace: view.tenant.placement.namespace(namespace),
          ...(pod.metadata.labels && { labels: pod.metadata.labels }),
          ...(pod.metadata.annotations && { annotations: pod.metadata.annotations }),
        },
        spec,
      },
    }
  },

  change(desired, host) {
    const spec: Record<string, unknown> = {}
    const containers = images(desired['spec'].containers, host['spec'].containers)
    const initContainers = images(desired['spec'].initContainers, host['spec'].initContainers)
    if (containers.length > 0) spec['containers'] = containers
    if (initContainers.length > 0) spec['initContainers'] = initContainers
    if (
      desired['spec'].activeDeadlineSeconds !== undefined &&
      desired['spec'].activeDeadlineSeconds !== host['spec'].activeDeadlineSeconds
    ) {
      spec['activeDeadlineSeconds'] = desired['spec'].activeDeadlineSeconds
    }
    const added = (desired['spec'].tolerations ?? []).filter(
      (t: object) => !(host['spec'].tolerations ?? []).some((h: object) => equalJson(t, h)),
    )
    if (added.length > 0) spec['tolerations'] = [...(host['spec'].tolerations ?? []), ...added]
    const gates = desired['spec'].schedulingGates ?? []
    if ((host['spec'].schedulingGates ?? []).length > gates.length)
      spec['schedulingGates'] = [{ $patch: 'replace' }, ...gates]
    return Object.keys(spec).length === 0 ? undefined : { type: 'strategic', body: { spec } }
  },

  statusChange(pod, host) {
    const gates = gatesOf(pod)
    if (gates.size === 0) return undefined
    const there: readonly KubeObject[] = host['status']?.conditions ?? []
    const conditions = ((pod['status']?.conditions ?? []) as KubeObject[])
      .filter((c) => gates.has(c['type']))
      .filter((c) => {
        const now = there.find((h) => h['type'] === c['type'])
        return now === undefined || DECIDED.some((field) => (now[field] ?? '') !== (c[field] ?? ''))
      })
    if (conditions.length === 0) return undefined
    // The generation is the tenant object's, which says nothing on the host.
    return { conditions: conditions.map(withoutGeneration) }
  },

  toTenant(pod, host): Upward {
    const out: { bind?: string; status?: object; exact?: boolean } = {}
    if (host['spec'].nodeName !== undefined && pod['spec'].nodeName === undefined) out.bind = host['spec'].nodeName
    const status = tenantStatus(pod, host)
    if (!equalJson(status, pod['status'])) {
      out.status = status
      // The list of conditions is written whole and has the tenant's own in it: not over a newer one.
      if (gatesOf(pod).size > 0) out.exact = true
    }
    return out
  },
}

/**
 * Fields that stay in the tenant: its service accounts, schedulers, priorities, runtime classes, pod groups and eviction
 * responders mean nothing on the host, and the host's may not be asked for. Ephemeral containers cannot be created with
 * a pod.
 */
const DROPPED = [
  'serviceAccountName', 'serviceAccount', 'schedulerName', 'priority', 'priorityClassName', 'preemptionPolicy', 'runtimeClassName',
  'overhead', 'workloadRef', 'schedulingGroup', 'evictionResponders', 'ephemeralContainers',
] as const // prettier-ignore

/** Why a pod may not go to the host; what it refers to stays in the tenant then, too. */
export function refusal(pod: KubeObject): string | undefined {
  if (pod['spec'].nodeName !== undefined && pod['status']?.phase === 'Pending' && !scheduled(pod))
    return 'spec.nodeName was set by hand; nodes are chosen by the host cluster, use a node selector or affinity'
  const wrong = violations(pod)
  if (wrong.length > 0) return `the pod breaks the host's isolation rules: ${wrong.join('; ')}`
  if (affinityTerms(pod['spec']).some((term) => Object.keys(term.namespaceSelector ?? {}).length > 0))
    return 'pod affinity with a namespaceSelector is not possible: namespaces on the host have no labels of yours; list them in namespaces'
  return undefined
}

function scheduled(pod: KubeObject): boolean {
  return (pod['status']?.conditions ?? []).some(
    (c: KubeObject) => c['type'] === 'PodScheduled' && c['status'] === 'True',
  )
}

/** The host's status in the tenant's terms: the tenant's own readiness gates and generation stay. */
function tenantStatus(pod: KubeObject, host: KubeObject): Record<string, unknown> {
  const status: Record<string, unknown> = { ...host['status'] }
  status['qosClass'] = pod['status']?.qosClass ?? status['qosClass']
  if (status['observedGeneration'] !== undefined) {
    const caughtUp = status['observedGeneration'] === host.metadata.generation
    status['observedGeneration'] = caughtUp
      ? pod.metadata.generation
      : (pod['status']?.observedGeneration ?? pod.metadata.generation)
  }
  if (Array.isArray(status['conditions'])) {
    status['conditions'] = (status['conditions'] as KubeObject[]).map((c) =>
      c['observedGeneration'] === undefined
        ? c
        : { ...c, observedGeneration: status['observedGeneration'] ?? pod.metadata.generation },
    )
  }
  for (const name of ['nominatedNodeName', 'resourceClaimStatuses']) if (status[name] === '') delete status[name]
  const gates = gatesOf(pod)
  if (gates.size > 0) {
    const own = (pod['status']?.conditions ?? []).filter((c: KubeObject) => gates.has(c['type']))
    status['conditions'] = [
      ...((status['conditions'] as KubeObject[]) ?? []).filter((c) => !gates.has(c['type'])),
      ...own,
    ]
  }
  return status
}

/** Conditions that kubelet and scheduler own: no readiness gate of a tenant may decide them. */
const BUILT_IN = new Set([
  'PodScheduled', 'Initialized', 'ContainersReady', 'Ready', 'PodReadyToStartContainers', 'DisruptionTarget', 'PodResizePending',
  'PodResizeInProgress', 'AllContainersRestarting',
]) // prettier-ignore

function withoutGeneration(condition: KubeObject): Record<string, unknown> {
  const out: Record<string, unknown> = { ...condition }
  delete out['observedGeneration']
  return out
}

const DECIDED = ['status', 'reason', 'message'] as const

/** The conditions that the tenant decides. */
function gatesOf(pod: KubeObject): ReadonlySet<string> {
  const gates: readonly { conditionType: string }[] = pod['spec'].readinessGates ?? []
  return new Set(gates.map((g) => g.conditionType).filter((type) => !BUILT_IN.has(type)))
}

/** The tenant's projected token volumes become Secrets that the syncer fills with tokens of the tenant's own API. */
function projectTokens(pod: KubeObject, spec: Spec, view: TenantView): void {
  const account = pod['spec'].serviceAccountName ?? 'default'
  for (const volume of spec.volumes ?? []) {
    for (const source of volume.projected?.sources ?? []) {
      const token = source.serviceAccountToken
      if (token === undefined) continue
      const secret = tokenSecretName(view.tenant.uid, pod.metadata.namespace!, account, token.audience)
      delete source.serviceAccountToken
      source.secret = { name: secret, items: [{ key: 'token', path: token.path }] }
    }
  }
}

/** Names and values of the tenant's metadata for pods that ask for their own. */
function translateDownwardApi(pod: KubeObject, spec: Spec): void {
  const own: Record<string, string> = {
    'metadata.name': pod.metadata.name!,
    'metadata.namespace': pod.metadata.namespace!,
    'metadata.uid': pod.metadata.uid!,
    'spec.serviceAccountName': pod['spec'].serviceAccountName ?? 'default',
  }
  for (const list of [spec.initContainers, spec.containers]) {
    for (const container of list ?? []) {
      for (const env of container.env ?? []) {
        const path = env.valueFrom?.fieldRef?.fieldPath
        if (typeof path === 'string' && Object.hasOwn(own, path)) {
          delete env.valueFrom
          env.value = own[path]
        }
      }
    }
  }
  for (const volume of spec.volumes ?? []) {
    const items = [
      ...(volume.downwardAPI?.items ?? []),
      ...(volume.projected?.sources ?? []).flatMap((s: Spec) => s.downwardAPI?.items ?? []),
    ]
    for (const item of items) {
      const path = item.fieldRef?.fieldPath
      if (path === 'metadata.name' || path === 'metadata.namespace' || path === 'metadata.uid') {
        item.fieldRef.fieldPath = `metadata.annotations['tenantry.dev/${path.slice('metadata.'.length)}']`
      }
    }
  }
}

/** Containers find the tenant's API server, not the host's. A variable that the tenant set wins. */
function injectApiAddress(spec: Spec, view: TenantView): void {
  const { host, port } = view.tenant.api
  const authority = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
  const variables = [
    { name: 'KUBERNETES_SERVICE_HOST', value: host },
    { name: 'KUBERNETES_SERVICE_PORT', value: String(port) },
    { name: 'KUBERNETES_SERVICE_PORT_HTTPS', value: String(port) },
    { name: 'KUBERNETES_PORT', value: `tcp://${authority}` },
  ]
  for (const list of [spec.initContainers, spec.containers]) {
    for (const container of list ?? []) {
      const own = new Set((container.env ?? []).map((e: { name: string }) => e.name))
      container.env = [...variables.filter((v) => !own.has(v.name)), ...(container.env ?? [])]
    }
  }
}

/** In one shared namespace, (anti-)affinity and spreading count this tenant namespace's pods only. */
function restrictAffinity(spec: Spec, view: TenantView, namespace: string): void {
  const { placement } = view.tenant
  const extra = (tenantNamespace: string) => placement.labels(tenantNamespace)
  for (const term of affinityTerms(spec)) {
    // An empty selector means all namespaces: all of this tenant.
    const everywhere = term.namespaceSelector !== undefined
    const names: string[] = term.namespaces?.length > 0 ? term.namespaces : [namespace]
    delete term.namespaceSelector
    if (placement.mode === 'namespaces') {
      if (everywhere) {
        delete term.namespaces
        term.namespaceSelector = { matchLabels: { [labels.cluster]: view.tenant.uid } }
      } else term.namespaces = names.map((n) => placement.namespace(n))
      continue
    }
    delete term.namespaces
    // Without a selector a term matches no pod, and must go on doing so.
    if (term.labelSelector === undefined) continue
    const { 'vcluster.loft.sh/namespace': _, ...own } = extra(names[0]!)
    const here = { key: 'vcluster.loft.sh/namespace', operator: 'In', values: names }
    term.labelSelector = {
      ...term.labelSelector,
      matchLabels: { ...term.labelSelector.matchLabels, ...own },
      matchExpressions: [...(term.labelSelector.matchExpressions ?? []), ...(everywhere ? [] : [here])],
    }
  }
  if (placement.mode === 'single') {
    for (const spread of spec.topologySpreadConstraints ?? []) {
      if (spread.labelSelector === undefined) continue
      spread.labelSelector = {
        ...spread.labelSelector,
        matchLabels: { ...spread.labelSelector.matchLabels, ...extra(namespace) },
      }
    }
  }
}

/** The terms of pod affinity and anti-affinity, required and preferred. */
function affinityTerms(spec: Spec): Spec[] {
  return ['podAffinity', 'podAntiAffinity'].flatMap((kind) => {
    const affinity = spec.affinity?.[kind]
    return [
      ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p: Spec) => p.podAffinityTerm),
    ]
  })
}

/**
 * Nodes that the tenant cordoned or tainted take none of its new pods. By the node's name: its hostname label may
 * differ. Requirements on fields take one value each.
 */
function avoidClosedNodes(spec: Spec, closed: readonly string[]): void {
  if (closed.length === 0) return
  const avoid = closed.map((name) => ({ key: 'metadata.name', operator: 'NotIn', values: [name] }))
  spec.affinity ??= {}
  spec.affinity.nodeAffinity ??= {}
  const every: Spec = {}
  const required = (spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution ??= {
    nodeSelectorTerms: [every],
  })
  for (const term of required.nodeSelectorTerms) {
    // A tenant's empty term matches no node, and must go on doing so.
    if (term !== every && (term.matchExpressions ?? []).length + (term.matchFields ?? []).length === 0) continue
    term.matchFields = [...(term.matchFields ?? []), ...avoid]
  }
}

function images(desired: Spec[] | undefined, actual: Spec[] | undefined): { name: string; image: string }[] {
  const out: { name: string; image: string }[] = []
  for (const container of desired ?? []) {
    const now = (actual ?? []).find((c) => c.name === container.name)
    if (now !== undefined && now.image !== container.image) out.push({ name: container.name, image: container.image })
  }
  return out
}
