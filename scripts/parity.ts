/**
 * Asks a real kube-apiserver and the embedded server the same and tells where their answers differ: status code, reason,
 * causes and their fields, headers that clients read, messages, and the whole object after uids, times and versions were
 * replaced. Fails when something differs that test/parity/harmless.yaml does not hold.
 *
 *   node scripts/parity.ts [--kind NAME …] [--group NAME …] [--case TEXT] [--class NAME …] [--show] [--raw] [--most N]
 *                          [--cached] [--open] [--sample N] [--gate] [--write-open] [--by-group]
 *
 *   --kind      kinds (`Pod`, `apps/v1/Deployment`); the others are not asked
 *   --group     API groups (`core`, `apps`, `batch`)
 *   --case      cases whose id has this text
 *   --class     differences of these classes only (code, reason, field, object, header, message)
 *   --show      tells differences, those with one cause together; without it the table alone
 *   --raw       tells the requests and both whole answers of the selected cases that differ
 *   --most      kinds of differences that are shown                                        (default 60)
 *   --cached    takes the real server's answers of an earlier run, and starts it only when some are missing
 *   --open      cases of test/parity/open.txt only
 *   --sample    so many of the generated cases, always the same ones, and the whole corpus
 *   --gate      fails only for cases that differ and are not in test/parity/open.txt, the list of what is left to do
 *   --write-open writes that list anew (after a whole run; it must get shorter)
 *   --by-group  one line for each API group in the table (as in docs/parity.md)
 *
 * To work on a kind: `node scripts/parity.ts --cached --kind Ingress --show`, a few seconds a round.
 *
 * Where cases come from: test/parity/seeds/*.yaml hold a minimal and a full object of each kind (and others, as merge
 * patches of the minimal one); test/parity/generate makes requests of them by the type table; test/parity/corpus/*.yaml
 * holds what needs a hand. `{name}` in a seed is the object's name. A case changes nothing that another one reads: it
 * has names of its own, or it is a dry run.
 */
import { parseArgs } from 'node:util'
import { Answers } from '../test/parity/answers.ts'
import { hash, type Answer, type Case, type Fixture } from '../test/parity/case.ts'
import { compare } from '../test/parity/compare.ts'
import { plan } from '../test/parity/generate/cases.ts'
import { Harmless } from '../test/parity/harmless.ts'
import { readOpen, writeOpen } from '../test/parity/open.ts'
import { details, summary, type Result } from '../test/parity/report.ts'
import { readSeeds } from '../test/parity/seeds.ts'
import { CONCURRENCY, startEmbedded, startReal, type Server } from '../test/parity/servers.ts'
import { kubernetesDir } from '../test/support/kubernetes.ts'

const { values } = parseArgs({
  options: {
    kind: { type: 'string', multiple: true, default: [] },
    group: { type: 'string', multiple: true, default: [] },
    case: { type: 'string' },
    class: { type: 'string', multiple: true, default: [] },
    show: { type: 'boolean', default: false },
    raw: { type: 'boolean', default: false },
    most: { type: 'string', default: '60' },
    cached: { type: 'boolean', default: false },
    open: { type: 'boolean', default: false },
    sample: { type: 'string' },
    gate: { type: 'boolean', default: false },
    'write-open': { type: 'boolean', default: false },
    'by-group': { type: 'boolean', default: false },
  },
})
/** What the real server does by itself after a write. */
const SETTLE_MILLISECONDS = 1500

const say = (text: string) => process.stdout.write(`${text}\n`)
process.exitCode = await main()

async function main(): Promise<number> {
  const all = plan(readSeeds())
  const known = readOpen()
  const cases = sampled(all.cases.filter((c) => wanted(c) && (!values.open || known(c))))
  if (cases.length === 0) {
    say('parity: no case is selected')
    return 2
  }
  const needed = new Set(['ground', ...cases.flatMap((c) => c.fixture ?? [])])
  const fixtures = all.fixtures.filter((f) => needed.has(f.name))
  const answers = new Answers(all.fixtures)
  if (values.cached) answers.read()
  const stories = fixtures.map((f): Case => ({ id: `fixture ${f.name}`, kind: f.name, steps: f.steps }))
  const missing = [...stories, ...cases].filter((c) => answers.get(c) === undefined)
  const began = performance.now()
  await using embedded = await startEmbedded()
  if (missing.length > 0) {
    await using real = await startReal(kubernetesDir())
    const started = performance.now()
    await ask(real, fixtures, stories, missing, (asked, given) => answers.set(asked, given))
    say(`parity: the real server answered ${missing.length} cases in ${seconds(started)} s`)
    answers.write()
  }
  const started = performance.now()
  const ours = new Map<string, Answer[]>()
  await ask(embedded, fixtures, stories, [...stories, ...cases], (asked, given) => ours.set(asked.id, given))
  say(`parity: the embedded server answered ${cases.length} cases in ${seconds(started)} s`)

  const harmless = Harmless.read()
  const results = [...stories, ...cases].map((asked) =>
    judge(asked, answers.get(asked)!, ours.get(asked.id)!, harmless),
  )
  const shown = results.filter((r) => cases.includes(r.asked) || r.differences.length > 0)
  say(summary(shown, values['by-group'] ? groupOf : undefined))
  if (values.show) say(details(shown, Number(values.most)))
  if (values.raw) {
    for (const { asked, differences } of shown) {
      if (differences.length === 0) continue
      say(JSON.stringify({ ...asked, real: answers.get(asked), ours: ours.get(asked.id) }, null, 1))
    }
  }
  const open = shown.filter((r) => r.differences.length > 0)
  const unused = cases.length === all.cases.length ? harmless.unused() : []
  for (const entry of unused) say(`parity: harmless.yaml: nothing differs so any more: ${JSON.stringify(entry)}`)
  say(`parity: ${shown.length} cases, ${open.length} differ, ${seconds(began)} s`)
  if (values['write-open']) writeOpen(open.map((r) => r.asked))
  if (!values.gate) return open.length > 0 || unused.length > 0 ? 1 : 0
  const fresh = open.filter((r) => !known(r.asked))
  if (fresh.length > 0) say(`parity: these did not differ before:\n${details(fresh, Number(values.most))}`)
  return fresh.length > 0 ? 1 : 0
}

/** Fixtures first, one after the other; then the cases, several at a time. */
async function ask(
  server: Server,
  fixtures: readonly Fixture[],
  stories: readonly Case[],
  cases: readonly Case[],
  take: (asked: Case, given: Answer[]) => void,
): Promise<void> {
  for (const [i, fixture] of fixtures.entries()) take(stories[i]!, await server.prepare(fixture))
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MILLISECONDS))
  const queue = cases.filter((c) => !stories.includes(c)).values()
  const worker = async () => {
    for (const asked of queue) take(asked, await server.run(asked.steps, asked.fixture))
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
}

function judge(asked: Case, real: readonly Answer[], ours: readonly Answer[], harmless: Harmless): Result {
  let excused = 0
  for (const [step, answer] of real.entries()) {
    const found = compare(answer, ours[step]!)
    const differences = found.filter((d) => !harmless.has(asked.kind, asked.id, d))
    excused += found.length - differences.length
    const open = values.class.length === 0 ? differences : differences.filter((d) => values.class.includes(d.class))
    if (open.length > 0) return { asked, step, differences: open, harmless: excused }
    if (differences.length > 0) break
  }
  return { asked, step: 0, differences: [], harmless: excused }
}

function wanted({ id, kind }: Case): boolean {
  const named = values.kind.length === 0 || values.kind.some((k) => kind === k || kind.split('/').at(-1) === k)
  const grouped = values.group.length === 0 || values.group.includes(groupOf(kind))
  return named && grouped && (values.case === undefined || id.includes(values.case))
}

/** `apps` of `apps/v1/Deployment`, `core` of `v1/Pod`. */
function groupOf(kind: string): string {
  const parts = kind.split('/')
  return parts.length === 3 ? parts[0]! : parts.length === 2 ? 'core' : 'others'
}

function sampled(cases: readonly Case[]): Case[] {
  if (values.sample === undefined) return [...cases]
  const most = Number(values.sample)
  const chosen = new Set(
    cases.toSorted((a, b) => hash(`sample ${a.id}`) - hash(`sample ${b.id}`)).slice(0, most).map((c) => c.id), // prettier-ignore
  )
  return cases.filter((c) => chosen.has(c.id) || c.byHand === true)
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}
