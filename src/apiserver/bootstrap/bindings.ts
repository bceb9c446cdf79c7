/** Bindings and namespaced roles that Kubernetes 1.37 makes at its start, as facts. */
import type { RoleFacts } from './notation.ts'

export interface BindingFacts {
  readonly name: string
  /** '' or absent: a ClusterRoleBinding of the ClusterRole; else a RoleBinding of the Role. */
  readonly namespace?: string
  /** @default the binding's own name */
  readonly role?: string
  /** `group:name`, `user:name` or `sa:name` (a service account in kube-system). */
  readonly subjects: readonly string[]
}

export const roles: readonly RoleFacts[] = [
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [
      'get list watch | core | configmaps',
      'update | core | configmaps | cluster-info',
      'create patch update | core events.k8s.io | events',
    ],
  },
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: ['get list watch | core | configmaps | extension-apiserver-authentication'],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    rules: [
      'create get list update watch | coordination.k8s.io | leases',
      'create get list update watch | coordination.k8s.io | leasecandidates',
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    rules: [
      'create get list update watch | coordination.k8s.io | leases',
      'create get list update watch | coordination.k8s.io | leasecandidates',
    ],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:bootstrap-signer',
    rules: ['get list watch | core | secrets'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    rules: ['create get list watch | core | configmaps'],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: ['delete get list watch | core | secrets', 'create patch update | core events.k8s.io | events'],
  },
]

/** Beside these, each ClusterRole `system:controller:X` is bound to the service account X of kube-system. */
export const bindings: readonly BindingFacts[] = [
  { name: 'cluster-admin', subjects: ['group:system:masters'] },
  { name: 'system:basic-user', subjects: ['group:system:authenticated'] },
  { name: 'system:cluster-trust-bundle-discovery', subjects: ['group:system:serviceaccounts'] },
  { name: 'system:discovery', subjects: ['group:system:authenticated'] },
  { name: 'system:kube-controller-manager', subjects: ['user:system:kube-controller-manager'] },
  { name: 'system:kube-dns', subjects: ['sa:kube-dns'] },
  { name: 'system:kube-scheduler', subjects: ['user:system:kube-scheduler'] },
  { name: 'system:monitoring', subjects: ['group:system:monitoring'] },
  { name: 'system:node', subjects: [] },
  { name: 'system:node-proxier', subjects: ['user:system:kube-proxy'] },
  { name: 'system:public-info-viewer', subjects: ['group:system:authenticated', 'group:system:unauthenticated'] },
  { name: 'system:service-account-issuer-discovery', subjects: ['group:system:serviceaccounts'] },
  { name: 'system:volume-scheduler', subjects: ['user:system:kube-scheduler'] },
  { namespace: 'kube-public', name: 'system:controller:bootstrap-signer', subjects: ['sa:bootstrap-signer'] },
  {
    namespace: 'kube-system',
    name: 'system::extension-apiserver-authentication-reader',
    role: 'extension-apiserver-authentication-reader',
    subjects: ['user:system:kube-controller-manager', 'user:system:kube-scheduler'],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    subjects: ['user:system:kube-controller-manager', 'sa:kube-controller-manager', 'sa:leader-election-controller'],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    subjects: ['user:system:kube-scheduler', 'sa:kube-scheduler'],
  },
  { namespace: 'kube-system', name: 'system:controller:bootstrap-signer', subjects: ['sa:bootstrap-signer'] },
  { namespace: 'kube-system', name: 'system:controller:cloud-provider', subjects: ['sa:cloud-provider'] },
  { namespace: 'kube-system', name: 'system:controller:token-cleaner', subjects: ['sa:token-cleaner'] },
]
