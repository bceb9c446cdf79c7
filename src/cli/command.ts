/** What a command is, and how its words are read. */
import { parseArgs } from 'node:util'
import { CliError, exitCodes } from './errors.ts'

export interface Option {
  readonly type: 'string' | 'boolean'
  /** Shown in help after the name: `FILE`. */
  readonly value?: string
  readonly short?: string
  readonly description: string
  /** Text of the default, for help. */
  readonly default?: string
  /** Allowed values. */
  readonly choices?: readonly string[]
}

export interface Command {
  readonly name: string
  readonly summary: string
  /** `create NAME` */
  readonly usage: string
  readonly options: Readonly<Record<string, Option>>
  /** Number of words it takes: least and most. */
  readonly words: readonly [number, number]
  readonly examples: readonly string[]
  /** Takes what stands behind `--`. */
  readonly passes?: boolean
  run(input: Input): Promise<number>
}

export interface Input {
  readonly words: readonly string[]
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  /** What stands behind `--`. */
  readonly rest: readonly string[]
}

/** The options of commands that talk to a host cluster. */
export const hostOptions: Readonly<Record<string, Option>> = {
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    description: 'the host cluster',
    default: 'a running "tenantry up", else the current kubeconfig',
  },
  'data-dir': { type: 'string', value: 'DIR', description: 'the data directory of a running "tenantry up"' },
  namespace: {
    type: 'string',
    short: 'n',
    value: 'NAME',
    description: 'namespace of the VirtualCluster on the host',
    default: 'tenantry',
  },
}

export const outputOption: Readonly<Record<string, Option>> = {
  output: {
    type: 'string',
    short: 'o',
    value: 'FORMAT',
    description: 'table, json or yaml',
    default: 'table',
    choices: ['table', 'json', 'yaml'],
  },
}

/**
 * Reads a command's words.
 *
 * @throws CliError with the usage exit code
 */
export function read(command: Command, args: readonly string[]): Input {
  const split = args.indexOf('--')
  const own = split < 0 ? args : args.slice(0, split)
  const rest = split < 0 ? [] : args.slice(split + 1)
  const hint = `See "tenantry help ${command.name}".`
  if (rest.length > 0 && command.passes !== true)
    throw new CliError(`"${command.name}" takes nothing behind "--"`, exitCodes.usage, hint)
  const options = Object.fromEntries(
    Object.entries({ ...command.options, help: { type: 'boolean' as const, short: 'h', description: '' } }).map(
      ([name, option]) => [name, { type: option.type, ...(option.short !== undefined && { short: option.short }) }],
    ),
  )
  let parsed
  try {
    parsed = parseArgs({ args: [...own], options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new CliError((error as Error).message.split('. To specify')[0]!.replace(/\.$/, ''), exitCodes.usage, hint)
  }
  const [least, most] = command.words
  if (parsed.values['help'] !== true && (parsed.positionals.length < least || parsed.positionals.length > most)) {
    throw new CliError(`usage: tenantry ${command.usage}`, exitCodes.usage, hint)
  }
  for (const [name, option] of Object.entries(command.options)) {
    const value = parsed.values[name]
    if (option.choices !== undefined && value !== undefined && !option.choices.includes(String(value))) {
      throw new CliError(
        `--${name} is "${String(value)}", it must be one of ${option.choices.join(', ')}`,
        exitCodes.usage,
        hint,
      )
    }
  }
  return { words: parsed.positionals, options: parsed.values as Input['options'], rest }
}

/** A whole number from an option. */
export function integer(input: Input, name: string, least: number, most: number): number | undefined {
  const text = input.options[name]
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new CliError(
      `--${name} is "${String(text)}", it must be a whole number from ${least} to ${most}`,
      exitCodes.usage,
    )
  }
  return value
}

export function text(input: Input, name: string): string | undefined {
  return input.options[name] as string | undefined
}
