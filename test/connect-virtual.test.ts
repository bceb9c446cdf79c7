/** Connections into the pods of a virtual cluster: they are the host's pods, reached through the host's API server. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ownAddress } from './aggregation/sample-apiserver.ts'
import { carries } from './connect/forward.ts'
import { startTenant, TENANT_PODS as PODS } from './connect/tenant.ts'
import { eventually } from './support/eventually.ts'
import { Kubectl } from './support/kubectl.ts'
import { findKubectl, skipWithout } from './support/kubernetes.ts'
import { goProgram } from './support/programs.ts'

const program = goProgram('kubelet')
const skip = skipWithout(program, 'test/clients/kubelet') || skipWithout(findKubectl(), 'kubectl')

const address = ownAddress()

for (const engine of ['packed', 'dedicated'] as const) {
  test(`a tenant’s connections reach its pods on the host, and nothing else, ${engine}`, { skip }, () =>
    connections(engine),
  )
  test(`a tenant’s logs are followed on the host as long as somebody reads them, ${engine}`, { skip }, () =>
    logs(engine),
  )
}

type Engine = 'packed' | 'dedicated'

async function connections(engine: Engine): Promise<void> {
  await using world = await startTenant(program!, address, engine)
  const { tenant, own, kubelet } = world
  const spec = {
    containers: [{ name: 'main', image: 'i', ports: [{ containerPort: kubelet.page }] }],
    automountServiceAccountToken: false,
  }
  const { name } = await world.run('web', spec, { app: 'web' })
  await own.make('/api/v1/namespaces/default/services', {
    metadata: { name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: kubelet.page }] },
  })

  using kubectl = new Kubectl(findKubectl()!, tenant.kubeconfig)
  for (const websockets of ['true', 'false']) {
    const env = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: websockets, KUBECTL_PORT_FORWARD_WEBSOCKETS: websockets }
    const command = ['exec', '-i', 'web', '--', 'sh', '-c', 'echo $POD; cat; exit 3']
    const { stdout, code } = await kubectl.try(command, { env, stdin: 'typed' })
    assert.deepEqual([stdout, code], [`${name}\ntyped`, 3])
    const attached = await kubectl.run('attach -i web -c main', { env, stdin: 'typed\n' })
    assert.equal(attached, `attached to ${name}/main\ntyped\n`)
    await carries(kubectl, ['port-forward', 'web'], env)
  }

  const told = async (path: string) => {
    const { code, text } = await own.ask('GET', path)
    return code === 200 ? (JSON.parse(text) as { uri: string }).uri : `${code} ${text}`
  }
  assert.equal(await told(`${PODS}/web/proxy/a?b=c`), '/a?b=c')
  await eventually('the Service has endpoints on the host', async () => {
    return (await told('/api/v1/namespaces/default/services/web:http/proxy/x')) === '/x'
  })

  // What the tenant says of addresses counts for nothing.
  const elsewhere = { podIP: '169.254.169.254', podIPs: [{ ip: '169.254.169.254' }] }
  await own.patch(`${PODS}/web/status`, { status: elsewhere })
  assert.equal(await told(`${PODS}/web/proxy/a`), '/a')
  await own.make('/api/v1/nodes', { metadata: { name: 'mine' } })
  await own.make(PODS, { metadata: { name: 'odd' }, spec: { ...spec, nodeName: 'mine', hostNetwork: true } })
  const { text } = await own.ask('POST', `${PODS}/odd/exec?command=true&stdout=true`, undefined, {
    connection: 'Upgrade',
    upgrade: 'SPDY/3.1',
  })
  assert.equal((JSON.parse(text) as { message: string }).message, 'pod odd does not have a host assigned')
  const node = await own.ask('GET', '/api/v1/nodes/one/proxy/pods')
  assert.equal(node.code, 503)
  assert.match(node.text, /nodes of the host are not reached through a virtual cluster/)
  await own.ask('DELETE', `${PODS}/odd?gracePeriodSeconds=0`)
}

async function logs(engine: Engine): Promise<void> {
  await using world = await startTenant(program!, address, engine)
  const { tenant, kubelet } = world
  const containers = ['main', 'side', 'slow', 'flood'].map((name) => ({ name, image: 'i' }))
  const { namespace, name } = await world.run('web', { containers, automountServiceAccountToken: false })
  assert.notEqual(name, 'web')
  const there = `/containerLogs/${namespace}/${name}`
  using kubectl = new Kubectl(findKubectl()!, tenant.kubeconfig)

  assert.equal(await kubectl.run('logs web -c main -f'), `${there}/main?follow=true\nline 0\nline 1\nline 2\n`)
  assert.equal(
    await kubectl.run('logs web -c side --since=1m --tail=3 --timestamps --limit-bytes=5000'),
    `${there}/side?limitBytes=5000&sinceSeconds=60&tailLines=3&timestamps=true\n`,
  )
  assert.equal(
    await kubectl.run('logs web -c side --since-time=2026-01-01T02:00:00+02:00'),
    `${there}/side?sinceTime=2026-01-01T00%3A00%3A00Z\n`,
  )
  const previous = await kubectl.try('logs web -c main --previous')
  assert.equal(
    previous.stderr,
    'Error from server (BadRequest): previous terminated container "main" in pod "web" not found\n',
  )
  assert.equal(previous.code, 1)
  // What is no option of logs does not reach the host.
  const more = await world.own.ask('GET', `${PODS}/web/log?container=main&insecureSkipTLSVerifyBackend=true&x=y`)
  assert.deepEqual([more.code, more.text], [200, `${there}/main?\n`])
  assert.equal((await world.own.ask('GET', `${PODS}/web/log?container=..%2Fmain`)).code, 400)

  const state = async () => {
    const answer = await fetch(`http://${address}:${kubelet.page}/logs-read`)
    return (await answer.json()) as { open: number; written: number }
  }
  const shown = await kubectl.watch(
    'logs web -c slow -f',
    (output) => output.split('\n').length > 5,
    async () => {
      assert.equal((await state()).open, 1)
    },
  )
  assert.ok(shown.startsWith(`${there}/slow?follow=true\nxxx`))
  await eventually('the kubelet sees that nobody reads', async () => (await state()).open === 0)

  // A reader that stands still holds the container's log up, and holds no more than what is on the way.
  const before = (await state()).written
  const reader = spawn(findKubectl()!, ['--kubeconfig', kubectl.kubeconfig, 'logs', 'web', '-c', 'flood', '-f'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await eventually('it is read', async () => (await state()).written > before)
    let last = -1
    await eventually('the log stands still', async () => {
      const { written } = await state()
      const still = written === last
      last = written
      if (!still) await sleep(500)
      return still
    })
    assert.ok(last - before < 64 * 1024 * 1024, `${last - before} bytes are on the way`)
    let read = 0
    reader.stdout.on('data', (piece: Buffer) => (read += piece.length))
    await eventually('it goes on', async () => read > 2 * (last - before))
  } finally {
    reader.kill('SIGKILL')
  }
  await eventually('the kubelet sees that nobody reads', async () => (await state()).open === 0)
}
