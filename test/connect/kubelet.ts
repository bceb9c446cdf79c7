/** The program of test/clients/kubelet: Kubernetes' own streaming server, and a page that stands for a pod's. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createCa, issueCertificate } from '../../src/machinery/pki/certificate.ts'

export interface TestKubelet extends AsyncDisposable {
  /** Of the kubelet. */
  readonly port: number
  /** Of a server without TLS. */
  readonly page: number
}

/** `clientCa`: PEM of the authority of those who may ask. */
export async function startKubelet(program: string, clientCa: string, address: string): Promise<TestKubelet> {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-kubelet-'))
  const now = Date.now()
  const own = issueCertificate(createCa({ commonName: 'node', now }), {
    commonName: 'system:node:one',
    usage: 'server',
    dns: ['one'],
    now,
  })
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const args = ['-cert', file('crt', own.certificate), '-key', file('key', own.key), '-client-ca', file('ca', clientCa)]
  const child = spawn(program, [...args, '-address', address], { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()))
  const line = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).once('line', resolve)
    child.once('error', reject)
    void ended.then(() => reject(new Error('the kubelet ended')))
  })
  const [port = 0, page = 0] = line.split(' ').map(Number)
  return {
    port,
    page,
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
