/**
 * A thousand custom resource definitions: how fast they are served, what discovery and OpenAPI cost after one more,
 * what they weigh, and what somebody else feels meanwhile. The embedded server beside a real kube-apiserver with etcd.
 *
 *   node bench/crds.ts [--count 1000] [--only memory,sqlite,real] [--prof DIR]
 */
import { parseArgs } from 'node:util'
import { pause, percentile, report, rssOf } from './report.ts'
import { build, startServer, type Who } from './server/start.ts'
import { Session } from '../test/support/session.ts'

const { values } = parseArgs({
  options: {
    count: { type: 'string', default: '1000' },
    only: { type: 'string', default: 'real,sqlite,memory' },
    prof: { type: 'string' },
  },
})
const COUNT = Number(values.count)
const GROUPS = Math.max(1, Math.round(COUNT / 10))
const PARALLEL = 16
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const flags = values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`]

/** About 20 KB, as operators have them: nested, described, with lists and a few checks. */
function schema(seed: number): object {
  const leaf = (i: number): object => ({
    type: i % 3 === 0 ? 'integer' : 'string',
    description: `Field ${i} of resource ${seed}: what it is for, what it may hold, and what happens when it is not set.`,
    ...(i % 4 === 1 ? { maxLength: 253, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$' } : {}),
    ...(i % 5 === 0 ? {} : {}),
  })
  const block = (name: string, fields: number): object => ({
    type: 'object',
    description: `${name} of resource ${seed}.`,
    required: ['field0'],
    properties: Object.fromEntries(Array.from({ length: fields }, (_, i) => [`field${i}`, leaf(i)])),
  })
  return {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: {
        type: 'object',
        properties: {
          ...Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`block${i}`, block(`Block ${i}`, 12)])),
          items: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['field0'],
            items: block('Item', 20),
          },
        },
      },
      status: { type: 'object', properties: { conditions: { type: 'array', items: block('Condition', 6) } } },
    },
  }
}

function definition(i: number): { name: string; group: string; body: string } {
  const group = `group${i % GROUPS}.bench.example.com`
  const plural = `things${i}`
  const name = `${plural}.${group}`
  const body = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind: `Thing${i}`, shortNames: [`t${i}`], categories: ['all'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: schema(i) },
          additionalPrinterColumns: [{ name: 'Field', type: 'string', jsonPath: '.spec.block0.field1' }],
        },
      ],
    },
  }
  return { name, group, body: JSON.stringify(body) }
}

interface Figures {
  /** Seconds until all were established. */
  readonly established: number
  /** Milliseconds, after one more definition. */
  readonly discovery: number
  readonly index: number
  readonly group: number
  readonly v2: number
  /** Milliseconds from the create of one more until its resource is served. */
  readonly served: number
  /** KiB of memory for each. */
  readonly memory: number
  /** Milliseconds of somebody else's gets while all this happens. */
  readonly p99: number
  readonly worst: number
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}

/** Another user: reads one namespace all the time. */
async function neighbour(kubeconfig: string, signal: AbortSignal): Promise<number[]> {
  const session = new Session(kubeconfig)
  const times: number[] = []
  while (!signal.aborted) {
    times.push(await timed(() => session.must('/api/v1/namespaces/default')))
    await pause(2)
  }
  session.close()
  return times
}

async function untilServed(session: Session, path: string): Promise<void> {
  for (;;) {
    const { status } = await session.send(path)
    if (status === 200) return
    await pause(5)
  }
}

async function measure(who: Who): Promise<Figures> {
  await using server = await startServer(who, flags)
  const session = new Session(server.kubeconfig)
  await session.must('/apis')
  await pause(1000)
  const rss = (): number => server.pids.reduce((sum, pid) => sum + rssOf(pid), 0)
  const before = rss()
  const stop = new AbortController()
  const gets = neighbour(server.kubeconfig, stop.signal)

  const started = performance.now()
  let next = 0
  const bodies = Array.from({ length: COUNT }, (_, i) => definition(i).body)
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < COUNT) await session.must(DEFINITIONS, { method: 'POST', body: bodies[next++]! })
    }),
  )
  for (;;) {
    const { text } = await session.must(`${DEFINITIONS}?fieldSelector=metadata.name%3D${definition(COUNT - 1).name}`, {
      keep: true,
    })
    if (/"type":"Established","status":"True"/.test(text.replaceAll(/\s/g, ''))) break
    await pause(20)
  }
  for (let i = 0; i < COUNT; i += Math.ceil(COUNT / 20)) {
    const { group } = definition(i)
    await untilServed(session, `/apis/${group}/v1/namespaces/default/things${i}`)
  }
  const established = (performance.now() - started) / 1000

  const more = definition(COUNT)
  const path = `/apis/${more.group}/v1/namespaces/default/things${COUNT}`
  const accept = '/apis'
  // What clients have asked before is known to the server; then one more comes.
  await session.must('/openapi/v3')
  await session.must(accept, { aggregated: true })
  await session.must('/openapi/v2')
  const served = await timed(async () => {
    await session.must(DEFINITIONS, { method: 'POST', body: more.body })
    await untilServed(session, path)
  })
  const discovery = await timed(() => session.must(accept, { aggregated: true }))
  const index = await timed(() => session.must('/openapi/v3'))
  const group = await timed(() => session.must(`/openapi/v3/apis/${more.group}/v1`))
  const v2 = await timed(() => session.must('/openapi/v2'))
  await pause(500)
  stop.abort()
  const times = await gets
  const memory = ((rss() - before) / COUNT) * 1024
  session.close()
  return {
    established,
    discovery,
    index,
    group,
    v2,
    served,
    memory,
    p99: percentile(times, 0.99),
    worst: Math.max(...times),
  }
}

const LINES: readonly { of: keyof Figures; what: string; unit: string; most?: number }[] = [
  { of: 'established', what: `${COUNT} definitions established and served`, unit: 's' },
  { of: 'served', what: 'one more: from create until served', unit: 'ms' },
  { of: 'discovery', what: 'aggregated discovery after one more', unit: 'ms', most: 30 },
  { of: 'index', what: 'OpenAPI v3 index after one more', unit: 'ms' },
  { of: 'group', what: "one group's OpenAPI v3 document", unit: 'ms' },
  { of: 'v2', what: 'OpenAPI v2 after one more', unit: 'ms' },
  { of: 'memory', what: 'memory for each definition', unit: 'KiB' },
  { of: 'p99', what: "somebody else's get meanwhile, p99", unit: 'ms', most: 50 },
  { of: 'worst', what: "somebody else's get meanwhile, worst", unit: 'ms' },
]

build()
const results = new Map<Who, Figures>()
for (const who of values.only.split(',') as Who[]) {
  const figures = await measure(who)
  results.set(who, figures)
  process.stderr.write(`${who}: ${JSON.stringify(figures)}\n`)
}
const real = results.get('real')
for (const [who, figures] of results) {
  if (who === 'real') continue
  for (const { of, what, unit, most } of LINES) {
    report({
      name: `${what} (${who})`,
      value: figures[of],
      unit,
      ...(most === undefined ? {} : { goal: { sign: '<=', value: most } }),
      ...(real === undefined ? {} : { beside: `kube-apiserver ${real[of].toFixed(1)} ${unit}` }),
    })
  }
}
