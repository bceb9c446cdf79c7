/** The `tenantry` command: finds the command, reads its words, turns failures into a sentence and an exit code. */
import { read, type Command } from './command.ts'
import { CliError, exitCodes, explain } from './errors.ts'
import { help, overview } from './help.ts'

/** Each command is loaded when it is used. */
const commands: Record<string, () => Promise<{ command: Command }>> = {
  up: () => import('./commands/up.ts'),
  demo: () => import('./commands/demo.ts'),
  create: () => import('./commands/create.ts'),
  list: () => import('./commands/list.ts'),
  status: () => import('./commands/status.ts'),
  connect: () => import('./commands/connect.ts'),
  delete: () => import('./commands/delete.ts'),
  cluster: () => import('./commands/cluster.ts'),
  manager: () => import('./commands/manager.ts'),
  nodes: () => import('./commands/nodes.ts'),
  version: () => import('./commands/version.ts'),
}

async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    const about = rest[0] === undefined ? undefined : commands[rest[0]]
    if (about !== undefined) process.stdout.write(help((await about()).command))
    else
      process.stdout.write(
        overview(await Promise.all(Object.values(commands).map(async (load) => (await load()).command))),
      )
    return name === undefined ? exitCodes.usage : exitCodes.ok
  }
  const load = name === '--version' ? commands['version']! : Object.hasOwn(commands, name) ? commands[name]! : undefined
  if (load === undefined) throw new CliError(`there is no command "${name}"`, exitCodes.usage, 'See "tenantry help".')
  const { command } = await load()
  const input = read(command, rest)
  if (input.options['help'] === true) {
    process.stdout.write(help(command))
    return exitCodes.ok
  }
  return command.run(input)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  const { message, hint, code } = explain(error, 'tenantry')
  process.stderr.write(`tenantry: ${message}${hint === undefined ? '' : `\n${hint}`}\n`)
  process.exitCode = code
}
