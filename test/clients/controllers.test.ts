/**
 * The real kube-controller-manager and kube-scheduler on the embedded server, which runs no control loops of its own but
 * simulated nodes. The same on kube-apiserver is the control, also for what stands in their logs.
 */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { load } from 'js-yaml'
import type { KubeObject } from '../../src/machinery/object.ts'
import { eventually } from '../support/eventually.ts'
import { Kubectl } from '../support/kubectl.ts'
import { findControlPlane, kubernetesDir, skipWithout } from '../support/kubernetes.ts'
import { Processes } from '../support/processes.ts'
import { complaints } from './component-log.ts'
import { embeddedServer, realServerWithNodes, type Server } from './servers.ts'

const programs = findControlPlane()
const skip = skipWithout(programs, 'a control plane')

describe('controllers on the embedded server', { skip }, () =>
  suite(async () => {
    const server = await embeddedServer('--controllers nodes --nodes 3')
    return { server, ...startControllers(server) }
  }),
)

describe('controllers on kube-apiserver', { skip }, () =>
  suite(async () => {
    const server = await realServerWithNodes()
    return { server, processes: new Processes(), logs: ['kube-controller-manager.log', 'kube-scheduler.log'] }
  }),
)

interface Running {
  readonly server: Server
  readonly processes: Processes
  /** Log files of the components. */
  readonly logs: readonly string[]
}

/** kube-controller-manager, each of its loops with an identity of its own, and kube-scheduler. */
function startControllers(server: Server): Omit<Running, 'server'> {
  const { kubeconfig, dir } = server
  const config = load(readFileSync(kubeconfig, 'utf8')) as { clusters: { cluster: Record<string, string> }[] }
  const ca = join(dir, 'ca.crt')
  writeFileSync(ca, Buffer.from(config.clusters[0]!.cluster['certificate-authority-data']!, 'base64'))
  const common = [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--bind-address=127.0.0.1',
    '--secure-port=0',
    '--leader-elect-retry-period=500ms',
  ]
  const processes = new Processes()
  const start = (name: string, more: readonly string[]): string => {
    processes.start(name, join(kubernetesDir(), name), [...common, ...more], join(dir, `${name}.log`))
    return `${name}.log`
  }
  const logs = [
    start('kube-controller-manager', [`--root-ca-file=${ca}`, '--use-service-account-credentials=true']),
    start('kube-scheduler', []),
  ]
  return { processes, logs }
}

const pod = (more: object = {}) => ({ containers: [{ name: 'main', image: 'registry.example/app:1', ...more }] })
const labelled = (app: string, spec: object) => ({
  selector: { matchLabels: { app } },
  template: { metadata: { labels: { app } }, spec },
})

function suite(start: () => Promise<Running>): void {
  let running: Running
  let kubectl: Kubectl
  const apply = (...objects: object[]) =>
    kubectl.run('apply -f -', { stdin: objects.map((object) => JSON.stringify(object)).join('\n---\n') })
  const read = async (words: string): Promise<KubeObject> =>
    JSON.parse(await kubectl.run(`get ${words} -o json`)) as KubeObject
  const count = async (words: string): Promise<number> => ((await read(words))['items'] as unknown[]).length
  const gone = (words: string) =>
    eventually(`${words} gone`, async () => /NotFound/.test((await kubectl.try(`get ${words}`)).stderr), 60_000)

  before(async () => {
    running = await start()
    kubectl = new Kubectl(join(kubernetesDir(), 'kubectl'), readFileSync(running.server.kubeconfig, 'utf8'))
    await eventually('nodes without taints', async () => {
      const items = (await read('nodes'))['items'] as { spec: { taints?: unknown[] } }[]
      return items.length === 3 && items.every(({ spec }) => (spec.taints ?? []).length === 0)
    })
    await eventually('the default account', async () => (await kubectl.try('get sa default')).code === 0)
  })

  after(async () => {
    kubectl?.[Symbol.dispose]()
    await running?.processes[Symbol.asyncDispose]()
    await running?.server[Symbol.asyncDispose]()
  })

  it('a Deployment runs, is found by its Service, rolls, and is collected with all it made', async () => {
    await apply(
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: { replicas: 3, ...labelled('web', pod()) } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } },
    ) // prettier-ignore
    await kubectl.run('rollout status deployment/web --timeout=60s')
    await eventually('endpoints', async () => {
      const items = (await read('endpointslices -l kubernetes.io/service-name=web'))['items'] as {
        endpoints?: { conditions: { ready: boolean }; nodeName: string }[]
      }[]
      const endpoints = items.flatMap((slice) => slice.endpoints ?? [])
      return endpoints.length === 3 && endpoints.every((one) => one.conditions.ready && one.nodeName !== '')
    })
    await kubectl.run('set image deployment/web main=registry.example/app:2')
    await kubectl.run('rollout status deployment/web --timeout=60s')
    await kubectl.run('rollout undo deployment/web')
    await kubectl.run('rollout status deployment/web --timeout=60s')
    assert.match(await kubectl.run('rollout history deployment/web'), /\n2 .*\n3 /)
    await kubectl.run('delete deployment web --cascade=foreground --timeout=60s')
    assert.equal(await count('replicasets,pods -l app=web'), 0)
    await kubectl.run('delete service web')
    await eventually('slices gone', async () => (await count('endpointslices -l kubernetes.io/service-name=web')) === 0)
  })

  it('what is orphaned stays and is adopted again', async () => {
    const set = { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata: { name: 'rs' }, spec: { replicas: 2, ...labelled('rs', pod()) } } // prettier-ignore
    await apply(set)
    await eventually('two pods', async () => (await read('rs rs'))['status'].readyReplicas === 2)
    await kubectl.run('delete rs rs --cascade=orphan --timeout=30s')
    assert.equal(await count('pods -l app=rs'), 2)
    await apply(set)
    await eventually('adopted', async () => (await read('rs rs'))['status'].readyReplicas === 2)
    assert.equal(await count('pods -l app=rs'), 2)
    await kubectl.run('delete rs rs --cascade=background')
    await eventually('collected', async () => (await count('pods -l app=rs')) === 0, 60_000)
  })

  it('StatefulSet, DaemonSet, Job and CronJob', async () => {
    const job = { template: { spec: { ...pod({ command: ['sh', '-c', 'sleep 1; exit 0'] }), restartPolicy: 'Never' } } }
    await apply(
      { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db' }, spec: { replicas: 3, serviceName: 'db', ...labelled('db', pod()) } },
      { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent' }, spec: labelled('agent', pod()) },
      { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'task' }, spec: { completions: 3, parallelism: 2, ttlSecondsAfterFinished: 5, ...job } },
      { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'often' }, spec: { schedule: '* * * * *', jobTemplate: { spec: job } } },
    ) // prettier-ignore
    await kubectl.run('rollout status statefulset/db --timeout=60s')
    await kubectl.run('rollout status daemonset/agent --timeout=60s')
    await kubectl.run('wait --for=condition=complete job/task --timeout=60s')
    assert.equal((await read('job task'))['status'].succeeded, 3)
    const pods = (await read('pods -l app=db'))['items'] as { metadata: { name: string } }[]
    assert.deepEqual(pods.map(({ metadata }) => metadata.name).toSorted(), ['db-0', 'db-1', 'db-2'])
    await kubectl.run('create job now --from=cronjob/often')
    await kubectl.run('wait --for=condition=complete job/now --timeout=60s')
    await gone('job task')
    await kubectl.run('scale statefulset db --replicas=1')
    await eventually('db-1 goes', async () => (await count('pods -l app=db')) === 1)
    await kubectl.run('delete statefulset/db daemonset/agent cronjob/often --cascade=foreground --timeout=60s')
    await eventually('all pods gone', async () => (await count('pods')) === 0)
  })

  it('quota is counted, budgets are kept, nodes are drained', async () => {
    await apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'small' } },
      { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'small' }, spec: { hard: { pods: '2', 'count/configmaps': '3' } } },
    ) // prettier-ignore
    await eventually('quota status', async () => (await read('quota q -n small'))['status']?.hard?.pods === '2')
    await apply({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd', namespace: 'small' }, spec: { replicas: 3, ...labelled('d', pod()) } }) // prettier-ignore
    await eventually('two of three', async () => (await read('deploy d -n small'))['status'].readyReplicas === 2)
    await eventually('refused', async () => {
      const { conditions } = (await read('deploy d -n small'))['status'] as { conditions: { type: string; message: string }[] }
      return conditions.some((c) => c.type === 'ReplicaFailure' && /exceeded quota: q/.test(c.message))
    }) // prettier-ignore
    await kubectl.run('delete quota q -n small')
    await kubectl.run('rollout restart deployment/d -n small')
    await kubectl.run('rollout status deployment/d -n small --timeout=60s')
    await kubectl.run('create pdb d -n small --selector=app=d --min-available=2')
    await eventually('budget', async () => (await read('pdb d -n small'))['status'].disruptionsAllowed === 1)
    const node = (await read('pods -n small -l app=d'))['items'][0].spec.nodeName as string
    await kubectl.run(`drain ${node} --ignore-daemonsets --force --timeout=60s`)
    assert.equal(await count(`pods -n small --field-selector spec.nodeName=${node}`), 0)
    await kubectl.run(`uncordon ${node}`)
    await eventually('three again', async () => (await read('deploy d -n small'))['status'].readyReplicas === 3)
  })

  it('a namespace ends with everything in it', async () => {
    await apply(
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: 'small', finalizers: ['example.com/hold'] } },
    ) // prettier-ignore
    await kubectl.run('delete namespace small --wait=false')
    const conditions = async () =>
      ((await read('namespace small'))['status'].conditions ?? []) as {
        type: string
        status: string
        message: string
      }[]
    await eventually(
      'what holds it is told',
      async () =>
        (await conditions()).some(
          (c) =>
            c.type === 'NamespaceFinalizersRemaining' && c.status === 'True' && /example\.com\/hold/.test(c.message),
        ),
      60_000,
    )
    await kubectl.run([
      'patch',
      'configmap',
      'held',
      '-n',
      'small',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    ])
    await gone('namespace small')
  })

  it('accounts, certificates of the cluster, aggregated roles, volumes', async () => {
    await apply(
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'more' } },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'of-all' } }] }, rules: [] },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'part', labels: { part: 'of-all' } }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
      { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'hand' }, provisioner: 'kubernetes.io/no-provisioner' },
      { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'hand', hostPath: { path: '/tmp/x' } } },
    ) // prettier-ignore
    await eventually('a volume', async () => (await read('pv pv'))['status'].phase === 'Available')
    await apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'pvc', namespace: 'more' }, spec: { storageClassName: 'hand', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }) // prettier-ignore
    await eventually('account', async () => (await kubectl.try('get sa default -n more')).code === 0)
    await eventually('CA', async () => (await read('cm kube-root-ca.crt -n more'))['data']['ca.crt'] !== '')
    await eventually('aggregation', async () => ((await read('clusterrole all'))['rules'] ?? []).length === 1)
    await eventually('bound', async () => (await read('pvc pvc -n more'))['status'].phase === 'Bound')
    await kubectl.run('delete pvc pvc -n more')
    await kubectl.run('delete pv pv')
    await kubectl.run('delete clusterrole/all clusterrole/part storageclass/hand')
  })

  it('their logs complain of nothing', () => {
    running.processes.check()
    const found = running.logs.flatMap((name) => complaints(readFileSync(join(running.server.dir, name), 'utf8')))
    assert.deepEqual(found, [])
  })
}
