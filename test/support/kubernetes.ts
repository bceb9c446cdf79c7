/** Where the real Kubernetes programs are, and what a test does without them. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

export const KUBERNETES_VERSION = 'v1.37.1'

/** Where built programs are kept, outside the tree. */
export function cacheDir(): string {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tenantry')
}

/** The cache that scripts/kubernetes.ts fills. */
export function kubernetesDir(): string {
  return join(cacheDir(), 'kubernetes', KUBERNETES_VERSION)
}

/** The built kubectl, else one on PATH of the same minor version. */
export function findKubectl(): string | undefined {
  const built = join(kubernetesDir(), 'kubectl')
  if (existsSync(built)) return built
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const candidate = join(dir, 'kubectl')
    if (!existsSync(candidate)) continue
    const { stdout } = spawnSync(candidate, ['version', '--client', '-o', 'json'], { encoding: 'utf8' })
    if (new RegExp(`"gitVersion": "${KUBERNETES_VERSION.split('.').slice(0, 2).join('\\.')}\\.`).test(stdout ?? ''))
      return candidate
  }
  return undefined
}

/** The directory with a whole real control plane, if it was built. */
export function findControlPlane(): string | undefined {
  const dir = kubernetesDir()
  const programs = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']
  return programs.every((name) => existsSync(join(dir, name))) ? dir : undefined
}

/**
 * The `skip` option of a test that needs a program: `false` when it is there, else the reason.
 * @throws Error with CI=true: nothing is skipped silently there
 */
export function skipWithout(found: string | undefined, what: string): string | false {
  if (found !== undefined) return false
  const reason = `${what} is not built: run "node bin/run.js scripts/kubernetes.ts" (needs Go)`
  if (process.env['CI'] === 'true') throw new Error(reason)
  return reason
}
