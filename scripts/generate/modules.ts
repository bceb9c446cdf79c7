/** Finds the sources of the Go modules that tools/generate pins. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const PINS = fileURLToPath(new URL('../../tools/generate', import.meta.url))

/** Where each pinned module lies on disk. */
export interface Modules {
  readonly api: string
  readonly apimachinery: string
  readonly apiextensions: string
  readonly aggregator: string
  readonly kubernetes: string
}

const PATHS = {
  api: 'k8s.io/api',
  apimachinery: 'k8s.io/apimachinery',
  apiextensions: 'k8s.io/apiextensions-apiserver',
  aggregator: 'k8s.io/kube-aggregator',
  kubernetes: 'k8s.io/kubernetes',
} as const

/** Runs Go in tools/generate. */
function go(...args: string[]): string {
  return execFileSync('go', args, { cwd: PINS, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}

/**
 * The modules' folders, downloading what is missing.
 * @throws Error when Go is not installed or a module cannot be had.
 */
export function findModules(): Modules {
  const known = folders()
  if (Object.values(PATHS).some((path) => !known.has(path))) go('mod', 'download', ...Object.values(PATHS))
  const found = folders()
  const of = (path: string): string => {
    const dir = found.get(path)
    if (dir === undefined) throw new Error(`Go module ${path} is not available`)
    return dir
  }
  return {
    api: of(PATHS.api),
    apimachinery: of(PATHS.apimachinery),
    apiextensions: of(PATHS.apiextensions),
    aggregator: of(PATHS.aggregator),
    kubernetes: of(PATHS.kubernetes),
  }
}

function folders(): Map<string, string> {
  const out = new Map<string, string>()
  for (const line of go('list', '-m', '-f', '{{.Path}} {{.Dir}}', ...Object.values(PATHS)).split('\n')) {
    const [path, dir] = line.split(' ')
    if (path !== undefined && dir !== undefined && dir !== '') out.set(path, dir)
  }
  return out
}
