/** Who may do what, beside a real kube-apiserver with Node,RBAC: the same roles, bindings, pods; the same decisions. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { startCluster } from '../src/cluster/cluster.ts'
import { silent } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { startControlPlane } from './support/control-plane.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const rbac = (kind: string, name: string, more: object, namespace?: string) => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }), ...(more as { metadata?: object }).metadata },
  ...Object.fromEntries(Object.entries(more).filter(([key]) => key !== 'metadata')),
})
const ref = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
const user = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name })
const group = (name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name })

const pod = (name: string, more: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'a', ...(more as { metadata?: object }).metadata },
  spec: {
    nodeName: 'n1',
    containers: [{ name: 'c', image: 'i' }],
    ...(more as { spec?: object }).spec,
  },
})

const OBJECTS: readonly [string, object][] = [
  ['/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } }],
  ['/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'b' } }],
  ...['default', 'app'].map((name): [string, object] => [
    '/api/v1/namespaces/a/serviceaccounts',
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } },
  ]),
  [
    `${RBAC}/clusterroles`,
    rbac('ClusterRole', 'pods', {
      rules: [
        { apiGroups: [''], resources: ['pods', 'pods/log', '*/scale'], verbs: ['get', 'list'] },
        { apiGroups: ['apps'], resources: ['*'], verbs: ['watch'] },
        { apiGroups: ['*'], resources: ['secrets'], resourceNames: ['one', 'two'], verbs: ['*'] },
        { nonResourceURLs: ['/metrics', '/logs/*'], verbs: ['get'] },
      ],
    }),
  ],
  [
    `${RBAC}/clusterroles`,
    rbac('ClusterRole', 'all', { rules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }] }),
  ],
  [`${RBAC}/clusterroles`, rbac('ClusterRole', 'paths', { rules: [{ nonResourceURLs: ['*'], verbs: ['*'] }] })],
  [
    `${RBAC}/namespaces/a/roles`,
    rbac('Role', 'maps', { rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['update', 'create'] }] }, 'a'),
  ],
  [
    `${RBAC}/clusterrolebindings`,
    rbac('ClusterRoleBinding', 'x-pods', {
      roleRef: ref('ClusterRole', 'pods'),
      subjects: [user('ann'), group('ops')],
    }),
  ],
  [
    `${RBAC}/clusterrolebindings`,
    rbac('ClusterRoleBinding', 'x-paths', { roleRef: ref('ClusterRole', 'paths'), subjects: [user('path')] }),
  ],
  [
    `${RBAC}/clusterrolebindings`,
    rbac('ClusterRoleBinding', 'x-gone', { roleRef: ref('ClusterRole', 'gone'), subjects: [user('lost')] }),
  ],
  [
    `${RBAC}/namespaces/a/rolebindings`,
    rbac(
      'RoleBinding',
      'y-maps',
      {
        roleRef: ref('Role', 'maps'),
        subjects: [user('ben'), { kind: 'ServiceAccount', name: 'app', namespace: 'a' }],
      },
      'a',
    ),
  ],
  [
    `${RBAC}/namespaces/a/rolebindings`,
    rbac('RoleBinding', 'y-all', { roleRef: ref('ClusterRole', 'all'), subjects: [group('team-a')] }, 'a'),
  ],
  [
    `${RBAC}/namespaces/a/rolebindings`,
    rbac(
      'RoleBinding',
      'y-view',
      { roleRef: ref('ClusterRole', 'system:aggregate-to-view'), subjects: [user('eve')] },
      'a',
    ),
  ],
  [
    `${RBAC}/namespaces/a/rolebindings`,
    rbac(
      'RoleBinding',
      'y-edit',
      { roleRef: ref('ClusterRole', 'system:aggregate-to-edit'), subjects: [user('ed')] },
      'a',
    ),
  ],
  ['/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } }],
  ['/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n2' } }],
  [
    '/api/v1/namespaces/a/pods',
    pod('p', {
      spec: {
        serviceAccountName: 'app',
        imagePullSecrets: [{ name: 'pull' }],
        containers: [
          {
            name: 'c',
            image: 'i',
            env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }],
            envFrom: [{ configMapRef: { name: 'from' } }],
          },
        ],
        volumes: [
          { name: 'a', secret: { secretName: 'vol' } },
          { name: 'b', projected: { sources: [{ configMap: { name: 'proj' } }] } },
          { name: 'c', persistentVolumeClaim: { claimName: 'claim' } },
          {
            name: 'd',
            ephemeral: {
              volumeClaimTemplate: {
                spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
              },
            },
          },
        ],
      },
    }),
  ],
  [
    '/api/v1/namespaces/a/pods',
    pod('q', { spec: { nodeName: 'n2', volumes: [{ name: 'a', secret: { secretName: 'other' } }] } }),
  ],
  [
    '/api/v1/namespaces/a/persistentvolumeclaims',
    {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'claim' },
      spec: { accessModes: ['ReadWriteOnce'], volumeName: 'pv', resources: { requests: { storage: '1Gi' } } },
    },
  ],
  [
    '/api/v1/persistentvolumes',
    {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'pv' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        claimRef: { namespace: 'a', name: 'claim' },
        csi: { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: { name: 'pub', namespace: 'b' } },
      },
    },
  ],
  [
    '/apis/storage.k8s.io/v1/volumeattachments',
    {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttachment',
      metadata: { name: 'va' },
      spec: { attacher: 'd', nodeName: 'n1', source: { persistentVolumeName: 'pv' } },
    },
  ],
]

interface Who {
  readonly user: string
  readonly groups?: readonly string[]
}

const people: readonly Who[] = [
  { user: 'ann' },
  { user: 'ben' },
  { user: 'eve' },
  { user: 'ed' },
  { user: 'olga', groups: ['ops'] },
  { user: 'tom', groups: ['team-a', 'system:authenticated'] },
  { user: 'path' },
  { user: 'lost' },
  { user: 'root', groups: ['system:masters'] },
  {
    user: 'system:serviceaccount:a:app',
    groups: ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated'],
  },
  { user: 'system:anonymous', groups: ['system:unauthenticated'] },
]
const resource = (text: string): object => {
  const [verb, path, namespace = '', name = '', fields = ''] = text.split(' ')
  const [full = '', subresource = ''] = path!.split('/')
  const [plural, ...rest] = full.split('.')
  return {
    resourceAttributes: {
      verb,
      group: rest.join('.'),
      resource: plural,
      subresource,
      namespace: namespace === '-' ? '' : namespace,
      name: name === '-' ? '' : name,
      ...(fields !== '' && { fieldSelector: { rawSelector: fields } }),
    },
  }
}
const path = (verb: string, at: string): object => ({ nonResourceAttributes: { verb, path: at } })

const asked: readonly object[] = [
  ...[
    'get pods a',
    'get pods/log b x',
    'get pods/exec a x',
    'list pods -',
    'delete pods a x',
    'get deployments.apps/scale a x',
    'get deployments/scale a x',
    'watch deployments.apps a',
    'watch deployments.apps/status a x',
    'get secrets a one',
    'delete secrets b two',
    'list secrets a',
    'get secrets a three',
    'create secrets.example.com a one',
    'update configmaps a m',
    'update configmaps b m',
    'patch configmaps a m',
    'create things.example.com/sub a x',
    'impersonate users - x',
    'escalate roles.rbac.authorization.k8s.io a x',
    'create selfsubjectreviews.authentication.k8s.io -',
  ].map(resource),
  path('get', '/metrics'),
  path('get', '/logs/x/y'),
  path('get', '/logs'),
  path('post', '/anything'),
  path('get', '/version'),
  path('get', '/healthz'),
  path('get', '/api/v1'),
]

const kubelet: Who = { user: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const nodes: readonly [Who, object][] = [
  ...[
    'get secrets a pull',
    'get secrets a env',
    'list secrets a vol metadata.name=vol',
    'watch secrets a vol',
    'get secrets a other',
    'get secrets b pub',
    'get secrets - pull',
    'list secrets a',
    'update secrets a pull',
    'get configmaps a from',
    'get configmaps a proj',
    'get configmaps a nope',
    'get persistentvolumeclaims a claim',
    'get persistentvolumeclaims a p-d',
    'list persistentvolumeclaims a',
    'update persistentvolumeclaims/status a claim',
    'get persistentvolumeclaims/status a claim',
    'get persistentvolumes - pv',
    'get persistentvolumes - other',
    'get volumeattachments.storage.k8s.io - va',
    'get serviceaccounts a app',
    'get serviceaccounts a default',
    'create serviceaccounts/token a app',
    'create serviceaccounts/token a other',
    'create serviceaccounts a x',
    'get leases.coordination.k8s.io kube-node-lease n1',
    'update leases.coordination.k8s.io kube-node-lease n2',
    'create leases.coordination.k8s.io kube-node-lease',
    'list leases.coordination.k8s.io kube-node-lease',
    'get leases.coordination.k8s.io a n1',
    'patch csinodes.storage.k8s.io - n1',
    'patch csinodes.storage.k8s.io - n2',
    'update csinodes.storage.k8s.io/status - n1',
    'get nodes - n1',
    'get nodes - n2',
    'list nodes -',
    'create nodes - n9',
    'delete nodes - n1',
    'patch nodes/status - n1',
    'get nodes/proxy - n1',
    'get pods a p',
    'get pods a q',
    'list pods - - spec.nodeName=n1',
    'list pods - - spec.nodeName=n2',
    'watch pods a p',
    'list pods -',
    'create pods a',
    'delete pods a p',
    'patch pods/status a p',
    'create pods/eviction a p',
    'get pods/log a p',
    'list services -',
    'create events a',
    'create tokenreviews.authentication.k8s.io -',
    'create certificatesigningrequests.certificates.k8s.io -',
    'get endpoints a x',
    'list csidrivers.storage.k8s.io -',
    'list resourceslices.resource.k8s.io - - spec.nodeName=n1',
    'list resourceslices.resource.k8s.io -',
    'create resourceslices.resource.k8s.io -',
    'get namespaces - a',
    'list deployments.apps a',
  ].map((text): [Who, object] => [kubelet, resource(text)]),
  [kubelet, path('get', '/healthz')],
  [kubelet, path('get', '/metrics')],
  ...['get secrets a pull', 'get pods a q', 'get nodes - n2'].map((text): [Who, object] => [
    { ...kubelet, user: 'system:node:n2' },
    resource(text),
  ]),
  [{ user: 'system:node:n1' }, resource('get secrets a pull')],
  [{ user: 'n1', groups: ['system:nodes'] }, resource('get secrets a pull')],
]
const CASES: readonly [Who, object][] = [
  ...people.flatMap((who) => asked.map((what): [Who, object] => [who, what])),
  ...nodes,
]

const programs = findControlPlane()

describe('authorization', { skip: skipWithout(programs, 'a control plane') }, () => {
  const found: { real: unknown[]; own: unknown[] } = { real: [], own: [] }
  before(async () => {
    const plugins = '--disable-admission-plugins=ServiceAccount,TaintNodesByCondition'
    await using real = await startControlPlane({ programs: programs!, controllers: false, apiserver: [plugins] })
    found.real = await decisions(real.kubeconfig)
    const runtime = new Runtime({ log: silent, store: memoryStore() })
    const cluster = await startCluster({
      runtime,
      id: 'cluster',
      name: 'authorization',
      controllers: () => [],
      logs: () => {
        throw new Error('no logs')
      },
    })
    found.own = await decisions(cluster.kubeconfig)
    await cluster.stop()
    await runtime.close()
  })
  after(() => assert.ok(CASES.length >= 200))

  for (const [i, [who, what]] of CASES.entries())
    it(`${who.user} ${JSON.stringify(what)}`, () => assert.deepEqual(found.own[i], found.real[i]))
})

async function decisions(kubeconfig: string): Promise<unknown[]> {
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
  const pool = new Pool(server, { connections: 4, connect: { ca: ca!, cert: clientCertificate!, key: clientKey! } })
  const post = async (at: string, body: object) => {
    const headers = { 'content-type': 'application/json' }
    const answer = await pool.request({ method: 'POST', path: at, headers, body: JSON.stringify(body) })
    return { code: answer.statusCode, answer: (await answer.body.json()) as { status?: unknown; message?: string } }
  }
  for (const [at, object] of OBJECTS) {
    const { code, answer } = await post(at, object)
    assert.equal(code, 201, `${at}: ${answer.message}`)
  }
  // A real server's authorizers hear of it in the background.
  await pause(1500)
  const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' }
  const out = await Promise.all(
    CASES.map(async ([{ user: name, groups = [] }, what]) => {
      const body = { ...review, spec: { user: name, groups, ...what } }
      const { answer } = await post('/apis/authorization.k8s.io/v1/subjectaccessreviews', body)
      const status = answer.status as { allowed: boolean; reason?: string }
      // Of several bindings that allow it a real server names any.
      if (/system:(?:discovery|public-info-viewer)/.test(status.reason ?? ''))
        status.reason = 'RBAC: allowed by one of them'
      return status
    }),
  )
  await pool.close()
  return out
}
