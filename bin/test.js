// npm test [-- FILE …]: every test, or the given files.
import { spawnSync } from 'node:child_process'
import { ensureInstalled, environment, handOver, node, root } from './bootstrap.js'

ensureInstalled()
process.chdir(root)
const binary = node()
if (process.argv.length <= 2)
  spawnSync(binary, ['scripts/kubernetes.ts', 'kubectl'], { stdio: 'inherit', env: environment(binary) })
const files = process.argv.slice(2)
await handOver(undefined, files.length > 0 ? files : ['src/**/*.test.ts', 'test/**/*.test.ts'], [
  '--test',
  '--test-concurrency=2',
])
