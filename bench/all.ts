/**
 * Runs every benchmark, each in a process of its own, and writes docs/benchmarks.md.
 *
 *   node bench/all.ts
 */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { notes } from './notes.ts'
import { format, met, type Result } from './report.ts'

const RUNS = [
  { title: 'The API server beside kube-apiserver', command: ['bench/server.ts'] },
  { title: 'Two tenants of one process', command: ['bench/neighbours.ts'] },
  { title: 'A thousand custom resource definitions', command: ['bench/crds.ts'] },
  { title: 'Virtual clusters', command: ['--expose-gc', 'bench/tenants.ts'] },
  { title: 'Pods at a steady rate', command: ['bench/pods.ts', 'steady'] },
  { title: 'Pods in bursts', command: ['--max-old-space-size=6000', 'bench/pods.ts', 'burst'] },
  { title: 'One greedy tenant', command: ['bench/pods.ts', 'greedy'] },
] as const

const root = join(import.meta.dirname, '..')

async function run(command: readonly string[]): Promise<Result[]> {
  const child = spawn(process.execPath, command, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_JSON: '1' },
  })
  let output = ''
  child.stdout.on('data', (piece: Buffer) => {
    output += piece.toString()
    process.stdout.write(piece)
  })
  const code = await new Promise((resolve) => child.on('exit', resolve))
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${String(code)}`)
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Result)
}

let text = `# Benchmarks

Written by \`node bench/all.ts\` (in a clone: \`node bin/run.js bench/all.ts\`) on ${cpus().length} cores (${cpus()[0]!.model}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}. Everything is taken with
durable SQLite where it is not said otherwise. Each part can be run by itself with the command above its table. In the parts
about virtual clusters and pods, host and tenants are in one process, so processor times are of both together.

`
for (const { title, command } of RUNS) {
  const results = await run(command)
  text += `## ${title}\n\n\`node ${command.join(' ')}\`\n\n| what | measured | goal | beside it, in the same run |\n|---|---:|---|---|\n`
  for (const r of results) {
    const goal =
      r.goal === undefined ? '' : `${r.goal.sign === '<=' ? '≤' : '≥'} ${r.goal.value} ${met(r) ? '' : '**missed**'}`
    text += `| ${r.name} | ${format(r.value)} ${r.unit} | ${goal} | ${r.beside ?? ''} |\n`
  }
  text += '\n'
}
writeFileSync(join(root, 'docs', 'benchmarks.md'), text + notes)
