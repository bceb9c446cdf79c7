// Plain JavaScript that runs on any Node >= 20: installs what is missing, finds Node 26, hands over.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import * as module from 'node:module'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const NEEDED = 26

/** Everything that is built or fetched lives here, outside the tree. */
export function cacheDir() {
  return join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tenantry')
}

/** Installs the locked packages into a clone, once for each content of the lockfile. */
export function ensureInstalled() {
  const lock = join(root, 'package-lock.json')
  if (!existsSync(lock) || root.includes(`${join('/', 'node_modules')}/`)) return
  const stamp = join(root, 'node_modules', '.tenantry-installed')
  const wanted = createHash('sha256').update(readFileSync(lock)).digest('hex')
  const installed = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  if (installed()) return
  const guard = join(root, '.installing')
  while (!tryLock(guard)) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    if (installed()) return
  }
  try {
    process.stderr.write('tenantry: installing packages …\n')
    // Not `npm ci`: it refuses a lockfile without the other platforms' optional packages, which not every registry has.
    // Versions and hashes come from the lockfile all the same, and --no-save leaves it as it is.
    const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
    })
    if (npm.status !== 0)
      fail('"npm install" did not succeed; its own words stand above. Mend that and run the command again.')
    writeFileSync(stamp, wanted)
  } finally {
    rmSync(guard, { force: true })
  }
}

/** The lock is a file with the number of the process that holds it. */
function tryLock(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
    if (isStale(file)) rmSync(file, { recursive: true, force: true })
    return false
  }
}

/** A lock whose holder was killed, or one that is older than ten minutes. */
function isStale(file) {
  if (Date.now() - statSync(file, { throwIfNoEntry: false })?.mtimeMs > 600_000) return true
  try {
    const holder = Number(readFileSync(file, 'utf8'))
    if (holder > 0) process.kill(holder, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

/** The Node to run on: this one, the packaged one, or the one on PATH. */
export function node() {
  if (Number(process.versions.node.split('.')[0]) >= NEEDED) return process.execPath
  const require = module.createRequire(import.meta.url)
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`)
    const packaged = join(dirname(manifest), 'bin', 'node')
    if (existsSync(packaged)) return packaged
  } catch {
    // No package for this platform: the one on PATH decides.
  }
  for (const dir of (process.env['PATH'] ?? '').split(delimiter)) {
    const candidate = join(dir, 'node')
    if (!existsSync(candidate)) continue
    const version = spawnSync(candidate, ['--version'], { encoding: 'utf8' }).stdout
    if (Number(version?.slice(1).split('.')[0]) >= NEEDED) return candidate
  }
  return fail(
    `needs Node ${NEEDED} or newer on ${process.platform}-${process.arch}; this is ${process.version} and no newer one is on PATH.`,
  )
}

/** The source file in a clone, its compiled form in the published package. */
export function entry(name) {
  const source = join(root, 'src', `${name}.ts`)
  return existsSync(source) ? source : join(root, 'dist', `${name}.js`)
}

/** Environment for Node 26: itself first on PATH, compile cache on. */
export function environment(binary) {
  return {
    ...process.env,
    PATH: `${dirname(binary)}${delimiter}${process.env['PATH'] ?? ''}`,
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(cacheDir(), 'compile'),
  }
}

/** Runs a file on Node 26: in this process when it is one, else in a child that gets our signals. */
export async function handOver(file, args, nodeArgs = []) {
  const binary = node()
  if (binary === process.execPath && nodeArgs.length === 0) {
    module.enableCompileCache(process.env['NODE_COMPILE_CACHE'] ?? join(cacheDir(), 'compile'))
    process.argv = [process.argv[0], file, ...args]
    await import(pathToFileURL(file).href)
    return
  }
  const child = spawn(binary, [...nodeArgs, ...(file === undefined ? [] : [file]), ...args], {
    stdio: 'inherit',
    env: environment(binary),
  })
  // A terminal sends Ctrl-C to both; the child decides what it means.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => (signal === null ? process.exit(code ?? 1) : process.kill(process.pid, signal)))
}

export function fail(message) {
  process.stderr.write(`tenantry: ${message}\n`)
  process.exit(1)
}
