/** Upstream's end-to-end suite, run against one server. */
import { spawn } from 'node:child_process'
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Kubectl } from '../support/kubectl.ts'
import { kubernetesDir } from '../support/kubernetes.ts'
import { end, Tenantry } from '../support/tenantry.ts'
import { focusOf } from './list.ts'
import { parseReport, type Result } from './report.ts'

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

/**
 * Runs tests to their end.
 * @throws Error when the suite ends without a report; it tells the end of the log
 */
export async function runSuite(options: SuiteOptions): Promise<Result[]> {
  const { names, kubeconfig, dir, procs } = options
  const programs = kubernetesDir()
  const home = join(dir, 'home')
  mkdirSync(home, { recursive: true })
  const log = join(dir, 'log.txt')
  const report = join(dir, 'report.json')
  const args = [
    `--procs=${procs}`, '--no-color', '--silence-skips', '-v', `--timeout=${options.minutes ?? 60}m`, '--json-report=report.json',
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
  })
  const forward = (signal: NodeJS.Signals) => child.kill(signal)
  process.on('SIGTERM', forward)
  const written = [child.stdout, child.stderr].map((stream) => pipeline(stream, createWriteStream(log, { flags: 'a' })))
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => resolve())
  })
  await Promise.all(written)
  process.off('SIGTERM', forward)
  if (existsSync(report)) return parseReport(readFileSync(report, 'utf8'))
  throw new Error(`ginkgo wrote no report:\n${readFileSync(log, 'utf8').slice(-3000)}`)
}

/** An embedded cluster in its own process, in memory, with one Node object and nothing that runs pods. */
export async function startEmbedded(dir: string): Promise<{ kubeconfig: string } & AsyncDisposable> {
  mkdirSync(dir, { recursive: true })
  const kubeconfig = join(dir, 'kubeconfig')
  const tenantry = new Tenantry()
  const { child } = await tenantry.start(`cluster --store memory --nodes 0 --write-kubeconfig ${kubeconfig}`)
  let errors = ''
  child.stderr!.on('data', (piece: Buffer) => (errors += piece.toString()))
  const dispose = async () => {
    if (child.exitCode !== null || child.signalCode !== null)
      process.stderr.write(`conformance: the server ended by itself with ${child.signalCode ?? child.exitCode}\n`)
    else await end(child, 'SIGTERM')
    writeFileSync(join(dir, 'server.txt'), errors)
    tenantry[Symbol.dispose]()
  }
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
