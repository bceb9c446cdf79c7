/**
 * Connections into pods, Services and nodes with real kubectl and raw requests, in front of Kubernetes' own streaming
 * server. The same is asked of the real kube-apiserver: what it does not pass is a wrong test.
 */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startCluster } from '../src/cluster/cluster.ts'
import { jsonLog } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { simulatedNodes } from '../src/cluster/simulated.ts'
import { createCa, issueCertificate } from '../src/machinery/pki/certificate.ts'
import { memoryStore } from '../src/store/memory.ts'
import { ownAddress } from './aggregation/sample-apiserver.ts'
import { carries } from './connect/forward.ts'
import { startKubelet, type TestKubelet } from './connect/kubelet.ts'
import { requests } from './connect/requests.ts'
import { Admin, makeWorld, PODS } from './connect/world.ts'
import { eventually } from './support/eventually.ts'
import { startControlPlane } from './support/control-plane.ts'
import { Kubectl } from './support/kubectl.ts'
import { findControlPlane, findKubectl, skipWithout } from './support/kubernetes.ts'
import { goProgram } from './support/programs.ts'

const program = goProgram('kubelet')
const kubectl = findKubectl()
const skip = skipWithout(program, 'test/clients/kubelet') || skipWithout(kubectl, 'kubectl')
const address = ownAddress()
const words = new RegExp(process.env['TENANTRY_CHECKS'] ?? '.')

interface Place {
  readonly admin: Admin
  readonly kubectl: Kubectl
  readonly kubelet: TestKubelet
}

test('connections through the embedded server', { skip }, async (t) => {
  await using runtime = asyncDisposable(
    new Runtime({ log: jsonLog((line) => process.stderr.write(line), 'error'), store: memoryStore() }),
    (each) => each.close(),
  )
  await using cluster = await startCluster({
    runtime: runtime.value,
    id: 'cluster',
    name: 'connect',
    controllers: () => [],
    ...simulatedNodes(runtime.value.now),
  })
  const admin = new Admin(cluster.kubeconfig)
  await using kubelet = await startKubelet(program!, admin.ca, address)
  await checks(t, cluster.kubeconfig, admin, kubelet)
})

test(
  'connections through kube-apiserver',
  { skip: skip || skipWithout(findControlPlane(), 'kube-apiserver') },
  async (t) => {
    const now = Date.now()
    const ca = createCa({ commonName: 'kubelet-clients', now })
    const client = issueCertificate(ca, { commonName: 'kube-apiserver-kubelet-client', usage: 'client', now })
    await using kubelet = await startKubelet(program!, ca.certificate, address)
    const dir = join(import.meta.dirname, `../node_modules/.cache/connect-${process.pid}`)
    mkdirSync(dir, { recursive: true })
    t.after(() => rmSync(dir, { recursive: true, force: true }))
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text, { mode: 0o600 })
      return join(dir, name)
    }
    await using plane = await startControlPlane({
      programs: findControlPlane()!,
      controllers: false,
      apiserver: [
        `--kubelet-client-certificate=${file('crt', client.certificate)}`,
        `--kubelet-client-key=${file('key', client.key)}`,
        '--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname',
      ],
    })
    await checks(t, plane.kubeconfig, new Admin(plane.kubeconfig), kubelet)
  },
)

function asyncDisposable<T>(value: T, end: (value: T) => Promise<void>): { value: T } & AsyncDisposable {
  return { value, [Symbol.asyncDispose]: () => end(value) }
}

async function checks(
  t: import('node:test').TestContext,
  kubeconfig: string,
  admin: Admin,
  kubelet: TestKubelet,
): Promise<void> {
  await makeWorld(admin, kubelet, address)
  using client = new Kubectl(kubectl!, kubeconfig)
  const place = { admin, kubectl: client, kubelet }
  for (const [how, env] of Object.entries(TRANSPORTS)) {
    for (const [name, check] of Object.entries(COMMANDS)) {
      if (words.test(`${how}: ${name}`)) await t.test(`${how}: ${name}`, () => check(place, env))
    }
  }
  for (const [name, check] of Object.entries(OTHERS)) if (words.test(name)) await t.test(name, () => check(place))
  for (const { name, run, expected } of requests(kubelet, address)) {
    if (!words.test(name)) continue
    await t.test(name, async () => assert.deepEqual(await run(admin), expected))
  }
}

const TRANSPORTS = {
  SPDY: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
  WebSocket: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'true' },
}

type Env = Record<string, string>

const COMMANDS: Record<string, (place: Place, env: Env) => Promise<void>> = {
  async 'exec gives both outputs and the exit code'({ kubectl }, env) {
    const words = ['-n', 'x', 'exec', 'web', '--', 'sh', '-c', 'echo $POD $CONTAINER; echo bad >&2; exit 7']
    const { stdout, stderr, code } = await kubectl.try(words, { env })
    assert.equal(stdout, 'web main\n')
    assert.equal(stderr, 'bad\ncommand terminated with exit code 7\n')
    assert.equal(code, 7)
  },
  async 'exec passes input to its end'({ kubectl }, env) {
    const stdin = 'line\n'.repeat(200_000)
    const { stdout, stderr, code } = await kubectl.try('-n x exec -i two -c side -- cat', { env, stdin })
    assert.equal(stderr, '')
    assert.ok(stdout === stdin, `${stdout.length} of ${stdin.length} characters came back`)
    assert.equal(code, 0)
  },
  async 'exec gives large output whole'({ kubectl }, env) {
    const { stdout, code } = await kubectl.try(
      ['-n', 'x', 'exec', 'web', '--', 'head', '-c', '20000000', '/dev/zero'],
      {
        env,
      },
    )
    assert.deepEqual([stdout.length, code], [20_000_000, 0])
  },
  async 'exec says that a command cannot run'({ kubectl }, env) {
    const { stderr, code } = await kubectl.try('-n x exec web -- broken', { env })
    assert.match(stderr, /error executing command in container: no such container/)
    assert.equal(code, 1)
  },
  async 'exec into a pod that the kubelet does not know'({ kubectl }, env) {
    const { stderr, code } = await kubectl.try('-n x exec gone -- true', { env })
    assert.match(stderr, /unable to upgrade connection: pod does not exist/)
    assert.equal(code, 1)
  },
  async 'exec where no kubelet listens'({ kubectl }, env) {
    const { stderr, code } = await kubectl.try('-n x exec dead -- true', { env })
    const how =
      env === TRANSPORTS.SPDY
        ? 'error dialing backend'
        : `error sending request: Post "https://${address}:1/exec/x/dead/main\\?command=true&error=1&output=1"`
    assert.match(stderr, new RegExp(`${how}: dial tcp ${address}:1: connect: connection refused`))
    assert.equal(code, 1)
  },
  async attach({ kubectl }, env) {
    const { stdout, code } = await kubectl.try('-n x attach -i web -c main', { env, stdin: 'typed\n' })
    assert.equal(stdout, 'attached to web/main\ntyped\n')
    assert.equal(code, 0)
  },
  async 'cp in both directions'({ kubectl, kubelet }, env) {
    const path = `/tmp/tenantry-cp-${process.pid}-${kubelet.port}`
    const text = 'content\n'.repeat(100_000)
    const from = kubectl.file('from', text)
    try {
      await kubectl.run(['-n', 'x', 'cp', from, `web:${path}`, '-c', 'main'], { env })
      assert.ok(readFileSync(path, 'utf8') === text)
      const back = kubectl.file('back', '')
      await kubectl.run(['-n', 'x', 'cp', `web:${path}`, back], { env })
      assert.ok(readFileSync(back, 'utf8') === text)
    } finally {
      rmSync(path, { force: true })
    }
  },
  async 'port-forward carries several connections'({ kubectl }, env) {
    await carries(kubectl, ['-n', 'x', 'port-forward', 'web'], env)
  },
}

const OTHERS: Record<string, (place: Place) => Promise<void>> = {
  async 'logs -f come line by line'({ kubectl, admin }) {
    const out = await kubectl.run('-n x logs -f web')
    assert.equal(out, '/containerLogs/x/web/main?follow=true\nline 0\nline 1\nline 2\n')
    const started = performance.now()
    const { text } = await admin.ask(
      'GET',
      `${PODS}/two/log?container=side&timestamps=true&sinceSeconds=60&limitBytes=5&tailLines=3`,
    )
    assert.equal(text, '/containerLogs/x/two/side?limitBytes=5&sinceSeconds=60&tailLines=3&timestamps=true\n')
    assert.ok(performance.now() - started < 10_000)
  },
  async 'a user who may only get pods/exec may not run commands'({ admin }) {
    await admin.make('/apis/rbac.authorization.k8s.io/v1/namespaces/x/roles', {
      metadata: { name: 'get' },
      rules: [{ apiGroups: [''], resources: ['pods/exec', 'pods/portforward'], verbs: ['get'] }],
    })
    await admin.make('/apis/rbac.authorization.k8s.io/v1/namespaces/x/rolebindings', {
      metadata: { name: 'get' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'get' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'jane' }],
    })
    const asked = async () => {
      const { code, text } = await admin.ask('GET', `${PODS}/web/exec?command=true&stdout=1`, undefined, {
        'impersonate-user': 'jane',
      })
      return [code, (JSON.parse(text) as { message: string }).message]
    }
    await eventually('the role counts', async () => {
      assert.deepEqual(await asked(), [403, 'pods "web" is forbidden: '])
      return true
    })
  },
}
