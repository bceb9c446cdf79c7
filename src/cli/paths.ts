/** Where files of this user are, by the XDG rules. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Default data directory of `up` and `manager`. */
export function defaultDataDir(): string {
  return join(process.env['XDG_DATA_HOME'] || join(homedir(), '.local', 'share'), 'tenantry')
}

/** Points to the running `up` of this user. */
export function pointerFile(): string {
  return join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'tenantry', 'up.json')
}

/** The state file of an `up` inside its data directory. */
export function stateFile(dataDir: string): string {
  return join(dataDir, 'up.json')
}

/** The user's kubeconfig to merge contexts into: the first file of KUBECONFIG, else the usual one. */
export function userKubeconfig(): string {
  const list = (process.env['KUBECONFIG'] ?? '').split(':').filter((p) => p !== '')
  return list[0] ?? join(homedir(), '.kube', 'config')
}
