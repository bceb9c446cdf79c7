/**
 * A real control plane for a test: etcd, kube-apiserver, kube-controller-manager, kube-scheduler, on free ports of this
 * machine, with everything they write in one temporary directory.
 */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCa, issueCertificate } from '../../src/machinery/pki/certificate.ts'
import { freePort, Processes } from './processes.ts'

export interface ControlPlane extends AsyncDisposable {
  readonly url: string
  /** `http://127.0.0.1:2379`, without any check of who asks. */
  readonly etcd: string
  /** Admin kubeconfig, as text. */
  readonly kubeconfig: string
  /** Milliseconds from the start of etcd until /readyz. */
  readonly readyAfter: number
  /** Directory of logs and files. */
  readonly dir: string
  readonly pids: Readonly<Record<string, number>>
  /** Kills kube-apiserver and starts it again on the same address; resolves when it is ready. */
  restart(): Promise<void>
}

export interface ControlPlaneOptions {
  /** Directory with the programs. */
  readonly programs: string
  /** Also kube-controller-manager and kube-scheduler. @default true */
  readonly controllers?: boolean
  /** Front proxies and aggregated servers, which are called at their endpoints. @default false */
  readonly frontProxy?: boolean
  /** More arguments for kube-apiserver. */
  readonly apiserver?: readonly string[]
}

export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-control-plane-'))
  const file = (name: string, text?: string): string => {
    if (text !== undefined) writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const now = Date.now()
  const ca = createCa({ commonName: 'ca', now })
  const pair = (name: string, leaf: Omit<Parameters<typeof issueCertificate>[1], 'now'>) => {
    const issued = issueCertificate(ca, { ...leaf, now })
    return { ...issued, crt: file(`${name}.crt`, issued.certificate), keyFile: file(`${name}.key`, issued.key) }
  }
  const caFile = file('ca.crt', ca.certificate)
  const caKey = file('ca.key', ca.key)
  const server = pair('server', {
    commonName: 'kube-apiserver',
    usage: 'server',
    dns: ['localhost', 'kubernetes.default.svc'],
    ips: ['127.0.0.1', '10.96.0.1'],
  })
  const admin = pair('admin', { commonName: 'kubernetes-admin', organizations: ['system:masters'], usage: 'client' })
  const account = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const saKey = file('sa.key', account.privateKey.export({ type: 'sec1', format: 'pem' }) as string)
  const saPub = file('sa.pub', account.publicKey.export({ type: 'spki', format: 'pem' }) as string)

  const frontProxyFlags = (): string[] => {
    const authority = createCa({ commonName: 'front-proxy-ca', now })
    const issued = issueCertificate(authority, { commonName: 'front-proxy-client', usage: 'client', now })
    return [
      `--requestheader-client-ca-file=${file('front-proxy-ca.crt', authority.certificate)}`,
      '--requestheader-allowed-names=front-proxy-client',
      '--requestheader-username-headers=X-Remote-User',
      '--requestheader-uid-headers=X-Remote-Uid',
      '--requestheader-group-headers=X-Remote-Group',
      '--requestheader-extra-headers-prefix=X-Remote-Extra-',
      `--proxy-client-cert-file=${file('front-proxy-client.crt', issued.certificate)}`,
      `--proxy-client-key-file=${file('front-proxy-client.key', issued.key)}`,
      '--enable-aggregator-routing=true',
    ]
  }

  const [client, peer, secure, kcm, scheduler] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const url = `https://127.0.0.1:${secure}`
  const kubeconfig = kubeconfigText(url, ca.certificate, admin.certificate, admin.key)
  const kubeconfigFile = file('kubeconfig', kubeconfig)
  const processes = new Processes()
  const pids: Record<string, number> = {}
  const start = (name: string, args: readonly string[]) => {
    const child = processes.start(name, join(options.programs, name), args, file(`${name}.log`))
    pids[name] = child.pid!
    return child
  }
  const dispose = async () => {
    await processes[Symbol.asyncDispose]()
    rmSync(dir, { recursive: true, force: true })
  }
  const started = performance.now()
  try {
    start('etcd', [
      `--data-dir=${join(dir, 'etcd')}`, `--listen-client-urls=http://127.0.0.1:${client}`, `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`, `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`, `--initial-cluster=default=http://127.0.0.1:${peer}`, '--log-level=error',
    ]) // prettier-ignore
    const apiserver = [
      `--etcd-servers=http://127.0.0.1:${client}`, `--secure-port=${secure}`, '--bind-address=127.0.0.1', '--advertise-address=127.0.0.1',
      `--tls-cert-file=${server.crt}`, `--tls-private-key-file=${server.keyFile}`, `--client-ca-file=${caFile}`,
      `--service-account-key-file=${saPub}`, `--service-account-signing-key-file=${saKey}`, '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      '--service-cluster-ip-range=10.96.0.0/16', '--authorization-mode=Node,RBAC', '--allow-privileged=true', '--endpoint-reconciler-type=none',
      ...(options.frontProxy === true ? frontProxyFlags() : []),
      ...(options.apiserver ?? []),
    ] // prettier-ignore
    let serving = start('kube-apiserver', apiserver)
    const restart = async () => {
      await processes.kill(serving)
      serving = start('kube-apiserver', apiserver)
      await ready(url, ca.certificate, admin, processes)
    }
    await ready(url, ca.certificate, admin, processes)
    const readyAfter = performance.now() - started
    if (options.controllers ?? true) {
      const common = [
        `--kubeconfig=${kubeconfigFile}`,
        `--authentication-kubeconfig=${kubeconfigFile}`,
        `--authorization-kubeconfig=${kubeconfigFile}`,
        '--leader-elect=false',
        '--bind-address=127.0.0.1',
      ]
      start('kube-controller-manager', [
        ...common, `--secure-port=${kcm}`, `--service-account-private-key-file=${saKey}`, `--root-ca-file=${caFile}`, `--cluster-signing-cert-file=${caFile}`,
        `--cluster-signing-key-file=${caKey}`, '--use-service-account-credentials=true',
      ]) // prettier-ignore
      start('kube-scheduler', [...common, `--secure-port=${scheduler}`])
    }
    const etcd = `http://127.0.0.1:${client}`
    return { url, etcd, kubeconfig, readyAfter, dir, pids, restart, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

async function ready(
  url: string,
  ca: string,
  admin: { certificate: string; key: string },
  processes: Processes,
): Promise<void> {
  const end = Date.now() + 60_000
  for (;;) {
    processes.check()
    const code = await new Promise<number>((resolve) => {
      const asked = request(
        `${url}/readyz`,
        { ca, cert: admin.certificate, key: admin.key, agent: false },
        (answer) => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        },
      )
      asked.on('error', () => resolve(0))
      asked.end()
    })
    if (code === 200) return
    if (Date.now() > end) throw new Error(`kube-apiserver is not ready after 60 s (last answer ${code})`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function kubeconfigText(server: string, ca: string, certificate: string, key: string): string {
  const b64 = (text: string) => Buffer.from(text).toString('base64')
  return `apiVersion: v1
kind: Config
clusters:
- name: real
  cluster:
    server: ${server}
    certificate-authority-data: ${b64(ca)}
users:
- name: admin
  user:
    client-certificate-data: ${b64(certificate)}
    client-key-data: ${b64(key)}
contexts:
- name: real
  context:
    cluster: real
    user: admin
current-context: real
`
}
