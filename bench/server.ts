/**
 * The embedded API server beside a real kube-apiserver with etcd, in one run: 16 concurrent requests over TLS and
 * HTTP/2 from one client, then memory and rest. Controllers are off on all sides.
 *
 *   node bench/server.ts [--scale 1] [--rounds 1] [--only sqlite,memory,real] [--idle SECONDS] [--prof DIR]
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { mean, pause, report, rssOf } from './report.ts'
import { build, startServer, type Who } from './server/start.ts'
import { measure, type Figures } from './server/work.ts'

const { values } = parseArgs({
  options: {
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', default: 'real,sqlite,memory' },
    idle: { type: 'string', default: '60' },
    prof: { type: 'string' },
  },
})
const flags = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`]
const who = values.only.split(',') as Who[]

interface Measured extends Figures {
  readonly ready: number
  readonly rss: number
  /** Share of one core, in percent. */
  readonly idle: number
}

/** Seconds of processor time of processes so far. */
function cpuOf(pids: readonly number[]): number {
  let ticks = 0
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    ticks += Number(fields[11]) + Number(fields[12])
  }
  return ticks / 100
}

async function course(name: Who): Promise<Measured> {
  await using server = await startServer(name, flags)
  const figures = await measure(server.kubeconfig, Number(values.scale), () => cpuOf(server.pids))
  // What is left to do after the load is not rest.
  await pause(Number(values.idle) > 0 ? 20_000 : 500)
  const rss = server.pids.reduce((sum, pid) => sum + rssOf(pid), 0)
  const before = cpuOf(server.pids)
  await pause(Number(values.idle) * 1000)
  const idle = Number(values.idle) > 0 ? ((cpuOf(server.pids) - before) / Number(values.idle)) * 100 : Number.NaN
  return { ...figures, ready: server.readyAfter, rss, idle }
}

build()
// The compile cache is filled by the first start of an installation.
for (const name of who) if (name !== 'real') await (await startServer(name))[Symbol.asyncDispose]()

const all = new Map<Who, Measured[]>()
for (let round = 0; round < Number(values.rounds); round++) {
  for (const name of who) {
    const measured = await course(name)
    all.set(name, [...(all.get(name) ?? []), measured])
    process.stderr.write(`${name}: ${JSON.stringify(measured)}\n`)
  }
}

interface Line {
  readonly what: string
  readonly unit: string
  readonly of: Exclude<keyof Measured, 'cost'>
  /** The embedded server's figure divided by the real one's. */
  readonly goal: { readonly sign: '<=' | '>='; readonly value: number }
}

const LINES: readonly Line[] = [
  { what: 'pod creates', unit: '/s', of: 'creates', goal: { sign: '>=', value: 5 } },
  { what: 'status patches', unit: '/s', of: 'patches', goal: { sign: '>=', value: 5 } },
  { what: 'deletes', unit: '/s', of: 'deletes', goal: { sign: '>=', value: 5 } },
  { what: 'gets', unit: '/s', of: 'gets', goal: { sign: '>=', value: 4 } },
  { what: 'full list of 2,000 pods', unit: 'ms', of: 'list2000', goal: { sign: '<=', value: 0.25 } },
  { what: 'full list of 10,000 pods', unit: 'ms', of: 'list10000', goal: { sign: '<=', value: 0.25 } },
  {
    what: 'watch latency p99, 50 watchers, 100 writes/s',
    unit: 'ms',
    of: 'watchP99',
    goal: { sign: '<=', value: 0.5 },
  },
  { what: 'resident memory afterwards', unit: 'MiB', of: 'rss', goal: { sign: '<=', value: 0.2 } },
  { what: 'start to ready', unit: 'ms', of: 'ready', goal: { sign: '<=', value: 0.1 } },
]

const average = (name: Who, of: Exclude<keyof Measured, 'cost'>): number => mean(all.get(name)!.map((m) => m[of]))
for (const name of who.filter((n) => n !== 'real')) {
  for (const { what, unit, of, goal } of LINES) {
    const own = average(name, of)
    const real = who.includes('real') ? average('real', of) : Number.NaN
    const beside = `${own.toPrecision(4)} ${unit}, real ${real.toPrecision(4)} ${unit}`
    report({ name: `${what}, ${name}`, value: own / real, unit: '× real', goal, beside })
  }
  const idle = average(name, 'idle')
  const beside = who.includes('real') ? `real ${average('real', 'idle').toPrecision(3)} %` : ''
  report({ name: `processor at rest, ${name}`, value: idle, unit: '% core', goal: { sign: '<=', value: 0.1 }, beside })
}
