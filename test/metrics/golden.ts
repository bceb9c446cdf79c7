/** What a real kube-apiserver showed and counted, as it is kept: written by scripts/metrics-oracle.ts. */
import { readFileSync, writeFileSync } from 'node:fs'
import type { Told } from './story.ts'
import { least, shapes } from './exposition.ts'

export const shapesFile = new URL('shapes.txt', import.meta.url)
export const countsFile = new URL('counts.txt', import.meta.url)

/** Of Go, of etcd and its client. */
const FOREIGN = /^(?:go|grpc|etcd)_/
/** What the real server counts of its own loops, and of time that passes. */
const RESTLESS =
  /^(?:go|grpc|etcd|rest_client|process|workqueue|informer|watch_cache|registered_metrics|apiserver_(?:watch_cache|storage|selfrequest|init_events|request_(?:filter|timestamp)|flowcontrol_(?:priority|demand|read_vs|watch_count)|watch_events_dispatch|cel_|webhooks_x509))|"leases"|"limitranges"/
/** What it counts of its own requests too: one is ours. */
const SHARED = /priority_level="exempt"|result="(?:success|allowed)"|username="other"/

export interface Golden {
  /** By name; see `shape`. */
  readonly shapes: ReadonlyMap<string, string>
  readonly counts: readonly Counted[]
}

export interface Counted {
  /** `GET /version 200`. */
  readonly request: string
  readonly grown: ReadonlyMap<string, number>
}

/** Keeps what several runs have in common. */
export function writeGolden(runs: readonly Told[]): void {
  const [first] = runs as [Told, ...Told[]]
  const kept = shapes(first.families).filter((line) => !FOREIGN.test(line))
  writeFileSync(shapesFile, `${kept.toSorted().join('\n')}\n`)
  const lines = first.counted.flatMap(({ line, code }, i) => {
    const common = least(runs.map(({ counted }) => counted[i]!.grown))
    const series = [...common]
      .filter(([name]) => !RESTLESS.test(name))
      .filter(([name]) => line.includes('openapi') || !name.includes('openapi/v3'))
      .filter(([name]) => line.includes('watch') || !name.startsWith('apiserver_watch_'))
      .filter(([name]) => fits(line, name))
      .map(([name, value]) => `${name} ${SHARED.test(name) ? 1 : value}`)
    return [`# ${line} ${code}`, ...series.toSorted()]
  })
  writeFileSync(countsFile, `${lines.join('\n')}\n`)
}

const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  POST: ['CREATE'],
  PUT: ['UPDATE', 'CREATE'],
  PATCH: ['UPDATE', 'CREATE'],
  DELETE: ['DELETE'],
}

/** Whether admission of this operation can be the request's own. */
function fits(line: string, series: string): boolean {
  const operation = /[{,]operation="([A-Z]+)"/.exec(series)?.[1]
  if (operation === undefined) return true
  return (OPERATIONS[line.slice(0, line.indexOf(' '))] ?? []).includes(operation)
}

export function readGolden(): Golden {
  const lines = (file: URL): string[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  const counts: { request: string; grown: Map<string, number> }[] = []
  for (const line of lines(countsFile)) {
    if (line.startsWith('# ')) counts.push({ request: line.slice(2), grown: new Map() })
    else {
      const at = line.lastIndexOf(' ')
      counts.at(-1)!.grown.set(line.slice(0, at), Number(line.slice(at + 1)))
    }
  }
  return { shapes: new Map(lines(shapesFile).map((line) => [line.slice(0, line.indexOf(' ')), line])), counts }
}
