/**
 * Upstream's sample API server as a local process with an etcd of its own, delegating authentication and authorization
 * to the cluster that it is registered in.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCa, issueCertificate } from '../../src/machinery/pki/certificate.ts'
import { eventually } from '../support/eventually.ts'
import { freePort, Processes } from '../support/processes.ts'

export interface SampleApiServer extends AsyncDisposable {
  readonly port: number
  /** PEM of what signed its serving certificate. */
  readonly ca: string
  /** Ends the API server, not its etcd. */
  kill(): Promise<void>
  /** Starts it again, on the same port. */
  start(): Promise<void>
  log(): string
}

export interface SampleOptions {
  /** Directory with the programs. */
  readonly programs: string
  /** By which it asks the cluster who may do what. */
  readonly kubeconfig: string
}

export async function startSampleApiServer({ programs, kubeconfig }: SampleOptions): Promise<SampleApiServer> {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-sample-'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const now = Date.now()
  const ca = createCa({ commonName: 'sample-ca', now })
  const serving = issueCertificate(ca, { commonName: 'sample', usage: 'server', dns: ['api.wardle.svc'], now })
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()]
  const etcd = new Processes()
  let server = new Processes()
  const config = file('kubeconfig', kubeconfig)
  const log = join(dir, 'sample.log')
  const start = async (): Promise<void> => {
    server = new Processes()
    server.start(
      'sample-apiserver',
      join(programs, 'sample-apiserver'),
      [
        `--secure-port=${port}`,
        '--bind-address=0.0.0.0',
        `--etcd-servers=http://127.0.0.1:${client}`,
        `--tls-cert-file=${file('tls.crt', serving.certificate)}`,
        `--tls-private-key-file=${file('tls.key', serving.key)}`,
        `--kubeconfig=${config}`,
        `--authentication-kubeconfig=${config}`,
        `--authorization-kubeconfig=${config}`,
      ],
      log,
    )
    await eventually('the sample API server is ready', () => {
      server.check()
      return isReady(port, ca.certificate)
    })
  }
  const sample: SampleApiServer = {
    port,
    ca: ca.certificate,
    kill: () => server[Symbol.asyncDispose](),
    start,
    log: () => log,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]()
      await etcd[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    },
  }
  try {
    const url = `http://127.0.0.1:${peer}`
    etcd.start(
      'etcd',
      join(programs, 'etcd'),
      [
        `--data-dir=${join(dir, 'etcd')}`,
        `--listen-client-urls=http://127.0.0.1:${client}`,
        `--advertise-client-urls=http://127.0.0.1:${client}`,
        `--listen-peer-urls=${url}`,
        `--initial-advertise-peer-urls=${url}`,
        `--initial-cluster=default=${url}`,
        '--log-level=error',
      ],
      join(dir, 'etcd.log'),
    )
    await start()
    return sample
  } catch (error) {
    await sample[Symbol.asyncDispose]()
    throw error
  }
}

function isReady(port: number, ca: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { port, host: '127.0.0.1', path: '/livez', ca, servername: 'api.wardle.svc', agent: false }
    const asked = request(options, (answer) => {
      answer.resume()
      resolve(answer.statusCode === 200)
    })
    asked.on('error', () => resolve(false))
    asked.end()
  })
}

/** An address of this machine that endpoints may have: loopback is none. */
export function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  const found = all.find(
    ({ family, internal, address }) => family === 'IPv4' && !internal && !address.startsWith('169.254.'),
  )
  if (found === undefined) throw new Error('this machine has no address beside loopback')
  return found.address
}

/** What registers it: namespace, Service with endpoints here, APIService. */
export function registration({ port, ca }: Pick<SampleApiServer, 'port' | 'ca'>): object[] {
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'wardle' } },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'api', namespace: 'wardle' },
      spec: { ports: [{ name: 'https', port: 443, targetPort: port }] },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'api-here', namespace: 'wardle', labels: { 'kubernetes.io/service-name': 'api' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: [ownAddress()], conditions: { ready: true } }],
      ports: [{ name: 'https', port, protocol: 'TCP' }],
    },
    ...['v1alpha1', 'v1beta1'].map((version, i) => ({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: `${version}.wardle.example.com` },
      spec: {
        group: 'wardle.example.com',
        version,
        groupPriorityMinimum: 1000,
        versionPriority: 15 + i,
        service: { name: 'api', namespace: 'wardle' },
        caBundle: Buffer.from(ca).toString('base64'),
      },
    })),
  ]
}
