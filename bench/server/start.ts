/** The servers that benchmarks compare, as processes of their own without controllers. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startControlPlane } from '../../test/support/control-plane.ts'
import { kubernetesDir } from '../../test/support/kubernetes.ts'
import { Session } from '../../test/support/session.ts'

/** A real kube-apiserver with etcd, or the embedded server on one of its stores. */
export type Who = 'real' | 'sqlite' | 'memory'

export interface Server extends AsyncDisposable {
  readonly kubeconfig: string
  /** Milliseconds from the start of the process until it answers. */
  readonly readyAfter: number
  readonly pids: readonly number[]
}

/** Builds what the embedded server is started from. */
export function build(): void {
  const script = join(import.meta.dirname, '../../scripts/build.ts')
  const built = spawnSync(process.execPath, [script], { stdio: 'inherit' })
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
  const started = performance.now()
  const args = [...flags, join(import.meta.dirname, 'embedded.js'), store, dir, join(tmpdir(), 'tenantry-bench-cache')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const kubeconfig = await firstLine(child)
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

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout!.on('data', (piece: Buffer) => {
      text += piece.toString()
      if (text.includes('\n')) resolve((JSON.parse(text) as { kubeconfig: string }).kubeconfig)
    })
    child.once('exit', (code) => reject(new Error(`the embedded server ended with ${String(code)}`)))
  })
}
