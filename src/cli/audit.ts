/** The audit options of commands that run a cluster: kube-apiserver's, by the same names. */
import { readFileSync } from 'node:fs'
import type { AuditLog } from '../apiserver/audit/log.ts'
import type { AuditPolicy } from '../apiserver/audit/policy.ts'
import type { Log } from '../controllers/contract.ts'
import { integer, text, type Command, type Input } from './command.ts'
import { CliError, exitCodes } from './errors.ts'

export const auditOptions: Command['options'] = {
  'audit-policy-file': { type: 'string', value: 'FILE', description: 'which requests are logged (audit.k8s.io/v1)' },
  'audit-log-path': { type: 'string', value: 'FILE', description: 'where they are logged; - for standard output' },
  'audit-log-maxsize': { type: 'string', value: 'MIB', description: 'size of a log file', default: '100' },
  'audit-log-maxage': {
    type: 'string',
    value: 'DAYS',
    description: 'how long old files are kept',
    default: 'for ever',
  },
  'audit-log-maxbackup': { type: 'string', value: 'N', description: 'how many old files are kept', default: 'all' },
}

/** What the options ask for; undefined: no audit. @throws CliError */
export async function auditOf(
  input: Input,
  log: Log,
): Promise<{ readonly policy: AuditPolicy; readonly output: AuditLog } | undefined> {
  const file = text(input, 'audit-policy-file')
  const path = text(input, 'audit-log-path')
  if (file === undefined && path === undefined) return undefined
  if (file === undefined || path === undefined)
    throw new CliError('--audit-policy-file and --audit-log-path belong together', exitCodes.usage, 'Give both.')
  const [{ readAuditPolicy, AuditPolicyError }, { AuditLog }] = await Promise.all([
    import('../apiserver/audit/policy.ts'),
    import('../apiserver/audit/log.ts'),
  ])
  const maxSize = integer(input, 'audit-log-maxsize', 0, 1_000_000)
  const maxAge = integer(input, 'audit-log-maxage', 0, 100_000)
  const maxBackup = integer(input, 'audit-log-maxbackup', 0, 100_000)
  try {
    const policy = readAuditPolicy(readFileSync(file, 'utf8'))
    const output = new AuditLog({
      path,
      ...(maxSize !== undefined && { maxSize }),
      ...(maxAge !== undefined && { maxAge }),
      ...(maxBackup !== undefined && { maxBackup }),
      onError: (error) => log.error('the audit log cannot be written', { path, error: String(error) }),
    })
    return { policy, output }
  } catch (error) {
    if (!(error instanceof AuditPolicyError) && (error as NodeJS.ErrnoException).code === undefined) throw error
    throw new CliError(`cannot read the audit policy ${file}: ${(error as Error).message}`, exitCodes.usage)
  }
}
