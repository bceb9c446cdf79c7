/** Watches over WebSocket, as browsers open them: from a real kube-apiserver and from the embedded server. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { load } from 'js-yaml'
import { Agent, WebSocket } from 'undici'
import type { Client } from '../src/client/contract.ts'
import { HttpsClient } from '../src/client/https.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { resources } from '../src/client/resources.ts'
import { createCluster } from '../src/index.ts'
import { startControlPlane } from './support/control-plane.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'

const programs = findControlPlane()

describe('embedded cluster', () => suite(() => createCluster({ nodes: 0 })))
describe('kube-apiserver', { skip: skipWithout(programs, 'a control plane') }, () =>
  suite(() => startControlPlane({ programs: programs!, controllers: false })),
)

function suite(start: () => Promise<AsyncDisposable & { readonly kubeconfig: string }>): void {
  let server: AsyncDisposable & { readonly kubeconfig: string }
  let client: Client
  before(async () => {
    server = await start()
    client = new HttpsClient(parseKubeconfig(server.kubeconfig))
    await client.create(resources.namespaces, { kind: 'Namespace', apiVersion: 'v1', metadata: { name: 'web' } })
  })
  after(async () => {
    await client?.close()
    await server?.[Symbol.asyncDispose]()
  })

  it('events come as messages, and the end of the time as the end', async () => {
    const map = (name: string) => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'web' } })
    await client.create(resources.configmaps, map('one'))
    const large = { ...map('large'), data: { text: 'x'.repeat(100_000) } }
    const watched = open('/api/v1/namespaces/web/configmaps?watch=true&timeoutSeconds=2&labelSelector=!hidden')
    await watched.opened
    await client.create(resources.configmaps, large)
    await watched.closed
    const events = watched.messages.map((text) => JSON.parse(text) as { type: string; object: { metadata: object } })
    const own = events.filter(({ object }) => !JSON.stringify(object.metadata).includes('kube-root-ca'))
    assert.deepEqual(
      own.map(({ type, object }) => [type, (object.metadata as { name: string }).name]),
      [
        ['ADDED', 'one'],
        ['ADDED', 'large'],
      ],
    )
    assert.ok(watched.messages.every((text) => text.endsWith('}\n')))
  })

  it('a client that leaves is let go', async () => {
    const watched = open('/api/v1/namespaces/web/configmaps?watch=true&resourceVersion=0')
    await watched.opened
    watched.socket.close()
    await watched.closed
  })

  it('a token among the protocols says who asks, and the other protocol is agreed on', async () => {
    const metadata = { name: 'browser', namespace: 'web' }
    await client.create(resources.serviceaccounts, { kind: 'ServiceAccount', apiVersion: 'v1', metadata })
    await client.create(resources.clusterrolebindings, {
      kind: 'ClusterRoleBinding',
      apiVersion: 'rbac.authorization.k8s.io/v1',
      metadata: { name: 'browser' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'ServiceAccount', ...metadata }],
    })
    const path = '/api/v1/namespaces/web/serviceaccounts/browser/token'
    const asked = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', spec: {} }
    const { status } = JSON.parse(await client.raw('POST', path, JSON.stringify(asked))) as {
      status: { token: string }
    }
    const watch = '/api/v1/namespaces/web/configmaps?watch=true&timeoutSeconds=1'
    const protocol = (token: string) =>
      `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`
    const shown = open(watch, [protocol(status.token), 'base64.binary.k8s.io'])
    await shown.opened
    assert.equal(shown.socket.protocol, 'base64.binary.k8s.io')
    await shown.closed
    assert.ok(shown.messages.length > 0)
    for (const refused of [
      [protocol('wrong'), 'base64.binary.k8s.io'],
      [protocol(status.token)],
      [protocol(status.token), 'a', 'b'],
    ]) {
      await assert.rejects(open(watch, refused).opened)
    }
  })

  /** With `protocols`, nothing else says who asks. */
  function open(path: string, protocols?: string[]) {
    const config = load(server.kubeconfig) as {
      clusters: { cluster: Record<string, string> }[]
      users: { user: Record<string, string> }[]
    }
    const pem = (data: string | undefined) => Buffer.from(data ?? '', 'base64').toString()
    const { cluster } = config.clusters[0]!
    const { user } = config.users[0]!
    const connect = {
      ca: pem(cluster['certificate-authority-data']),
      ...(protocols === undefined && {
        cert: pem(user['client-certificate-data']),
        key: pem(user['client-key-data']),
      }),
    }
    const headers = { origin: 'https://dashboard.example.com' }
    const url = `${cluster['server']!.replace('https', 'wss')}${path}`
    const socket = new WebSocket(url, {
      dispatcher: new Agent({ connect, allowH2: false }),
      headers,
      ...(protocols && { protocols }),
    })
    const messages: string[] = []
    socket.addEventListener('message', ({ data }) => void messages.push(String(data)))
    const opened = new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve())
      socket.addEventListener('error', (event) => reject(new Error(String((event as { message?: string }).message))))
    })
    const closed = new Promise<void>((resolve) => socket.addEventListener('close', () => resolve()))
    return { socket, messages, opened, closed }
  }
}
