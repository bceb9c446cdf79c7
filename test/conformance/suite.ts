/** Upstream's end-to-end suite, run against one server. */
import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Kubectl } from '../support/kubectl.ts'
import { kubernetesDir } from '../support/kubernetes.ts'
import { end, Tenantry } from '../support/tenantry.ts'
import { focusOf } from './list.ts'
import { parseLog, parseReport, type Result } from './report.ts'

export interface SuiteOptions {
  /** Full names of the tests. */
  readonly names: readonly string[]
  /** File of the server's admin kubeconfig. */
  readonly kubeconfig: string
  /** Where report and log go. */
  readonly dir: string
  /** Processes that run tests at the same time. */
  readonly procs: number
  /** Minutes until the suite is interrupted. @default 60 */
  readonly minutes?: number
}

/** The programs that the suite needs and that are not built. */
export function missingPrograms(): string[] {
  return ['e2e.test', 'ginkgo', 'kubectl'].filter((name) => !existsSync(join(kubernetesDir(), name)))
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
/** Milliseconds that an interrupted suite may take to end by itself. */
const GRACE = 60_000

/**
 * Runs tests to their end, or to the end of their time: then the results are of those that have finished.
 * @throws Error when nothing was run; it tells the end of the log
 */
export async function runSuite(options: SuiteOptions): Promise<Result[]> {
  const { names, kubeconfig, dir, procs } = options
  const programs = kubernetesDir()
  const home = join(dir, 'home')
  mkdirSync(home, { recursive: true })
  const log = join(dir, 'log.txt')
  const report = join(dir, 'report.json')
  const minutes = options.minutes ?? 60
  const args = [
    `--procs=${procs}`, '--no-color', '--silence-skips', '-v', `--timeout=${minutes}m`, '--json-report=report.json',
    `--output-dir=${dir}`, `--focus=${focusOf(names)}`, join(programs, 'e2e.test'), '--', '--provider=skeleton',
    `--kubeconfig=${kubeconfig}`, `--kubectl-path=${join(programs, 'kubectl')}`, '--disable-log-dump=true', '--dump-logs-on-failure=false',
    // The suite starts without a schedulable node: it neither waits for nodes and their pods nor counts them.
    '--allowed-not-ready-nodes=-1', '--num-nodes=0', '--minStartupPods=-1',
  ] // prettier-ignore
  // kubectl caches discovery under HOME by address, and an address is soon another server's.
  const child = spawn(join(programs, 'ginkgo'), args, {
    cwd: dir,
    env: { ...process.env, HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  // Tests that ignore an interruption would keep their processes for ever.
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), minutes * 60_000 + GRACE)
  const forward = () => process.kill(-child.pid!, 'SIGKILL')
  for (const signal of SIGNALS) process.on(signal, forward)
  const written = [child.stdout, child.stderr].map((stream) => pipeline(stream, createWriteStream(log, { flags: 'a' })))
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve())
  })
  await Promise.all(written)
  for (const signal of SIGNALS) process.off(signal, forward)
  clearTimeout(timer)
  if (existsSync(report)) return parseReport(readFileSync(report, 'utf8'))
  const text = readFileSync(log, 'utf8')
  const results = parseLog(text)
  if (results.length === 0) throw new Error(`ginkgo ran nothing:\n${text.slice(-3000)}`)
  return results
}

/**
 * Where the server listens: Endpoints may not hold loopback addresses, so that it must be another one for the service
 * `kubernetes` to have endpoints.
 */
function listenAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1'
}

/**
 * An embedded cluster in its own process, in memory, with simulated nodes; without any, with one Node object and nothing
 * that runs pods.
 */
export async function startEmbedded(dir: string, nodes: number): Promise<{ kubeconfig: string } & AsyncDisposable> {
  mkdirSync(dir, { recursive: true })
  const kubeconfig = join(dir, 'kubeconfig')
  const tenantry = new Tenantry()
  const { child } = await tenantry.start(
    `cluster --store memory --nodes ${nodes} --address ${listenAddress()} --write-kubeconfig ${kubeconfig}`,
  )
  let errors = ''
  child.stderr!.on('data', (piece: Buffer) => (errors += piece.toString()))
  const dispose = async () => {
    if (child.exitCode !== null || child.signalCode !== null)
      process.stderr.write(`conformance: the server ended by itself with ${child.signalCode ?? child.exitCode}\n`)
    else await end(child, 'SIGTERM')
    writeFileSync(join(dir, 'server.txt'), errors)
    tenantry[Symbol.dispose]()
  }
  if (nodes > 0) return { kubeconfig, [Symbol.asyncDispose]: dispose }
  try {
    using kubectl = new Kubectl(join(kubernetesDir(), 'kubectl'), readFileSync(kubeconfig, 'utf8'))
    // Tests of VolumeAttachments choose a node by chance; it need not be ready.
    await kubectl.run('create -f -', {
      stdin: JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'bare' } }),
    })
  } catch (error) {
    await dispose()
    throw error
  }
  return { kubeconfig, [Symbol.asyncDispose]: dispose }
}
