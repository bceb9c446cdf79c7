/**
 * Builds what is published (Node does not strip types under node_modules): `dist/` with the program as a few large files
 * of JavaScript, since Node takes longer to find and read hundreds of small ones than to run them, and declarations.
 */
import { spawnSync } from 'node:child_process'
import { globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
const tsc = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
await build({
  absWorkingDir: root,
  // What is started by name: the library, the command, threads.
  entryPoints: ['src/index.ts', 'src/cli/main.ts', ...globSync('src/**/worker.ts', { cwd: root })],
  outdir: dist,
  outbase: 'src',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node26',
  packages: 'external',
  logLevel: 'warning',
})
