/**
 * Two packed tenants in one process: how long one's gets take alone, and while the other is loaded by 64 connections of
 * mixed requests with lists of 10 MB. Server and load have processes of their own; rounds of both states take turns.
 * Beside them, in the same rounds: round trips to a third process that is only busy as long as a get takes alone, which
 * is what sharing the processors with the load costs whoever answers.
 *
 *   node bench/neighbours.ts [ROUNDS] [SECONDS]        durable SQLite
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { open, type Connection } from './neighbours/connection.ts'
import { openFloor } from './neighbours/floor.ts'
import { pause, percentile, report } from './report.ts'

const ROUNDS = Number(process.argv[2] ?? 5)
const SECONDS = Number(process.argv[3] ?? 5)
/** As with the other numbers of a server: 16 requests at a time on one connection. */
const AT_ONCE = [16, 1] as const
const PATH = '/api/v1/namespaces/default/configmaps/small'

class Program {
  readonly process: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  constructor(file: string) {
    const prof = process.env['PROF']
    const flags = file === 'server.ts' && prof !== undefined ? ['--cpu-prof', `--cpu-prof-dir=${prof}`] : []
    this.process = spawn(process.execPath, [...flags, join(import.meta.dirname, 'neighbours', file)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]()
  }

  async line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the program ended')
    return value as string
  }

  async ask(text: string): Promise<string> {
    this.process.stdin.write(`${text}\n`)
    return this.line()
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once('exit', resolve))
    this.process.stdin.end()
    await gone
  }
}

const server = new Program('server.ts')
const load = new Program('load.ts')
const echo = new Program('echo.ts')
const floor = await openFloor(Number(await echo.line()))
try {
  const { loaded, quiet } = JSON.parse(await server.line()) as { loaded: string; quiet: string }
  const connection = open(quiet, 'h2')
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'small' }, data: { a: 'b' } })
  const path = '/api/v1/namespaces/default/configmaps'
  await connection.ask({ method: 'POST', path, headers: { 'content-type': 'application/json' }, body })
  await load.ask(JSON.stringify(loaded))
  for (const atOnce of AT_ONCE) await measure(connection, atOnce)
  connection.close()
} finally {
  floor.close()
  await echo.end()
  await load.end()
  await server.end()
}

async function measure(connection: Connection, atOnce: number): Promise<void> {
  const busy = percentile(await gets(connection, atOnce, 2), 0.5)
  const trips = atOnce === 1 ? { floor, alone: [] as number[], beside: [] as number[] } : undefined
  const alone: number[] = []
  const beside: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const a = await gets(connection, atOnce, SECONDS)
    trips?.alone.push(...(await trips.floor.trips(SECONDS / 2, busy)))
    load.process.stdin.write('start\n')
    await pause(500)
    const b = await gets(connection, atOnce, SECONDS)
    trips?.beside.push(...(await trips.floor.trips(SECONDS / 2, busy)))
    const counts = await load.ask('stop')
    await pause(500)
    alone.push(...a)
    beside.push(...b)
    if (process.env['BENCH_JSON'] === '1') continue
    process.stdout.write(`${atOnce} at once, round ${round}: alone ${line(a)}; beside ${line(b)}; load: ${counts}\n`)
  }
  report({
    name: `p99 of gets of one tenant, ${atOnce} at once, beside a loaded one, against alone`,
    value: percentile(beside, 0.99) / percentile(alone, 0.99),
    unit: 'ratio',
    goal: { sign: '<=', value: 3 },
    beside: `alone ${line(alone)}; beside ${line(beside)}${trips === undefined ? '' : `; ${floorOf(trips)}`}`,
  })
}

/** What the same comparison gives where only the machine is shared. */
function floorOf({ alone, beside }: { readonly alone: readonly number[]; readonly beside: readonly number[] }): string {
  const [a, b] = [alone, beside].map((times) => percentile(times, 0.99))
  return `the machine alone: p99 ${a!.toFixed(2)}, beside ${b!.toFixed(2)} ms, ratio ${(b! / a!).toFixed(1)}`
}

async function gets(connection: Connection, atOnce: number, seconds: number): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() < end) {
        const started = performance.now()
        const { status } = await connection.ask({ method: 'GET', path: PATH })
        if (status !== 200) throw new Error(`get answered ${status}`)
        times.push(performance.now() - started)
      }
    }),
  )
  return times
}

function line(times: readonly number[]): string {
  const [p50, p99] = [0.5, 0.99].map((share) => percentile(times, share).toFixed(2))
  return `${times.length} gets, p50 ${p50} p99 ${p99} max ${percentile(times, 1).toFixed(1)} ms`
}
