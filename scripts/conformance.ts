/**
 * Upstream's conformance tests as a gate: runs them against the embedded server (or another one) and fails when one of
 * those that are known to pass fails twice.
 *
 *   node scripts/conformance.ts [--list FILE] [--slow] [--server embedded|KUBECONFIG] [--procs N] [--minutes N]
 *                               [--nodes N] [--webhooks] [--add] [WORDS …]
 *
 * Without words: the known green tests (test/conformance/known-green.txt) or those of FILE. With words: the tests of
 * class A, or of FILE, whose names contain one of them. Tests of test/conformance/slow.txt run with --slow or when words
 * select them. With `--nodes` the cluster has simulated nodes, and the lists are those of class B;
 * with `--webhooks` they are those of admission webhooks, whose server runs beside it. `--add` writes newly green ones to
 * the known green list.
 */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { formatList, lists, readList } from '../test/conformance/list.ts'
import { judge, type Result } from '../test/conformance/report.ts'
import { startWithWebhooks } from '../test/conformance/webhooks.ts'
import { missingPrograms, runSuite, startEmbedded } from '../test/conformance/suite.ts'

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: 'string' },
    slow: { type: 'boolean', default: false },
    server: { type: 'string', default: 'embedded' },
    procs: { type: 'string', default: '3' },
    minutes: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '0' },
    webhooks: { type: 'boolean', default: false },
    add: { type: 'boolean', default: false },
  },
})

const HEADING = 'tests that pass and must not stop to.'
const say = (text: string) => process.stdout.write(`${text}\n`)
const nodes = Number(values.webhooks ? '2' : values.nodes)
const knownGreen = values.webhooks ? lists.webhooks : nodes > 0 ? lists.knownGreenNodes : lists.knownGreen
process.exitCode = await main()

async function main(): Promise<number> {
  const missing = missingPrograms()
  if (missing.length > 0) {
    say(`conformance: ${missing.join(', ')} not built: run "node bin/run.js scripts/kubernetes.ts" (needs Go)`)
    return 1
  }
  const procs = Number(values.procs)
  const minutes = Number(values.minutes)
  if (!(procs >= 1) || !(minutes >= 1)) {
    say('conformance: --procs and --minutes want numbers from 1')
    return 2
  }
  const slow = new Set(values.slow || words.length > 0 ? [] : readList(lists.slow))
  const from =
    values.list ?? (words.length > 0 && !values.webhooks ? (nodes > 0 ? lists.classB : lists.classA) : knownGreen)
  const names = readList(from).filter(
    (name) => !slow.has(name) && (words.length === 0 || words.some((word) => name.includes(word))),
  )
  if (names.length === 0) {
    say(`conformance: no test of ${from} is selected`)
    return 2
  }

  const known = new Set(readList(knownGreen))
  const dir = mkdtempSync(join(tmpdir(), 'tenantry-conformance-'))
  say(`conformance: ${names.length} tests against ${values.server}, ${procs} processes; report and log in ${dir}`)
  const started = performance.now()
  const results = await run(names, join(dir, 'first'), procs, minutes)
  let { broken, missing: absent, newlyGreen, red } = judge(results, names, known)
  if (broken.length > 0) {
    say(`conformance: ${broken.length} known green failed, once more:`)
    for (const result of broken) show(result)
    const again = broken.map(({ name }) => name)
    const second = judge(await run(again, join(dir, 'second'), procs, minutes), again, known)
    broken = second.broken
    absent = [...absent, ...second.missing]
  }

  const seconds = (performance.now() - started) / 1000
  const passed = results.filter((result) => result.passed).length
  say(`conformance: ${passed} of ${names.length} passed at once, ${seconds.toFixed(0)} s`)
  if (red.length > 0) say(`\n${red.length} fail, as before:`)
  for (const result of red) show(result)
  if (newlyGreen.length > 0) say(`\n${newlyGreen.length} newly green:\n${newlyGreen.toSorted().join('\n')}`)
  if (values.add && newlyGreen.length > 0)
    writeFileSync(knownGreen, formatList([...readList(knownGreen), ...newlyGreen], HEADING))
  if (absent.length > 0) say(`\n${absent.length} did not run:\n${absent.join('\n')}`)
  if (broken.length > 0) say(`\n${broken.length} KNOWN GREEN FAILED TWICE:`)
  for (const result of broken) show(result)
  return broken.length > 0 || absent.length > 0 ? 1 : 0
}

async function run(names: readonly string[], dir: string, procs: number, minutes: number): Promise<Result[]> {
  if (values.server !== 'embedded') return runSuite({ names, kubeconfig: resolve(values.server), dir, procs, minutes })
  await using server = await (values.webhooks ? startWithWebhooks : startEmbedded)(dir, nodes)
  return await runSuite({ names, kubeconfig: server.kubeconfig, dir, procs, minutes })
}

function show({ name, seconds, failure }: Result): void {
  const text = failure.length > 1500 ? `${failure.slice(0, 1500)} …` : failure
  say(`- ${name} (${seconds.toFixed(1)} s)\n    ${text.replaceAll('\n', '\n    ')}`)
}
