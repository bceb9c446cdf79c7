/** For tests of translations: a tenant and what it may look up. */
import type { Client } from '../client/contract.ts'
import type { KubeObject } from '../machinery/object.ts'
import type { Tenant, TenantView } from './contract.ts'
import { placement } from './placement.ts'

export interface ViewOptions {
  readonly mode?: 'namespaces' | 'single'
  readonly api?: Tenant['api']
  readonly closed?: readonly string[]
}

/** The tenant `acme` in the host namespace `team`. */
export function tenantView({
  mode = 'namespaces',
  api = { host: '10.0.0.9', port: 6443 },
  closed = [],
}: ViewOptions = {}): TenantView {
  const identity = { uid: '11111111-1111-4111-8111-111111111111', namespace: 'team', name: 'acme' }
  const tenant: Tenant = {
    ...identity,
    // Translations are pure: they never ask anybody.
    client: undefined as unknown as Client,
    placement: placement({ mode, ...identity }),
    nodeView: 'needed',
    weight: 1,
    api,
  }
  return { tenant, closedNodes: () => closed }
}

export function tenantPod(spec: Record<string, unknown> = {}, more: Partial<KubeObject> = {}): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u-web', resourceVersion: '7' },
    spec: { containers: [{ name: 'c', image: 'busybox' }], ...spec },
    status: { phase: 'Pending' },
    ...more,
  }
}
