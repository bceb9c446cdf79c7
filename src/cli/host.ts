/** Which host cluster a command acts on. */
import type { Client } from '../client/contract.ts'
import type { Connection } from '../client/connection.ts'
import { HttpsClient } from '../client/https.ts'
import { loadKubeconfig } from '../client/kubeconfig.ts'
import { text, type Input } from './command.ts'
import { CliError, exitCodes } from './errors.ts'
import { say } from './output.ts'
import { readState } from './state.ts'

export interface OpenHost extends AsyncDisposable {
  readonly client: Client
  readonly connection: Connection
  /** `https://127.0.0.1:7443 (tenantry up, /home/me/.local/share/tenantry)` */
  readonly label: string
}

/** `--kubeconfig` or `--data-dir`, else a running `up`, else the current kubeconfig. Says on standard error which it is. */
export async function openHost(input: Input): Promise<OpenHost> {
  const { file, source } = choose(input)
  let config
  try {
    config = await loadKubeconfig(file === undefined ? {} : { path: file })
  } catch (error) {
    throw new CliError(
      `no host cluster: ${(error as Error).message}`,
      exitCodes.unreachable,
      'Start one with "tenantry up", or name one with --kubeconfig FILE.',
    )
  }
  const label = `${config.server} (${source})`
  say(`host: ${label}`)
  const client = new HttpsClient(config)
  return { client, connection: config, label, [Symbol.asyncDispose]: () => client.close() }
}

function choose(input: Input): { file: string | undefined; source: string } {
  const kubeconfig = text(input, 'kubeconfig')
  const dataDir = text(input, 'data-dir')
  if (kubeconfig !== undefined && dataDir !== undefined)
    throw new CliError('--kubeconfig and --data-dir exclude each other', exitCodes.usage)
  if (kubeconfig !== undefined) return { file: kubeconfig, source: kubeconfig }
  const state = readState(dataDir)
  if (state !== undefined) return { file: state.kubeconfig, source: `tenantry up, ${state.dataDir}` }
  if (dataDir !== undefined) {
    throw new CliError(
      `no "tenantry up" runs in ${dataDir}`,
      exitCodes.unreachable,
      `Start it with "tenantry up --data-dir ${dataDir}".`,
    )
  }
  return { file: undefined, source: 'current kubeconfig' }
}
