/** Workloads, budgets, quotas and certificates in virtual clusters, as kubectl sees them. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { suite, test } from 'node:test'
import { createCluster, createVirtualCluster } from '../../src/index.ts'
import { requestOf } from '../../src/machinery/pki/request.fixture.ts'
import { eventually } from '../support/eventually.ts'
import { Kubectl } from '../support/kubectl.ts'
import { findKubectl, skipWithout } from '../support/kubernetes.ts'

const program = findKubectl()

const template = (app: string, command: string) => `
      metadata: { labels: { app: ${app} } }
      spec:
        containers: [{ name: main, image: busybox, command: [${command}] }]`

const WORKLOADS = `
apiVersion: batch/v1
kind: Job
metadata: { name: once }
spec:
  completions: 2
  completionMode: Indexed
  template:
    spec: { restartPolicy: Never, containers: [{ name: main, image: busybox, command: ['true'] }] }
---
apiVersion: batch/v1
kind: CronJob
metadata: { name: often }
spec:
  schedule: '@every 1s'
  jobTemplate:
    spec:
      template:
        spec: { restartPolicy: Never, containers: [{ name: main, image: busybox, command: ['true'] }] }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  replicas: 2
  serviceName: db
  selector: { matchLabels: { app: db } }
  template:${template('db', 'sleep, "1000"')}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: { name: agent }
spec:
  selector: { matchLabels: { app: agent } }
  template:${template('agent', 'sleep, "1000"')}
---
apiVersion: v1
kind: ReplicationController
metadata: { name: old }
spec:
  replicas: 2
  template:${template('old', 'sleep, "1000"')}
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:${template('web', 'sleep, "1000"')}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: { name: web }
spec: { minAvailable: 2, selector: { matchLabels: { app: web } } }
`

/** Tries until nothing is thrown. */
function holds<T>(check: () => Promise<T>): Promise<T> {
  return eventually('the assertion', async () => ({ value: await check() })).then(({ value }) => value)
}

suite('workloads in a virtual cluster', { skip: skipWithout(program, 'kubectl') }, () => {
  for (const placement of ['namespaces', 'single'] as const) {
    test(`kubectl, placement ${placement}`, { timeout: 90_000 }, async () => {
      await using host = await createCluster()
      await using tenant = await createVirtualCluster({ host, name: 'red', placement, nodeView: 'all' })
      using kubectl = new Kubectl(program!, tenant.kubeconfig)
      const ok = (words: string | readonly string[], stdin?: string): Promise<string> =>
        kubectl.run(words, stdin === undefined ? {} : { stdin })

      await ok('apply -f -', WORKLOADS)
      assert.match(await ok('wait --for=condition=complete job/once --timeout=30s'), /job.batch\/once condition met/)
      assert.equal(await ok('get job once -o jsonpath={.status.succeeded}/{.status.completedIndexes}'), '2/0,1')
      assert.match(await ok('rollout status statefulset/db --timeout=30s'), /roll out complete: 2 new pods/)
      assert.match(
        await ok('rollout status daemonset/agent --timeout=30s'),
        /daemon set "agent" successfully rolled out/,
      )
      assert.match(await ok('rollout status deployment/web --timeout=30s'), /successfully rolled out/)
      await holds(async () => {
        assert.equal(await ok('get rc old -o jsonpath={.status.availableReplicas}'), '2')
        assert.match(await ok('get cronjob often -o jsonpath={.status.lastSuccessfulTime}'), /^20/)
      })
      await ok('delete cronjob often')
      const nodes = (await ok('get pods -l app=agent -o jsonpath={.items[*].spec.nodeName}')).split(' ')
      assert.equal(new Set(nodes).size, 3)
      assert.deepEqual((await ok('get pods -l app=db -o name')).trim().split('\n'), ['pod/db-0', 'pod/db-1'])

      await holds(async () =>
        assert.equal(await ok('get pdb web -o jsonpath={.status.disruptionsAllowed}/{.status.expectedPods}'), '1/3'),
      )
      const node = await ok('get pods -l app=web -o jsonpath={.items[0].spec.nodeName}')
      const drained = await ok(['drain', node, '--ignore-daemonsets', '--force', '--timeout=60s'])
      assert.match(drained, /drained/)
      await holds(async () => {
        const left = await ok('get pods -l app=web -o jsonpath={.items[*].spec.nodeName}')
        assert.equal(left.split(' ').length, 3)
        assert.equal(left.includes(node), false)
      })
      await ok(['uncordon', node])

      await ok('set image daemonset/agent main=busybox:2')
      await ok('rollout status daemonset/agent --timeout=30s')
      assert.match(await ok('rollout undo daemonset/agent'), /rolled back/)
      await ok('rollout status daemonset/agent --timeout=30s')
      assert.match(await ok('rollout history daemonset/agent'), /2 +<none>\n3 +<none>/)

      await ok('create namespace small')
      await ok('create quota q --hard=pods=1,count/configmaps=2 -n small')
      await holds(async () =>
        assert.match(await ok('describe quota q -n small'), /count\/configmaps +1 +2\npods +0 +1/),
      )
      await ok('run one --image=nginx -n small')
      await assert.rejects(ok('run two --image=nginx -n small'), /exceeded quota: q, requested: pods=1, used: pods=1/)
      await ok('label namespace default pod-security.kubernetes.io/enforce=restricted')
      await assert.rejects(ok('run loose --image=nginx'), /violates PodSecurity "restricted:latest": allowPrivilege/)

      const { request } = requestOf({ commonName: 'jane', organizations: ['dev'] })
      const csr = {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name: 'jane' },
        spec: {
          request: Buffer.from(request).toString('base64'),
          signerName: 'kubernetes.io/kube-apiserver-client',
          usages: ['client auth'],
        },
      }
      await ok('apply -f -', JSON.stringify(csr))
      assert.match(await ok('certificate approve jane'), /approved/)
      const certificate = await holds(async () => {
        const text = await ok('get csr jane -o jsonpath={.status.certificate}')
        assert.notEqual(text, '')
        return new X509Certificate(Buffer.from(text, 'base64'))
      })
      assert.equal(certificate.subject, 'O=dev\nCN=jane')
    })
  }
})
