/** The VirtualCluster resource of the host: `tenantry.dev/v1alpha1`. */
import type { KubeObject } from '../machinery/object.ts'

/** A key of an object in the namespace of the virtual cluster. */
export interface KeyReference {
  readonly name: string
  readonly key: string
}

/** Where a text is: exactly one. */
export interface TextSource {
  readonly configMapKeyRef?: KeyReference
  readonly secretKeyRef?: KeyReference
}

export interface VirtualClusterSpec {
  /** `packed`: in the manager's process. `dedicated`: in a process of its own. Immutable. */
  readonly engine: 'packed' | 'dedicated'
  /** Where namespaced objects live on the host. Immutable. */
  readonly placement: 'namespaces' | 'single'
  /** Which host nodes the tenant sees: those that run its pods, or all. Immutable. */
  readonly nodeView: 'needed' | 'all'
  /** Share of the syncer's work beside other tenants, 1 to 100. */
  readonly weight: number
  /** apiserver.config.k8s.io/v1 AuthenticationConfiguration without kind and version: identity tokens, anonymous. */
  readonly authentication?: object
  /** Where an AuthenticationConfiguration stands as text, with kind and version; instead of `authentication`. */
  readonly authenticationFrom?: TextSource
  readonly audit?: {
    /** audit.k8s.io/v1 Policy; kind and version may be left out. */
    readonly policy: object
  }
}

export interface Condition {
  readonly type: 'Ready' | 'Synced'
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
  readonly lastTransitionTime: string
  readonly observedGeneration: number
}

export type Phase = 'Pending' | 'Running' | 'Failed' | 'Terminating'

export interface VirtualClusterStatus {
  readonly phase: Phase
  /** `https://127.0.0.1:40123` */
  readonly endpoint?: string
  /** The Secret beside the object that holds a kubeconfig under the key `kubeconfig`. */
  readonly kubeconfigSecret?: string
  readonly observedGeneration?: number
  readonly conditions?: readonly Condition[]
}

export interface VirtualCluster extends KubeObject {
  spec: VirtualClusterSpec
  status?: VirtualClusterStatus
}

export const FINALIZER = 'tenantry.dev/virtual-cluster'

/** The name must leave room for host names made from it. */
export const MAX_NAME = 40

/** The key of the kubeconfig in its Secret. */
export const KUBECONFIG_KEY = 'kubeconfig'

export function kubeconfigSecretName(name: string): string {
  return `${name}-kubeconfig`
}

const keyReference = (description: string) => ({
  type: 'object',
  description,
  required: ['name', 'key'],
  properties: {
    name: { type: 'string', minLength: 1, maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$' },
    key: { type: 'string', minLength: 1, maxLength: 253, pattern: '^[-._a-zA-Z0-9]+$' },
  },
})

const immutableEnum = (values: readonly string[], description: string) => ({
  type: 'string',
  enum: values,
  default: values[0],
  description,
})

/** The CustomResourceDefinition that the manager installs on the host. */
export const definition: KubeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'virtualclusters.tenantry.dev' },
  spec: {
    group: 'tenantry.dev',
    scope: 'Namespaced',
    names: {
      kind: 'VirtualCluster',
      listKind: 'VirtualClusterList',
      plural: 'virtualclusters',
      singular: 'virtualcluster',
      shortNames: ['vc'],
    },
    versions: [
      {
        name: 'v1alpha1',
        served: true,
        storage: true,
        subresources: { status: {} },
        additionalPrinterColumns: [
          { name: 'Phase', type: 'string', jsonPath: '.status.phase' },
          { name: 'Endpoint', type: 'string', jsonPath: '.status.endpoint' },
          { name: 'Engine', type: 'string', jsonPath: '.spec.engine', priority: 1 },
          { name: 'Placement', type: 'string', jsonPath: '.spec.placement', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            description: 'A Kubernetes cluster of its own for one tenant, whose pods run on this cluster.',
            properties: {
              apiVersion: { type: 'string' },
              kind: { type: 'string' },
              metadata: { type: 'object' },
              spec: {
                type: 'object',
                default: {},
                description: 'What the virtual cluster should be.',
                properties: {
                  engine: immutableEnum(
                    ['packed', 'dedicated'],
                    'packed runs in the manager, dedicated in a process of its own. Cannot be changed.',
                  ),
                  placement: immutableEnum(
                    ['namespaces', 'single'],
                    'namespaces gives each namespace of the tenant one on this cluster, single puts all objects beside this one. Cannot be changed.',
                  ),
                  nodeView: immutableEnum(
                    ['needed', 'all'],
                    'Which nodes the tenant sees: those that run its pods, or all. Cannot be changed.',
                  ),
                  weight: {
                    type: 'integer',
                    format: 'int32',
                    minimum: 1,
                    maximum: 100,
                    default: 1,
                    description: 'Share of the syncer beside other tenants.',
                  },
                  authentication: {
                    type: 'object',
                    'x-kubernetes-preserve-unknown-fields': true,
                    description:
                      'Issuers of identity tokens and limits of anonymous requests, as in AuthenticationConfiguration of apiserver.config.k8s.io/v1.',
                  },
                  authenticationFrom: {
                    type: 'object',
                    minProperties: 1,
                    maxProperties: 1,
                    description:
                      'Where an AuthenticationConfiguration of apiserver.config.k8s.io/v1 stands as text, instead of authentication. It is read again when it changes.',
                    properties: {
                      configMapKeyRef: keyReference('A key of a ConfigMap in this namespace.'),
                      secretKeyRef: keyReference('A key of a Secret in this namespace.'),
                    },
                  },
                  audit: {
                    type: 'object',
                    required: ['policy'],
                    description: 'What is logged of which requests.',
                    properties: {
                      policy: {
                        type: 'object',
                        'x-kubernetes-preserve-unknown-fields': true,
                        description: 'As Policy of audit.k8s.io/v1.',
                      },
                    },
                  },
                },
              },
              status: {
                type: 'object',
                description: 'What is known of the virtual cluster.',
                properties: {
                  phase: { type: 'string', enum: ['Pending', 'Running', 'Failed', 'Terminating'] },
                  endpoint: { type: 'string', description: 'Where the API server answers.' },
                  kubeconfigSecret: {
                    type: 'string',
                    description: 'The Secret in this namespace that holds a kubeconfig.',
                  },
                  observedGeneration: { type: 'integer', format: 'int64' },
                  conditions: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['type'],
                    items: {
                      type: 'object',
                      required: ['type', 'status', 'reason', 'message', 'lastTransitionTime'],
                      properties: {
                        type: { type: 'string' },
                        status: { type: 'string', enum: ['True', 'False', 'Unknown'] },
                        reason: { type: 'string' },
                        message: { type: 'string' },
                        lastTransitionTime: { type: 'string', format: 'date-time' },
                        observedGeneration: { type: 'integer', format: 'int64' },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
}
