/**
 * Asks a real kube-apiserver what it does with the cases in `src/machinery/kinds/testdata/*.yaml`
 * and writes each answer to the JSON file beside it, which the unit tests compare with.
 *
 *     node scripts/kinds-oracle.ts [name of a YAML file without extension ...]
 *
 * The programs come from `$XDG_CACHE_HOME/tenantry/kubernetes/v1.37.1` (scripts/kubernetes.ts builds them).
 * Certificates, keys and etcd's data live in a temporary folder and go with it.
 */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { load } from 'js-yaml'
import { Agent, fetch } from 'undici'
import { kubernetesDir } from '../test/support/kubernetes.ts'

type Value = { [key: string]: unknown }

interface Case {
  name: string
  /** Merge patch on the file's base: what is sent (for updates: on the stored object). */
  patch?: Value
  /** Present for updates: merge patch on the base, which gives the stored object. */
  old?: Value
  /** Merge patch sent to the stored object's `status` before the update under test. */
  oldStatus?: Value
  /** A subresource of the stored object. */
  subresource?: string
  /** Sends `patch` alone (POST to a subresource). */
  post?: boolean
}

interface CaseFile {
  path: string
  base: Value
  cases: Case[]
}

const folder = join(import.meta.dirname, '..', 'src', 'machinery', 'kinds', 'testdata')

const bin = kubernetesDir()

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

function isValue(value: unknown): value is Value {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isValue(patch)) return patch
  const out: Value = isValue(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = merge(out[key], value)
  }
  return out
}

/** Leaves out what differs from run to run. */
function stable(answer: Value): Value {
  const metadata = answer['metadata']
  if (!isValue(metadata)) return answer
  const { managedFields: _fields, creationTimestamp: _time, uid: _uid, resourceVersion: _version, ...kept } = metadata
  return { ...answer, metadata: kept }
}

class ControlPlane {
  readonly #dir = mkdtempSync(join(tmpdir(), 'kinds-oracle-'))
  readonly #children: ChildProcess[] = []
  #origin = ''
  #agent = new Agent()

  async start(): Promise<void> {
    const dir = this.#dir
    const openssl = (...args: string[]): void => {
      execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' })
    }
    const [client, peer, secure] = [await freePort(), await freePort(), await freePort()]
    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-subj', '/CN=ca')
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'admin.key',
      '-out',
      'admin.csr',
      '-subj',
      '/O=system:masters/CN=admin',
    )
    openssl(
      'x509',
      '-req',
      '-in',
      'admin.csr',
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-out',
      'admin.crt',
    )
    openssl('genrsa', '-out', 'sa.key', '2048')
    openssl('rsa', '-in', 'sa.key', '-pubout', '-out', 'sa.pub')
    const etcd = `http://127.0.0.1:${client}`
    const peers = `http://127.0.0.1:${peer}`
    this.#run('etcd', [
      '--data-dir',
      join(dir, 'etcd'),
      '--listen-client-urls',
      etcd,
      '--advertise-client-urls',
      etcd,
      '--listen-peer-urls',
      peers,
      '--initial-advertise-peer-urls',
      peers,
      '--initial-cluster',
      `default=${peers}`,
      '--log-level',
      'error',
    ])
    const plugins =
      'ServiceAccount,DefaultTolerationSeconds,LimitRanger,ResourceQuota,Priority,TaintNodesByCondition,' +
      'StorageObjectInUseProtection,RuntimeClass,PodSecurity,DefaultStorageClass,DefaultIngressClass,PodTopologyLabels,NodeDeclaredFeatureValidator'
    this.#run('kube-apiserver', [
      `--etcd-servers=${etcd}`,
      `--secure-port=${secure}`,
      '--bind-address=127.0.0.1',
      `--cert-dir=${dir}/served`,
      `--client-ca-file=${dir}/ca.crt`,
      `--service-account-key-file=${dir}/sa.pub`,
      `--service-account-signing-key-file=${dir}/sa.key`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=RBAC',
      '--allow-privileged=true',
      `--disable-admission-plugins=${plugins}`,
    ])
    this.#origin = `https://127.0.0.1:${secure}`
    this.#agent = new Agent({
      connect: {
        rejectUnauthorized: false,
        cert: readFileSync(join(dir, 'admin.crt')),
        key: readFileSync(join(dir, 'admin.key')),
      },
    })
    for (let i = 0; i < 300; i++) {
      const ready = await this.call('GET', '/readyz').catch(() => undefined)
      const namespace = ready?.code === 200 ? await this.call('GET', '/api/v1/namespaces/default') : undefined
      if (namespace?.code === 200) return
      await sleep(200)
    }
    throw new Error('kube-apiserver did not become ready')
  }

  #run(program: string, args: readonly string[]): void {
    const child = spawn(join(bin, program), args, { stdio: 'ignore', cwd: this.#dir })
    this.#children.push(child)
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    type = 'application/json',
  ): Promise<{ code: number; body: Value }> {
    const response = await fetch(this.#origin + path, {
      method,
      dispatcher: this.#agent,
      headers: { 'content-type': type },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await response.text()
    let parsed: unknown = text
    try {
      parsed = JSON.parse(text)
    } catch {
      // Health endpoints answer plain text.
    }
    return { code: response.status, body: isValue(parsed) ? parsed : { text } }
  }

  async stop(): Promise<void> {
    const ended = this.#children.map((child) => new Promise((done) => child.once('exit', done)))
    for (const child of this.#children) child.kill('SIGTERM')
    await Promise.race([Promise.all(ended), sleep(5000)])
    for (const child of this.#children) child.kill('SIGKILL')
    await this.#agent.close()
    rmSync(this.#dir, { recursive: true, force: true })
  }
}

async function answer(plane: ControlPlane, file: CaseFile, c: Case): Promise<Value> {
  const query = '?dryRun=All&fieldValidation=Ignore'
  if (c.old === undefined) {
    const object = merge(file.base, c.patch ?? {})
    const got = await plane.call('POST', file.path + query, object)
    return { name: c.name, object, code: got.code, answer: stable(got.body) }
  }
  const created = await plane.call('POST', file.path, merge(file.base, c.old))
  if (created.code !== 201) throw new Error(`${c.name}: old: ${JSON.stringify(created.body)}`)
  const metadata = created.body['metadata']
  const name = isValue(metadata) ? String(metadata['name']) : ''
  const own = `${file.path}/${name}`
  try {
    let stored = created.body
    if (c.oldStatus !== undefined) {
      const patched = await plane.call(
        'PATCH',
        `${own}/status`,
        { status: c.oldStatus },
        'application/merge-patch+json',
      )
      if (patched.code !== 200) throw new Error(`${c.name}: oldStatus: ${JSON.stringify(patched.body)}`)
      stored = patched.body
    }
    const target = c.subresource === undefined ? own : `${own}/${c.subresource}`
    let object: unknown
    let got: { code: number; body: Value }
    // Controllers inside the server may have written in between.
    for (let tries = 0; ; tries++) {
      object = c.post === true ? c.patch : merge(stored, c.patch ?? {})
      got = await plane.call(c.post === true ? 'POST' : 'PUT', target + query, object)
      if (got.code !== 409 || tries === 5) break
      await sleep(300)
      stored = (await plane.call('GET', own)).body
    }
    const sent = isValue(object) ? stable(object) : object
    const of = c.subresource === undefined ? {} : { subresource: c.subresource }
    return { name: c.name, ...of, old: stable(stored), object: sent, code: got.code, answer: stable(got.body) }
  } finally {
    await plane.call('DELETE', own, { gracePeriodSeconds: 0, propagationPolicy: 'Background' })
  }
}

const wanted = process.argv.slice(2)
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .filter((name) => wanted.length === 0 || wanted.includes(basename(name, '.yaml')))

const plane = new ControlPlane()
try {
  await plane.start()
  for (const name of files) {
    const file = load(readFileSync(join(folder, name), 'utf8')) as CaseFile
    const out: Value[] = []
    for (const c of file.cases) {
      try {
        out.push(await answer(plane, file, c))
      } catch (error) {
        console.error(`${name}: ${String(error)}`)
        process.exitCode = 1
      }
    }
    writeFileSync(join(folder, `${basename(name, '.yaml')}.json`), `${JSON.stringify(out, null, 1)}\n`)
    console.log(`${name}: ${out.length} answers`)
  }
} finally {
  await plane.stop()
}
execFileSync(join(import.meta.dirname, '..', 'node_modules', '.bin', 'oxfmt'), [folder])
