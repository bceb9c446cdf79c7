/** What a command ends with when it fails: a sentence for a person and an exit code for a script. */
import { StatusError } from '../machinery/status.ts'

/** Exit codes, as `tenantry help` documents them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  timeout: 4,
  unreachable: 5,
} as const

export class CliError extends Error {
  readonly code: number
  /** What to do about it, a sentence of its own. */
  readonly hint: string | undefined

  constructor(message: string, code: number = exitCodes.failed, hint?: string) {
    super(message)
    this.name = 'CliError'
    this.code = code
    this.hint = hint
  }
}

/** Any error as a CliError. `doing` says what was tried, on which object: `cannot create virtual cluster "a"`. */
export function explain(error: unknown, doing: string): CliError {
  if (error instanceof CliError) return error
  if (error instanceof StatusError) {
    const code = error.reason === 'NotFound' ? exitCodes.notFound : exitCodes.failed
    return new CliError(`${doing}: ${error.message}`, code)
  }
  const cause = error as { code?: string; message?: string; cause?: { code?: string; message?: string } }
  const network = cause.code ?? cause.cause?.code
  if (network === 'ECONNREFUSED' || network === 'ENOTFOUND' || network === 'ETIMEDOUT' || network === 'EHOSTUNREACH') {
    return new CliError(
      `${doing}: the host cluster does not answer (${cause.cause?.message ?? cause.message})`,
      exitCodes.unreachable,
      'Start one with "tenantry up", or name another with --kubeconfig FILE.',
    )
  }
  return new CliError(`${doing}: ${cause.message ?? String(error)}`)
}
