/**
 * Fills in the answers of `src/machinery/**\/*.oracle.json`: what the published Kubernetes libraries say to each case.
 * Needs Go; `node scripts/oracle.ts [FILE …]`. The tests only read the committed answers.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Case {
  readonly ask: string
  readonly answer?: unknown
}

const root = join(import.meta.dirname, '..')
const named = process.argv.slice(2)
const files = named.length > 0 ? named : globSync('src/machinery/**/*.oracle.json', { cwd: root })
const directory = mkdtempSync(join(tmpdir(), 'oracle-'))
const binary = process.env['ORACLE'] ?? join(directory, 'oracle')
try {
  if (process.env['ORACLE'] === undefined) {
    execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(root, 'tools/oracle'), stdio: 'inherit' })
  }
  for (const file of files) {
    const cases = JSON.parse(readFileSync(join(root, file), 'utf8')) as Case[]
    const questions = cases.map((one) => ({ ...one, answer: undefined }))
    const run = spawnSync(binary, { input: JSON.stringify(questions), encoding: 'utf8', maxBuffer: 1 << 28 })
    if (run.status !== 0) throw new Error(`${file}: ${run.stderr}`)
    const answers = JSON.parse(run.stdout) as unknown[]
    const filled = questions.map((question, i) => ({ ...question, answer: answers[i] }))
    writeFileSync(join(root, file), `[\n${filled.map((one) => `  ${JSON.stringify(one)}`).join(',\n')}\n]\n`)
    console.log(`${file}: ${filled.length}`)
  }
} finally {
  rmSync(directory, { recursive: true })
}
