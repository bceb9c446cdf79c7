import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeContext } from '../../client/kubeconfig.ts'
import { hostOptions, text, type Command } from '../command.ts'
import { CliError, exitCodes, explain } from '../errors.ts'
import { openHost } from '../host.ts'
import { say } from '../output.ts'
import { userKubeconfig } from '../paths.ts'
import { getVirtualCluster, kubeconfigOf, namespaceOf } from '../virtual-clusters.ts'

export const command: Command = {
  name: 'connect',
  summary: 'merge a context for a virtual cluster into your kubeconfig, or run one command in it',
  usage: 'connect NAME [OPTIONS] [-- COMMAND [ARG …]]',
  options: {
    ...hostOptions,
    print: { type: 'boolean', description: 'write the kubeconfig to standard output instead' },
    context: { type: 'string', value: 'NAME', description: 'name of the context', default: 'tenantry-NAME' },
  },
  words: [1, 1],
  passes: true,
  examples: [
    'tenantry connect team-a',
    'tenantry connect team-a -- kubectl get namespaces',
    'tenantry connect team-a --print > team-a.kubeconfig',
  ],

  async run(input) {
    const name = input.words[0]!
    let kubeconfig: string
    {
      await using host = await openHost(input)
      try {
        kubeconfig = await kubeconfigOf(host.client, await getVirtualCluster(host.client, namespaceOf(input), name))
      } catch (error) {
        throw explain(error, `cannot connect to virtual cluster "${name}"`)
      }
    }
    if (input.rest.length > 0) return runIn(kubeconfig, input.rest)
    if (input.options['print'] === true) {
      process.stdout.write(kubeconfig)
      return exitCodes.ok
    }
    const context = text(input, 'context') ?? `tenantry-${name}`
    const file = userKubeconfig()
    await mergeContext(file, context, kubeconfig)
    say(`context "${context}" is in ${file} and is the current one`)
    return exitCodes.ok
  },
}

/** Runs a command whose KUBECONFIG is the virtual cluster's. Answers its exit code. */
async function runIn(kubeconfig: string, [program, ...args]: readonly string[]): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-connect-'))
  try {
    const file = join(dir, 'kubeconfig')
    writeFileSync(file, kubeconfig, { mode: 0o600 })
    const child = spawn(program!, args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG: file } })
    // Ctrl-C goes to the whole group; what it means is the command's matter.
    const ignore = () => {}
    process.on('SIGINT', ignore)
    return await new Promise<number>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) =>
        reject(error.code === 'ENOENT' ? new CliError(`there is no program "${program!}" on PATH`, 127) : error),
      )
      child.on('exit', (code, signal) => resolve(signal === null ? code! : 128))
    }).finally(() => process.off('SIGINT', ignore))
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
