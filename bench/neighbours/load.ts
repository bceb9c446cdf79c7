/**
 * Loads one cluster by 64 connections, each with one mixed request after the other. `start` and `stop` on standard input
 * begin and end it; each `stop` is answered with a line of counts. The kubeconfig is the first line.
 */
import { setPriority } from 'node:os'
import { createInterface } from 'node:readline'
import { open, type Asked } from './connection.ts'

// In the field the clients are other machines: they do not take the processor from the server.
setPriority(Number(process.env['NICE'] ?? 19))

const CONNECTIONS = 64
/** 2,500 × 4 KiB: a list of 10 MB. */
const OBJECTS = 2500
/** One kind of request only, to see what it costs by itself. */
const ONLY = process.env['ONLY']
const BASE = '/api/v1/namespaces/default/configmaps'
const JSON_BODY = { 'content-type': 'application/json' }
const MERGE = { 'content-type': 'application/merge-patch+json' }
const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const kubeconfig = JSON.parse((await lines.next()).value as string) as string
const connections = Array.from({ length: CONNECTIONS }, (_, i) => open(kubeconfig, i % 2 === 0 ? 'h2' : 'http/1.1'))
const counts = new Map<string, number>()
let bytes = 0

await fill()
process.stdout.write('ready\n')
let running: Promise<unknown> | undefined
let stopped = true
for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  if (line === 'start') {
    stopped = false
    counts.clear()
    bytes = 0
    running = Promise.all(connections.map((_, i) => work(i)))
  } else {
    stopped = true
    await running
    const total = [...counts].map(([name, count]) => `${name} ${count}`).toSorted()
    process.stdout.write(`${total.join(', ')}; ${Math.round(bytes / 2 ** 20)} MiB\n`)
  }
}
for (const connection of connections) connection.close()

async function fill(): Promise<void> {
  let next = 0
  await Promise.all(
    connections.map(async (connection) => {
      while (next < OBJECTS) {
        const name = `large-${next++}`
        const body = configMap(name, 'x'.repeat(3800))
        const { status } = await connection.ask({ method: 'POST', path: BASE, headers: JSON_BODY, body })
        if (status !== 201 && status !== 409) throw new Error(`cannot fill: ${status}`)
      }
    }),
  )
}

function configMap(name: string, text: string): string {
  const metadata = { name, labels: { app: name.slice(-1) } }
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { text } })
}

async function work(i: number): Promise<void> {
  // The same requests in each run, others on each connection.
  let state = i * 7919 + 1
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  for (let n = 0; !stopped; n++) {
    const [name, asked] = choose(random(100), random(OBJECTS), `own-${i}-${n % 4}`)
    if (ONLY !== undefined && ONLY !== name) continue
    const { status, bytes: size } = await connections[i]!.ask(asked)
    counts.set(status === 429 ? '429' : name, (counts.get(status === 429 ? '429' : name) ?? 0) + 1)
    bytes += size
  }
}

function choose(of100: number, which: number, own: string): [string, Asked] {
  const one = `${BASE}/large-${which}`
  if (of100 < 12) return ['list', { method: 'GET', path: BASE }]
  if (of100 < 16) return ['list gzip', { method: 'GET', path: BASE, headers: { 'accept-encoding': 'gzip' } }]
  if (of100 < 19) return ['table', { method: 'GET', path: BASE, headers: { accept: TABLE } }]
  if (of100 < 22) return ['selected', { method: 'GET', path: `${BASE}?labelSelector=app%3D7` }]
  if (of100 < 24) return ['yaml', { method: 'GET', path: `${BASE}?limit=500`, headers: { accept: 'application/yaml' } }]
  if (of100 < 60) return ['get', { method: 'GET', path: one }]
  if (of100 < 72) return ['create', { method: 'POST', path: BASE, headers: JSON_BODY, body: configMap(own, 'y') }]
  if (of100 < 84) return ['delete', { method: 'DELETE', path: `${BASE}/${own}` }]
  const body = JSON.stringify({ metadata: { annotations: { at: String(which) } } })
  if (of100 < 96) return ['patch', { method: 'PATCH', path: one, headers: MERGE, body }]
  return ['large body', { method: 'POST', path: BASE, headers: JSON_BODY, body: configMap(own, 'z'.repeat(900_000)) }]
}
