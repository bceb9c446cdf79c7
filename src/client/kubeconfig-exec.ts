/** `exec` of a user in a kubeconfig: which program gives the credentials. */
import { isAbsolute, join } from 'node:path'
import type { ExecPlugin } from './exec-plugin.ts'
import { KubeconfigError } from './kubeconfig-error.ts'

function stringOf(fields: Record<string, unknown>, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']
const EXEC_CONFIG = 'client.authentication.k8s.io/exec'

/** A command with a separator is a file, relative to its kubeconfig; any other is looked up on PATH. */
export function commandIn(command: string, directory: string): string {
  return /[/\\]/.test(command) && !isAbsolute(command) ? join(directory, command) : command
}

/** The program that gives a user's credentials. @throws KubeconfigError that names the user */
export function execOf(
  value: unknown,
  who: string,
  cluster: Record<string, unknown>,
  ca: string | undefined,
  directory: string,
): ExecPlugin | undefined {
  if (value === undefined || value === null) return undefined
  const label = `the exec plugin of ${who}`
  const fields = value as Record<string, unknown>
  const command = stringOf(fields, 'command')
  const apiVersion = stringOf(fields, 'apiVersion') ?? ''
  const interactiveMode = stringOf(fields, 'interactiveMode') ?? (apiVersion === EXEC_VERSIONS[0] ? '' : 'IfAvailable')
  if (command === undefined) throw new KubeconfigError(`${label} has no command`)
  if (!EXEC_VERSIONS.includes(apiVersion))
    throw new KubeconfigError(
      `${label}: apiVersion ${JSON.stringify(apiVersion)} is not one of ${EXEC_VERSIONS.join(', ')}`,
    )
  if (interactiveMode !== 'Never' && interactiveMode !== 'IfAvailable' && interactiveMode !== 'Always')
    throw new KubeconfigError(`${label}: interactiveMode must be Never, IfAvailable or Always`)
  const installHint = stringOf(fields, 'installHint')
  const env = (fields['env'] ?? []) as { name: string; value: string }[]
  return {
    label,
    apiVersion,
    command: commandIn(command, directory),
    args: ((fields['args'] ?? []) as unknown[]).map(String),
    env: Object.fromEntries(env.map((one) => [one.name, one.value])),
    interactiveMode,
    ...(installHint === undefined ? {} : { installHint }),
    ...(fields['provideClusterInfo'] === true ? { cluster: clusterInfo(cluster, ca) } : {}),
  }
}

/** The cluster as a program is told of it. */
function clusterInfo(cluster: Record<string, unknown>, ca: string | undefined): Record<string, unknown> {
  const extensions = (cluster['extensions'] ?? []) as { name?: string; extension?: unknown }[]
  const known = ['server', 'tls-server-name', 'insecure-skip-tls-verify'].flatMap((field) =>
    cluster[field] === undefined ? [] : [[field, cluster[field]]],
  )
  const config = extensions.find(({ name }) => name === EXEC_CONFIG)?.extension
  return {
    ...(Object.fromEntries(known) as Record<string, unknown>),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(config === undefined ? {} : { config }),
  }
}
