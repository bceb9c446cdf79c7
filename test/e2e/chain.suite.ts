/** The whole chain: two tenants, the same names, one host. What each side shows and what it must not. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { resources } from '../../src/client/resources.ts'
import type { Client } from '../../src/client/contract.ts'
import type { KubeObject } from '../../src/machinery/object.ts'
import { eventually } from '../support/eventually.ts'
import { Kubectl } from '../support/kubectl.ts'
import { application, type Harness } from './harness.ts'

const MANAGED = { labelSelector: 'tenantry.dev/managed-by=tenantry' }

export async function chainSuite(t: TestContext, program: string, harness: Harness): Promise<void> {
  const { host } = harness
  using red = new Kubectl(program, harness.tenants.red)
  using blue = new Kubectl(program, harness.tenants.blue)
  const tenants = { red, blue }

  await t.test('the same application runs in both', async () => {
    for (const kubectl of Object.values(tenants)) {
      assert.match(await kubectl.run('apply -f -', { stdin: application }), /deployment\.apps\/web created/)
    }
    for (const kubectl of Object.values(tenants)) {
      assert.match(await kubectl.run('-n shop rollout status deployment/web --timeout=80s'), /successfully rolled out/)
      assert.match(await kubectl.run('-n shop wait --for=condition=Ready pod/alone --timeout=60s'), /condition met/)
    }
  })

  await t.test('the host has the pods of both, each with its owner', async () => {
    const pods = await ours(host, 'pods')
    assert.equal(pods.length, 8)
    assert.equal(new Set(pods.map((p) => p.metadata.labels!['tenantry.dev/cluster-uid'])).size, 2)
    for (const pod of pods) {
      assert.equal(pod.metadata.annotations!['tenantry.dev/namespace'], 'shop')
      const name = pod.metadata.annotations!['tenantry.dev/name']!
      assert.equal(
        pod.metadata.annotations!['tenantry.dev/owner'],
        name === 'alone' ? undefined : name.replace(/^(web-\w+)-\w+$/, 'ReplicaSet/$1'),
      )
      assert.equal(pod['spec'].automountServiceAccountToken, false)
    }
    const alone = pods.filter((p) => p.metadata.annotations!['tenantry.dev/name'] === 'alone')
    assert.equal(alone.length, 2)
    assert.notEqual(
      `${alone[0]!.metadata.namespace}/${alone[0]!.metadata.name}`,
      `${alone[1]!.metadata.namespace}/${alone[1]!.metadata.name}`,
    )
  })

  await t.test('the tenant sees what the host decided', async () => {
    for (const kubectl of Object.values(tenants)) {
      const seen = JSON.parse(await kubectl.run('-n shop get pods -o json')) as { items: KubeObject[] }
      for (const pod of seen.items) {
        const onHost = (await ours(host, 'pods')).find(
          (p) => p.metadata.annotations!['tenantry.dev/uid'] === pod.metadata.uid,
        )!
        assert.equal(pod['spec'].nodeName, onHost['spec'].nodeName)
        assert.equal(pod['status'].podIP, onHost['status'].podIP)
        assert.equal(pod['status'].phase, 'Running')
      }
    }
  })

  await t.test('only what pods need goes down', async () => {
    const names = async (kind: 'configmaps' | 'secrets') =>
      (await ours(host, kind)).map((o) => o.metadata.annotations!['tenantry.dev/name']!).sort()
    const configMaps = await names('configmaps')
    assert.deepEqual(configMaps.filter((n) => n === 'settings').length, 2)
    assert.ok(!configMaps.includes('unused'))
    const secrets = await names('secrets')
    assert.equal(secrets.filter((n) => n === 'password').length, 2)
    assert.ok(!secrets.includes('private'))
    for (const kind of ['deployments', 'replicasets'] as const)
      assert.equal((await ours(host, kind)).length, 0, `no ${kind} of tenants on the host`)
    const all = await host.list(resources.deployments)
    assert.ok(!all.items.some((d) => d.metadata.name!.startsWith('web')))
  })

  await t.test('the tenant’s cluster IP is the host’s', async () => {
    for (const kubectl of Object.values(tenants)) {
      await eventually('the cluster IP came back', async () => {
        const service = JSON.parse(await kubectl.run('-n shop get service web -o json')) as KubeObject
        const onHost = (await ours(host, 'services')).find(
          (s) => s.metadata.annotations!['tenantry.dev/uid'] === service.metadata.uid,
        )
        return onHost !== undefined && onHost['spec'].clusterIP === service['spec'].clusterIP
      })
    }
  })

  await t.test('changes follow', async () => {
    await red.run(['-n', 'shop', 'patch', 'configmap', 'settings', '--type=merge', '-p', '{"data":{"mode":"slow"}}'])
    await eventually('the host copy changed', async () =>
      (await ours(host, 'configmaps')).some((c) => c['data']?.mode === 'slow'),
    )
    await red.run('-n shop label pod alone tier=one')
    await eventually('the label went down', async () =>
      (await ours(host, 'pods')).some((p) => p.metadata.labels!['tier'] === 'one'),
    )
    await red.run('-n shop label pod alone tier-')
    await eventually(
      'the label was taken away',
      async () => !(await ours(host, 'pods')).some((p) => p.metadata.labels!['tier'] === 'one'),
    )
  })

  await t.test('deletion from either side', async () => {
    await red.run('-n shop delete pod alone --grace-period=1')
    await eventually(
      'gone on the host',
      async () =>
        (await ours(host, 'pods')).filter((p) => p.metadata.annotations!['tenantry.dev/name'] === 'alone').length === 1,
    )
    const victim = (await ours(host, 'pods')).find((p) => p.metadata.annotations!['tenantry.dev/owner'] !== undefined)!
    await host.delete(resources.pods, victim.metadata.name!, {
      namespace: victim.metadata.namespace!,
      gracePeriodSeconds: 1,
    })
    await eventually('the ReplicaSet replaced it', async () => {
      const pods = (await ours(host, 'pods')).filter(
        (p) => p.metadata.annotations!['tenantry.dev/owner'] !== undefined && p['status']?.phase === 'Running',
      )
      return pods.length === 6 && !pods.some((p) => p.metadata.uid === victim.metadata.uid)
    })
  })

  await t.test('what could hurt the host stays in the tenant', async () => {
    const bad = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"bad","namespace":"shop"},"spec":{"containers":[{"name":"c","image":"busybox","securityContext":{"privileged":true}}],"volumes":[{"name":"h","hostPath":{"path":"/"}}]}}`
    await red.run('apply -f -', { stdin: bad })
    const events = await eventually('an event says why', async () => {
      const text = await red.run('-n shop get events --field-selector involvedObject.name=bad')
      return text.includes('NotSynced') && text
    })
    assert.match(events, /privileged is true/)
    assert.match(events, /hostPath/)
    assert.ok(!(await ours(host, 'pods')).some((p) => p.metadata.annotations!['tenantry.dev/name'] === 'bad'))
    await red.run('-n shop delete pod bad --grace-period=0 --force')
  })

  await t.test('a tenant’s credentials open nothing else', async () => {
    const server = (kubeconfig: string) => /server: (\S+)/.exec(kubeconfig)![1]!
    for (const other of [harness.tenants.blue, harness.hostKubeconfig]) {
      const ran = await red.try(['--server', server(other), '--insecure-skip-tls-verify', 'get', 'secrets', '-A'])
      assert.notEqual(ran.code, 0)
      assert.match(ran.stderr, /Unauthorized|must be logged in|forbidden/i)
    }
    const token = (await red.run('create token default -n default')).trim()
    for (const other of [harness.tenants.blue, harness.hostKubeconfig]) {
      using stranger = new Kubectl(
        program,
        `{"apiVersion":"v1","kind":"Config","clusters":[{"name":"c","cluster":{"server":"${server(other)}","insecure-skip-tls-verify":true}}],"users":[{"name":"u","user":{"token":"${token}"}}],"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],"current-context":"c"}`,
      )
      const ran = await stranger.try('get namespaces')
      assert.match(ran.stderr, /Unauthorized|must be logged in/i)
    }
  })

  await t.test('a namespace that is deleted leaves nothing on the host', async () => {
    for (const kubectl of Object.values(tenants)) await kubectl.run('delete namespace shop --timeout=80s')
    await eventually('nothing of either tenant is left', async () => {
      for (const kind of ['pods', 'services', 'configmaps', 'secrets', 'namespaces'] as const)
        if ((await ours(host, kind)).length > 0) return false
      return true
    })
  })
}

async function ours(host: Client, kind: keyof typeof resources): Promise<KubeObject[]> {
  return (await host.list(resources[kind], MANAGED)).items
}
