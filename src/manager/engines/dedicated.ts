/** Virtual clusters in processes of their own: one `tenantry cluster` each, with its own data directory. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { getCompileCacheDir } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Address } from '../../apiserver/dial/contract.ts'
import { SENSITIVE, type ReachOptions } from '../../apiserver/dial/reach.ts'
import { HttpsClient } from '../../client/https.ts'
import { parseKubeconfig } from '../../client/kubeconfig.ts'
import type { Elsewhere } from '../../apiserver/connect/elsewhere.ts'
import type { LogSource } from '../../apiserver/connect/logs.ts'
import type { Connection } from '../../client/connection.ts'
import { ownFile } from '../../machinery/own-file.ts'
import type { ControlPlane, ControlPlaneSpec, Engine } from '../contract.ts'
import { openGate, type Gate, type GateOptions } from '../gate.ts'
import { RunningPlanes } from './running.ts'

export interface DedicatedOptions {
  /** Holds one directory for each cluster, named by its uid. */
  readonly dataDir: string
  /** Directory of the audit logs of clusters that have an audit policy. */
  readonly auditDir: string
  /** Where control planes listen. @default '127.0.0.1' */
  readonly address?: string
  /** 'memory' forgets with the process. @default 'sqlite' */
  readonly store?: 'sqlite' | 'memory'
  /** Logs of a tenant's pods, by the virtual cluster's uid. */
  logs(uid: string): LogSource
  /** Connections into a tenant's pods, and where its Services answer, by the virtual cluster's uid. */
  connections(uid: string): Elsewhere
  /** Milliseconds since the epoch. */
  now(): number
  /** Addresses that tenants' API servers may call. @default see PackedOptions */
  readonly reach?: ReachOptions
  /** Called when a child ends that should not. */
  readonly onExit?: (uid: string, reason: string) => void
}

interface Running {
  readonly child: ChildProcess
  readonly plane: ControlPlane
}

/** A uid as Kubernetes makes them: nothing else becomes a path. */
const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const START_LIMIT = 30_000
/** A process for one tenant should be small: little room for young objects, and a collection once it has started. */
const SMALL = ['--max-semi-space-size=2', '--expose-gc']

export class DedicatedEngine implements Engine {
  readonly #options: DedicatedOptions
  readonly #planes: RunningPlanes<Running>
  #closed = false

  constructor(options: DedicatedOptions) {
    this.#options = options
    this.#planes = new RunningPlanes((spec) => this.#start(spec), stop)
  }

  ensure(spec: ControlPlaneSpec): Promise<ControlPlane> {
    return this.#planes.ensure(spec)
  }

  /** A process reads its configuration when it starts. */
  async configure({ uid }: ControlPlaneSpec): Promise<boolean> {
    await this.#planes.stop(uid)
    return false
  }

  async remove(uid: string): Promise<void> {
    await this.#planes.stop(uid)
    rmSync(this.#dir(uid), { recursive: true, force: true })
  }

  close(): Promise<void> {
    this.#closed = true
    return this.#planes.stopAll()
  }

  #dir(uid: string): string {
    if (!UID.test(uid)) throw new Error(`"${uid}" is not a uid`)
    return join(this.#options.dataDir, uid)
  }

  async #start(spec: ControlPlaneSpec): Promise<Running> {
    const dir = this.#dir(spec.uid)
    mkdirSync(dir, { recursive: true, mode: 0o700 })
    const kubeconfig = join(dir, 'kubeconfig')
    const main = fileURLToPath(ownFile(import.meta.url, 'cli/main'))
    const args = [
      'cluster',
      '--role',
      'virtual',
      '--data-dir',
      dir,
      '--nodes',
      '0',
      '--store',
      this.#options.store ?? 'sqlite',
      '--write-kubeconfig',
      kubeconfig,
      '--name',
      spec.name,
    ]
    if (spec.authentication !== undefined) {
      const file = join(dir, 'authentication.json')
      const head = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration' }
      writeFileSync(file, JSON.stringify({ ...head, ...spec.authentication.config }), { mode: 0o600 })
      args.push('--authentication-config', file)
    }
    if (spec.audit !== undefined) {
      const file = join(dir, 'audit-policy.json')
      writeFileSync(file, JSON.stringify(spec.audit), { mode: 0o600 })
      const path = join(this.#options.auditDir, `${spec.namespace}.${spec.name}.log`)
      args.push('--audit-policy-file', file, '--audit-log-path', path, '--audit-log-maxbackup', '10')
    }
    if (this.#options.address !== undefined) args.push('--address', this.#options.address)
    args.push(...reachArguments(this.#options.reach ?? {}))
    // The channel is the child's leash too: however this process ends, the child sees it close.
    const env = {
      ...process.env,
      NODE_COMPILE_CACHE: getCompileCacheDir() ?? join(this.#options.dataDir, 'compile-cache'),
    }
    const child = spawn(process.execPath, [...SMALL, main, ...args], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      env,
    })
    const { logs, connections, now } = this.#options
    const questions = new Questions({ logs: logs(spec.uid), connections: connections(spec.uid), now })
    questions.follow(child)
    child.once('exit', () => void questions.close())
    await ready(child)
    const text = readFileSync(kubeconfig, 'utf8')
    const config = parseKubeconfig(text)
    const url = new URL(config.server)
    const client = new HttpsClient(config)
    const plane = { endpoint: { host: url.hostname, port: Number(url.port) }, kubeconfig: text, client, admin: client }
    child.once('exit', (code, signal) => {
      if (this.#closed || !this.#planes.forget(spec.uid)) return
      this.#options.onExit?.(spec.uid, `its process ended with ${signal ?? code}`)
    })
    return { child, plane }
  }
}

async function stop({ child, plane }: Running): Promise<void> {
  await plane.client.close()
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
  await ended
  clearTimeout(timer)
}

/** Resolves with the child's first line on standard output, which says that it is ready. */
async function ready(child: ChildProcess): Promise<void> {
  const lines = createInterface({ input: child.stdout! })
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`the process is not ready after ${START_LIMIT / 1000} s`)), START_LIMIT)
      lines.once('line', () => resolve())
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        reject(new Error(`the process ended with ${signal ?? code} before it was ready`)),
      )
    })
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  } finally {
    clearTimeout(timer)
    lines.close()
    child.stdout!.resume()
  }
}

function reachArguments({ allowed = [], denied = [] }: ReachOptions): string[] {
  const more = denied.filter((range) => !SENSITIVE.includes(range))
  return [
    ...(allowed.length === 0 ? [] : ['--allow-calls', allowed.join(',')]),
    ...(more.length === 0 ? [] : ['--deny-calls', more.join(',')]),
  ]
}

/** What a child asks over the channel, and what it gets. */
export type Question =
  | { readonly service: { readonly namespace: string; readonly name: string; readonly port: number } }
  /** The first address of a pod. */
  | { readonly pod: { readonly namespace: string; readonly name: string } }
  /** The way into pods. */
  | { readonly gate: true }

export interface Answer {
  readonly address?: Address
  readonly ip?: string
  readonly gate?: Connection
  /** Why there is none. */
  readonly error?: string
}

/** The end of one child's channel. */
class Questions {
  readonly #options: GateOptions
  #gate: Promise<Gate> | undefined

  constructor(options: GateOptions) {
    this.#options = options
  }

  follow(child: ChildProcess): void {
    child.on('message', (message) => {
      const question = message as Question & { readonly id: number }
      void this.#answer(question)
        .catch((error: unknown): Answer => ({ error: error instanceof Error ? error.message : String(error) }))
        .then((answer) => child.connected && child.send({ id: question.id, ...answer }))
    })
  }

  async #answer(question: Question): Promise<Answer> {
    const { connections } = this.#options
    if ('service' in question) {
      const { namespace, name, port } = question.service
      return { address: await connections.services.resolve(namespace, name, port) }
    }
    if ('pod' in question) return { ip: await connections.address({ metadata: question.pod }) }
    // Opened when the first one wants in; one that cannot be opened is tried again.
    this.#gate ??= openGate(this.#options).catch((error: unknown) => {
      this.#gate = undefined
      throw error
    })
    return { gate: (await this.#gate).connection }
  }

  async close(): Promise<void> {
    const gate = await this.#gate?.catch(() => undefined)
    await gate?.close()
  }
}
