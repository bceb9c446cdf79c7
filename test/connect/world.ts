/** A node with a kubelet, its pods and a Service on a server, made over its API. */
import { request } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import { load } from 'js-yaml'
import type { TestKubelet } from './kubelet.ts'

export interface Answer {
  readonly code: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

/** The admin of a kubeconfig. */
export class Admin {
  readonly ca: string
  readonly cert: string
  readonly key: string
  readonly url: URL

  constructor(kubeconfig: string) {
    const config = load(kubeconfig) as {
      clusters: { cluster: Record<string, string> }[]
      users: { user: Record<string, string> }[]
    }
    const pem = (data: string | undefined) => Buffer.from(data ?? '', 'base64').toString()
    this.ca = pem(config.clusters[0]!.cluster['certificate-authority-data'])
    this.cert = pem(config.users[0]!.user['client-certificate-data'])
    this.key = pem(config.users[0]!.user['client-key-data'])
    this.url = new URL(config.clusters[0]!.cluster['server']!)
  }

  ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json'
      const asked = request({
        host: this.url.hostname,
        port: this.url.port,
        path,
        method,
        headers: { ...(body !== undefined && { 'content-type': type }), ...headers },
        ca: this.ca,
        cert: this.cert,
        key: this.key,
        agent: false,
      })
      const read = (answer: import('node:http').IncomingMessage) => {
        let text = ''
        answer.on('data', (piece: Buffer) => (text += piece.toString()))
        answer.on('end', () => resolve({ code: answer.statusCode!, headers: answer.headers, text }))
        answer.on('error', reject)
      }
      asked.on('response', read)
      asked.on('upgrade', (answer, socket) => {
        socket.destroy()
        resolve({ code: answer.statusCode!, headers: answer.headers, text: '' })
      })
      asked.on('error', reject)
      asked.end(body === undefined || typeof body === 'string' ? (body ?? '') : JSON.stringify(body))
    })
  }

  async make(path: string, object: object): Promise<void> {
    const { code, text } = await this.ask('POST', path, object)
    if (code !== 201) throw new Error(`${path}: ${code} ${text}`)
  }

  async patch(path: string, object: object): Promise<void> {
    const { code, text } = await this.ask('PATCH', path, object)
    if (code !== 200) throw new Error(`${path}: ${code} ${text}`)
  }
}

export const PODS = '/api/v1/namespaces/x/pods'
export const SERVICES = '/api/v1/namespaces/x/services'

/**
 * Node `one` has the kubelet, on `dead` nobody listens, `bare` has no address, `own` is at this machine's loopback
 * address. Pods `web` (one container) and `two` run on `one`; what the others are says their name.
 * @param address of the kubelet and of pods: no loopback address
 */
export async function makeWorld(admin: Admin, kubelet: TestKubelet, address: string): Promise<void> {
  await admin.make('/api/v1/namespaces', { metadata: { name: 'x' } })
  await admin.make('/api/v1/namespaces/x/serviceaccounts', { metadata: { name: 'default' } })
  const node = async (name: string, addresses: object[], port: number) => {
    await admin.make('/api/v1/nodes', { metadata: { name } })
    await admin.patch(`/api/v1/nodes/${name}/status`, {
      status: { addresses, daemonEndpoints: { kubeletEndpoint: { Port: port } } },
    })
  }
  const at = [
    { type: 'Hostname', address: 'no.such.host.invalid' },
    { type: 'InternalIP', address },
  ]
  await node('one', at, kubelet.port)
  await node('dead', at, 1)
  await node('bare', [{ type: 'InternalDNS', address: 'bare.internal' }], kubelet.port)
  await node('own', [{ type: 'InternalIP', address: '127.0.0.1' }], kubelet.port)
  const pod = async (name: string, nodeName: string | undefined, ip: string, containers: object[]) => {
    const metadata = { name, labels: { app: name } }
    const spec = { containers, ...(nodeName !== undefined && { nodeName }), automountServiceAccountToken: false }
    await admin.make(PODS, { metadata, spec })
    if (ip === '') return
    const running = containers.map((each) => ({
      ...(each as { name: string; image: string }),
      imageID: 'i',
      ready: true,
      restartCount: 0,
      state: { running: {} },
    }))
    const containerStatuses = running.map(({ name: container, image, imageID, ready, restartCount, state }) => ({
      name: container,
      image,
      imageID,
      ready,
      restartCount,
      state,
    }))
    await admin.patch(`${PODS}/${name}/status`, {
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }], containerStatuses },
    })
  }
  const main = { name: 'main', image: 'i' }
  const served = { ...main, ports: [{ name: 'http', containerPort: kubelet.page }] }
  await pod('web', 'one', address, [served])
  await pod('two', 'one', address, [main, { name: 'side', image: 'i' }])
  await pod('gone', 'one', address, [main])
  await pod('pending', undefined, '', [main])
  await pod('lost', 'nowhere', address, [main])
  await pod('dead', 'dead', address, [main])
  await pod('bare', 'bare', address, [main])
  await pod('loop', 'one', '127.0.0.1', [served])
  const ports = [
    { name: 'http', port: 80, targetPort: kubelet.page, protocol: 'TCP' },
    { name: 'secure', port: 443, targetPort: kubelet.port, protocol: 'TCP' },
  ]
  await admin.make(SERVICES, { metadata: { name: 'web' }, spec: { ports } })
  await admin.make(SERVICES, { metadata: { name: 'empty' }, spec: { ports } })
  await admin.make(SERVICES, { metadata: { name: 'any' }, spec: { ports } })
  const slice = (service: string, targetRef?: object) => ({
    metadata: { name: service, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    ports: [
      { name: 'http', port: kubelet.page },
      { name: 'secure', port: kubelet.port },
    ],
    endpoints: [{ addresses: [address], conditions: { ready: true }, ...(targetRef !== undefined && { targetRef }) }],
  })
  const slices = '/apis/discovery.k8s.io/v1/namespaces/x/endpointslices'
  await admin.make(slices, slice('web', { kind: 'Pod', namespace: 'x', name: 'web' }))
  await admin.make(slices, slice('any'))
}
