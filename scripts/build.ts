/** Builds what is published: `dist/` with JavaScript and declarations (Node does not strip types under node_modules). */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
rmSync(dist, { recursive: true, force: true })
const tsc = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['--project', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
if (tsc.status !== 0) process.exit(tsc.status ?? 1)
// Data files that sources read beside themselves.
for (const file of globSync('**/*.json', { cwd: join(root, 'src') })) {
  if (!file.includes('testdata')) cpSync(join(root, 'src', file), join(dist, file), { recursive: true })
}
