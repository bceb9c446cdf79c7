import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { jsonLog } from '../../cluster/log.ts'
import { integer, text, type Command, type Input } from '../command.ts'
import { CliError, exitCodes } from '../errors.ts'
import { say } from '../output.ts'
import { defaultDataDir } from '../paths.ts'
import { reachOf, reachOptions } from '../reach.ts'
import { interrupted } from '../signals.ts'
import { readState, removeState, writeState } from '../state.ts'
import type { LocalHost } from '../../manager/local.ts'

/** Options of commands that run clusters in this process. */
export const runOptions: Command['options'] = {
  'data-dir': { type: 'string', value: 'DIR', description: 'where state is kept', default: '~/.local/share/tenantry' },
  port: {
    type: 'string',
    value: 'N',
    description: "port of the host's API server",
    default: 'a free one, the same after a restart',
  },
  nodes: { type: 'string', value: 'N', description: 'simulated nodes', default: '3' },
  store: {
    type: 'string',
    value: 'KIND',
    description: 'sqlite (kept) or memory',
    default: 'sqlite',
    choices: ['sqlite', 'memory'],
  },
}

export const command: Command = {
  name: 'up',
  summary: 'run an embedded host cluster with simulated nodes, and the manager, in the foreground',
  usage: 'up [OPTIONS]',
  options: { ...runOptions, ...reachOptions },
  words: [0, 0],
  examples: ['tenantry up', 'tenantry up --nodes 10 --store memory', 'tenantry up --data-dir ./data --port 7443'],

  async run(input) {
    const { ready, stop } = await startUp(input)
    process.stdout.write(`${ready}\n`)
    await interrupted()
    say('stopping …')
    await stop()
    return exitCodes.ok
  },
}

export interface Up {
  readonly local: LocalHost
  readonly dataDir: string
  /** Admin kubeconfig file of the host. */
  readonly kubeconfig: string
  /** The line that says that it runs. */
  readonly ready: string
  stop(): Promise<void>
}

/** Starts what `up` runs and tells other commands of it. */
export async function startUp(
  input: Input,
  dataDir = resolve(text(input, 'data-dir') ?? defaultDataDir()),
): Promise<Up> {
  const port = integer(input, 'port', 0, 65_535)
  const nodes = integer(input, 'nodes', 0, 10_000)
  const store = (text(input, 'store') ?? 'sqlite') as 'sqlite' | 'memory'
  const other = readState(dataDir)
  if (other !== undefined && other.dataDir === dataDir && other.pid !== process.pid) {
    throw new CliError(
      `"tenantry up" runs already in ${dataDir} (process ${other.pid})`,
      exitCodes.failed,
      'Use it, or give another directory with --data-dir.',
    )
  }
  const { LocalHost } = await import('../../manager/local.ts')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const log = jsonLog((line) => process.stderr.write(line), 'warn')
  let local: LocalHost
  try {
    local = await LocalHost.start({
      log,
      dataDir,
      store,
      reach: reachOf(input),
      ...(port !== undefined && { port }),
      ...(nodes !== undefined && { nodes }),
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new CliError(
      `port ${port ?? 0} is taken`,
      exitCodes.failed,
      'Give another one with --port, or none to get a free one.',
    )
  }
  const kubeconfig = join(dataDir, 'host.kubeconfig')
  writeFileSync(kubeconfig, local.cluster.kubeconfig, { mode: 0o600 })
  const state = { pid: process.pid, dataDir, kubeconfig, endpoint: local.cluster.url }
  writeState(state)
  return {
    local,
    dataDir,
    kubeconfig,
    ready: `tenantry is ready: host ${local.cluster.url}, kubeconfig ${kubeconfig}`,
    async stop() {
      removeState(state)
      await local[Symbol.asyncDispose]()
    },
  }
}
