/** Options of commands that run control planes of tenants: which addresses their API servers may call. */
import { reach, SENSITIVE, type ReachOptions } from '../apiserver/dial/reach.ts'
import { text, type Command, type Input } from './command.ts'
import { CliError, exitCodes } from './errors.ts'

export const reachOptions: Command['options'] = {
  'allow-calls': {
    type: 'string',
    value: 'CIDR,…',
    description: 'addresses that webhooks and API services of tenants may have, although they are denied',
  },
  'deny-calls': {
    type: 'string',
    value: 'CIDR,…',
    description: 'addresses that they may not have, beside loopback, link-local and metadata services',
  },
}

/** @throws CliError for what is no range */
export function reachOf(input: Input): ReachOptions {
  const list = (name: string) => (text(input, name) ?? '').split(',').filter((range) => range !== '')
  const options = { allowed: list('allow-calls'), denied: [...SENSITIVE, ...list('deny-calls')] }
  try {
    reach(options)
  } catch (error) {
    throw new CliError(
      (error as Error).message,
      exitCodes.usage,
      'Ranges are written as 10.0.0.0/8 and joined by commas.',
    )
  }
  return options
}
