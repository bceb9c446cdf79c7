/** The servers that benchmarks compare, as processes of their own without controllers. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startControlPlane } from '../../test/support/control-plane.ts'
import { kubernetesDir } from '../../test/support/kubernetes.ts'
import { Session } from '../../test/support/session.ts'

const root = join(import.meta.dirname, '../..')

/** A real kube-apiserver with etcd, or the embedded server on one of its stores. */
export type Who = 'real' | 'sqlite' | 'memory'

export interface Server extends AsyncDisposable {
  readonly kubeconfig: string
  /** Milliseconds from the start of the process until it answers. */
  readonly readyAfter: number
  readonly pids: readonly number[]
}

/** Builds what the embedded server is started from: the published program, as the command line starts it. */
export function build(): void {
  const [run, script] = ['bin/run.js', 'scripts/build.ts'].map((file) => join(root, file))
  const built = spawnSync(process.execPath, [run!, script!], { stdio: 'inherit' })
  if (built.status !== 0) process.exit(1)
}

/** `flags`: more arguments for the embedded server's Node. */
export function startServer(who: Who, flags: readonly string[] = []): Promise<Server> {
  return who === 'real' ? startReal() : startEmbedded(who, flags)
}

async function startReal(): Promise<Server> {
  const plane = await startControlPlane({ programs: kubernetesDir(), controllers: false })
  return {
    kubeconfig: plane.kubeconfig,
    readyAfter: plane.readyAfter,
    pids: Object.values(plane.pids),
    [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose](),
  }
}

async function startEmbedded(store: 'sqlite' | 'memory', flags: readonly string[]): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-bench-server-'))
  const file = join(dir, 'kubeconfig')
  const started = performance.now()
  const command = ['cluster', '--controllers', 'none', '--nodes', '0', '--store', store]
  const args = [...flags, join(root, 'dist/cli/main.js'), ...command, '--data-dir', dir, '--write-kubeconfig', file]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), 'tenantry-bench-cache') },
  })
  await firstLine(child)
  const kubeconfig = readFileSync(file, 'utf8')
  const session = new Session(kubeconfig)
  await session.must('/readyz')
  const readyAfter = performance.now() - started
  session.close()
  return {
    kubeconfig,
    readyAfter,
    pids: [child.pid!],
    async [Symbol.asyncDispose]() {
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** What the command says once it serves. */
function firstLine(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.stdout!.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the embedded server ended with ${String(code)}`)))
  })
}
