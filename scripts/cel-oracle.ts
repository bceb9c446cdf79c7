/**
 * Records what Kubernetes' own CEL says to the expressions in `src/machinery/cel/testdata/expressions.txt`, which the
 * tests compare with. Needs Go; `CEL_ORACLE` names a binary that is built already.
 *
 *     node scripts/cel-oracle.ts
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const data = join(root, 'src/machinery/cel/testdata')
const directory = mkdtempSync(join(tmpdir(), 'cel-oracle-'))
const binary = process.env['CEL_ORACLE'] ?? join(directory, 'oracle')
try {
  if (process.env['CEL_ORACLE'] === undefined) {
    execFileSync('go', ['build', '-o', binary, '.'], { cwd: join(root, 'tools/oracle-cel'), stdio: 'inherit' })
  }
  const cases: { on: string; text: string }[] = []
  let on = ''
  for (const line of readFileSync(join(data, 'expressions.txt'), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('# ')) continue
    // A line `@ name` chooses the fixture; a JSON string is an expression of many lines.
    if (line.startsWith('@ ')) on = line.slice(2)
    else cases.push({ on, text: line.startsWith('json:') ? (JSON.parse(line.slice(5)) as string) : line })
  }
  // As text: JavaScript would not keep its large integers.
  const fixtures = readFileSync(join(data, 'fixtures.json'), 'utf8')
  const input = `{"fixtures":${fixtures},"cases":${JSON.stringify(cases)}}`
  const run = spawnSync(binary, { input, encoding: 'utf8', maxBuffer: 1 << 28 })
  if (run.status !== 0) throw new Error(run.stderr)
  const answers = JSON.parse(run.stdout) as object[]
  const lines = cases.map((one, i) => JSON.stringify({ ...one, ...answers[i] }))
  writeFileSync(join(data, 'answers.jsonl'), `${lines.join('\n')}\n`)
  console.log(`${lines.length} expressions`)
} finally {
  rmSync(directory, { recursive: true })
}
