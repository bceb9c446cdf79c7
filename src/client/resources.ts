/** The resources this project talks to by name. */
import type { Resource } from './contract.ts'

function resource(group: string, version: string, plural: string, kind: string, namespaced = true): Resource {
  return { group, version, resource: plural, kind, namespaced }
}

export const resources = {
  namespaces: resource('', 'v1', 'namespaces', 'Namespace', false),
  nodes: resource('', 'v1', 'nodes', 'Node', false),
  pods: resource('', 'v1', 'pods', 'Pod'),
  services: resource('', 'v1', 'services', 'Service'),
  endpoints: resource('', 'v1', 'endpoints', 'Endpoints'),
  configmaps: resource('', 'v1', 'configmaps', 'ConfigMap'),
  secrets: resource('', 'v1', 'secrets', 'Secret'),
  serviceaccounts: resource('', 'v1', 'serviceaccounts', 'ServiceAccount'),
  events: resource('', 'v1', 'events', 'Event'),
  deployments: resource('apps', 'v1', 'deployments', 'Deployment'),
  replicasets: resource('apps', 'v1', 'replicasets', 'ReplicaSet'),
  endpointslices: resource('discovery.k8s.io', 'v1', 'endpointslices', 'EndpointSlice'),
  leases: resource('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  clusterroles: resource('rbac.authorization.k8s.io', 'v1', 'clusterroles', 'ClusterRole', false),
  clusterrolebindings: resource('rbac.authorization.k8s.io', 'v1', 'clusterrolebindings', 'ClusterRoleBinding', false),
  roles: resource('rbac.authorization.k8s.io', 'v1', 'roles', 'Role'),
  rolebindings: resource('rbac.authorization.k8s.io', 'v1', 'rolebindings', 'RoleBinding'),
  customresourcedefinitions: resource(
    'apiextensions.k8s.io',
    'v1',
    'customresourcedefinitions',
    'CustomResourceDefinition',
    false,
  ),
  priorityclasses: resource('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass', false),
  poddisruptionbudgets: resource('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget'),
  virtualclusters: resource('tenantry.dev', 'v1alpha1', 'virtualclusters', 'VirtualCluster'),
} as const satisfies Record<string, Resource>
