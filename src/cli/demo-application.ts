/** The application that the demo deploys into both virtual clusters: the same names in each. */
import type { KubeObject } from '../machinery/object.ts'
import type { Resource } from '../client/contract.ts'
import { resources } from '../client/resources.ts'

const NAMESPACE = 'shop'

export const application: readonly (readonly [Resource, KubeObject])[] = [
  [resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }],
  [
    resources.configmaps,
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'settings', namespace: NAMESPACE },
      data: { greeting: 'hello' },
    },
  ],
  [
    resources.secrets,
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'password', namespace: NAMESPACE },
      data: { password: Buffer.from('hunter2').toString('base64') },
    },
  ],
  [
    resources.deployments,
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: NAMESPACE, labels: { app: 'web' } },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              {
                name: 'web',
                image: 'nginx:1.27',
                ports: [{ name: 'http', containerPort: 80 }],
                envFrom: [{ configMapRef: { name: 'settings' } }],
                env: [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'password', key: 'password' } } }],
                resources: { requests: { cpu: '100m', memory: '64Mi' } },
              },
            ],
          },
        },
      },
    },
  ],
  [
    resources.services,
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: NAMESPACE },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    },
  ],
  [
    resources.pods,
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'alone', namespace: NAMESPACE },
      spec: { containers: [{ name: 'main', image: 'busybox:1.37', command: ['sleep', '100000'] }] },
    },
  ],
]

export const demoNamespace: string = NAMESPACE
