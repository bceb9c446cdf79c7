/** Help texts. */
import type { Command } from './command.ts'

export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((c) => c.name.length))
  return `tenantry: a Kubernetes cluster for every tenant, on one cluster's nodes

Usage: tenantry COMMAND [OPTIONS]

Commands:
${commands.map((c) => `  ${c.name.padEnd(width)}  ${c.summary}`).join('\n')}

Try it:
  tenantry up                          an embedded host cluster, here and now
  tenantry create team-a               a virtual cluster on it
  tenantry connect team-a -- kubectl get namespaces

"tenantry help COMMAND" tells more.

Exit codes: 0 done · 1 failed · 2 wrong usage · 3 no such object · 4 timed out · 5 host cluster does not answer
`
}

export function help(command: Command): string {
  const rows = Object.entries(command.options).map(([name, option]) => {
    const flag = `${option.short === undefined ? '    ' : `-${option.short}, `}--${name}${option.value === undefined ? '' : ` ${option.value}`}`
    return [
      flag,
      `${option.description}${option.default === undefined ? '' : ` (default: ${option.default})`}`,
    ] as const
  })
  const width = Math.max(0, ...rows.map(([flag]) => flag.length))
  const options =
    rows.length === 0
      ? ''
      : `\nOptions:\n${rows.map(([flag, description]) => `  ${flag.padEnd(width)}  ${description}`).join('\n')}\n`
  const examples =
    command.examples.length === 0 ? '' : `\nExamples:\n${command.examples.map((e) => `  ${e}`).join('\n')}\n`
  return `${command.summary[0]!.toUpperCase()}${command.summary.slice(1)}.\n\nUsage: tenantry ${command.usage}\n${options}${examples}`
}
