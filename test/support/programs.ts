/** Go programs that tests run: built from their module in the tree into the cache, again when its sources change. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDir } from './kubernetes.ts'

interface Program {
  /** Directory of the Go module, from the root of the tree. */
  readonly module: string
  /** @default the module itself */
  readonly pkg?: string
}

export const PROGRAMS = {
  'client-go': { module: 'test/clients/client-go' },
  operator: { module: 'test/clients/operator' },
  kubelet: { module: 'test/clients/kubelet' },
  helm3: { module: 'tools/helm3', pkg: 'helm.sh/helm/v3/cmd/helm' },
  helm4: { module: 'tools/helm4', pkg: 'helm.sh/helm/v4/cmd/helm' },
} as const satisfies Record<string, Program>

export type ProgramName = keyof typeof PROGRAMS

export function isProgram(name: string): name is ProgramName {
  return Object.hasOwn(PROGRAMS, name)
}

const root = join(import.meta.dirname, '../..')
const WEEK = 7 * 24 * 3600 * 1000

/**
 * The program, built if it was not built from these sources.
 * @returns undefined without Go
 * @throws Error when it does not compile
 */
export function goProgram(name: ProgramName): string | undefined {
  const { module, pkg = '.' }: Program = PROGRAMS[name]
  const dir = join(root, module)
  const hash = createHash('sha256')
  for (const file of [...globSync('**/*.go', { cwd: dir }), 'go.mod', 'go.sum'].sort())
    hash.update(file).update(readFileSync(join(dir, file)))
  const cache = join(cacheDir(), 'programs')
  const built = join(cache, `${name}-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(built)) return built
  if (spawnSync('go', ['version']).status !== 0) return undefined
  process.stderr.write(`programs: building ${name} …\n`)
  mkdirSync(cache, { recursive: true })
  const partial = join(cache, `.${name}.${process.pid}`)
  const go = spawnSync('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', partial, pkg], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
  })
  if (go.status !== 0) throw new Error(`${module} does not build:\n${go.stderr}`)
  renameSync(partial, built)
  // What other trees use stays for a while.
  for (const old of globSync(`${name}-*`, { cwd: cache }))
    if (Date.now() - statSync(join(cache, old)).mtimeMs > WEEK) rmSync(join(cache, old))
  return built
}
