/** What the benchmark does to a server: the same requests, whoever answers. */
import { mean, pause, percentile } from '../report.ts'
import { Session, type Send } from '../../test/support/session.ts'

/** Requests under way at a time. */
const CONCURRENCY = 16
const WATCHERS = 50
/** Writes each second while watchers listen. */
const RATE = 100

const podsOf = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`
const podOf = (namespace: string, i: number): string => `${podsOf(namespace)}/web-${i}`

/** A pod as a Deployment makes it. */
export function pod(i: number): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `web-${i}`,
      labels: { app: 'web', 'pod-template-hash': '5d4f8c7b9c', tier: 'front', shard: String(i % 8) },
      annotations: { 'example.com/config': 'a1b2c3d4e5f6', 'example.com/owner': 'team-a' },
    },
    spec: {
      containers: [
        {
          name: 'web',
          image: 'registry.example.com/web:1.27.3',
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          env: [
            { name: 'MODE', value: 'production' },
            { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '256Mi' } },
          readinessProbe: { httpGet: { path: '/ready', port: 8080 }, periodSeconds: 5 },
          volumeMounts: [{ name: 'cache', mountPath: '/cache' }],
        },
      ],
      volumes: [{ name: 'cache', emptyDir: {} }],
      terminationGracePeriodSeconds: 0,
    },
  })
}

/** The status that a kubelet reports when a pod runs; no two are the same. */
function status(pod: number, i: number): string {
  const time = new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString().replace('.000', '')
  const condition = (type: string) => ({ type, status: 'True', lastTransitionTime: time })
  return JSON.stringify({
    status: {
      phase: 'Running',
      hostIP: '10.0.0.1',
      podIP: `10.1.${(pod >> 8) & 255}.${pod & 255}`,
      podIPs: [{ ip: `10.1.${(pod >> 8) & 255}.${pod & 255}` }],
      startTime: time,
      conditions: ['Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(condition),
      containerStatuses: [
        {
          name: 'web',
          image: 'registry.example.com/web:1.27.3',
          imageID: 'registry.example.com/web@sha256:0123456789abcdef',
          containerID: `containerd://${'0'.repeat(56)}${i.toString(16).padStart(8, '0')}`,
          ready: true,
          started: true,
          restartCount: 0,
          state: { running: { startedAt: time } },
        },
      ],
    },
  })
}

const STRATEGIC = 'application/strategic-merge-patch+json'

type Requests = (i: number) => readonly [string, Send]

/** Sends `count` requests, 16 at a time; answers how many there were each second. */
async function rateOf(session: Session, count: number, request: Requests): Promise<number> {
  let next = 0
  const started = performance.now()
  const one = async (): Promise<void> => {
    while (next < count) {
      const [path, send] = request(next++)
      await session.must(path, send)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, one))
  return count / ((performance.now() - started) / 1000)
}

/** Namespaces with their default service account, which a controller would make. */
export async function prepare(session: Session, namespaces: readonly string[]): Promise<void> {
  for (const name of namespaces) {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
    await session.must('/api/v1/namespaces', { method: 'POST', body: JSON.stringify(namespace) })
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
    const path = `/api/v1/namespaces/${name}/serviceaccounts`
    await session.must(path, { method: 'POST', body: JSON.stringify(account) })
  }
}

export interface Figures {
  /** Requests each second. */
  readonly creates: number
  readonly gets: number
  readonly patches: number
  readonly deletes: number
  /** Milliseconds of a full list, the median of several. */
  readonly list2000: number
  readonly list10000: number
  /** Bytes of the list of 2,000. */
  readonly listBytes: number
  /** Milliseconds from the sending of a write until a watcher has its event. */
  readonly watchP50: number
  readonly watchP99: number
  /** Microseconds of the server's processor time that a request of a kind took. */
  readonly cost: Readonly<Record<string, number>>
}

/** Lists all pods of a namespace `rounds` times. */
async function list(session: Session, namespace: string, rounds: number): Promise<{ ms: number; bytes: number }> {
  const times: number[] = []
  let bytes = 0
  for (let i = 0; i < rounds; i++) {
    const started = performance.now()
    bytes = (await session.must(podsOf(namespace))).size
    times.push(performance.now() - started)
  }
  return { ms: percentile(times, 0.5), bytes }
}

/** 50 watchers of one namespace while 100 writes come each second. */
async function watch(kubeconfig: string, session: Session, namespace: string, seconds: number): Promise<number[]> {
  const listener = new Session(kubeconfig)
  const head = await session.must(`${podsOf(namespace)}?limit=1`, { keep: true })
  const from = /"resourceVersion":"(\d+)"/.exec(head.text)![1]
  const latencies: number[] = []
  const streams = Array.from({ length: WATCHERS }, () => {
    const stream = listener.watch(`${podsOf(namespace)}?watch=1&resourceVersion=${from}&timeoutSeconds=600`)
    stream.on('error', () => undefined)
    let rest = ''
    stream.setEncoding('latin1')
    stream.on('data', (piece: string) => {
      const now = performance.now()
      const text = rest + piece
      const end = text.lastIndexOf('\n') + 1
      rest = text.slice(end)
      for (let at = text.indexOf(MARK); at >= 0 && at < end; at = text.indexOf(MARK, at + 1)) {
        const from = at + MARK.length
        latencies.push(now - Number(text.slice(from, text.indexOf('"', from))))
      }
    })
    return stream
  })
  await pause(1500)
  const count = seconds * RATE
  const started = performance.now()
  const writes: Promise<unknown>[] = []
  for (let i = 0; i < count; i++) {
    const due = started + (i * 1000) / RATE
    if (due > performance.now()) await pause(due - performance.now())
    const body = `{"metadata":{"annotations":{"bench/sent":"${performance.now()}"}}}`
    const path = podOf(namespace, i % 200)
    writes.push(session.must(path, { method: 'PATCH', body, type: 'application/merge-patch+json' }))
  }
  await Promise.all(writes)
  const wanted = count * WATCHERS
  for (let waited = 0; latencies.length < wanted && waited < 30_000; waited += 100) await pause(100)
  for (const stream of streams) stream.destroy()
  listener.close()
  if (latencies.length < wanted) throw new Error(`watchers got ${latencies.length} events of ${wanted}`)
  return latencies
}

const MARK = '"bench/sent":"'

/**
 * The whole course over one server.
 *
 * @param cpu seconds of processor time that the server's processes have used so far
 */
export async function measure(kubeconfig: string, scale: number, cpu: () => number): Promise<Figures> {
  const session = new Session(kubeconfig)
  const cost: Record<string, number> = {}
  const rate = async (count: number, request: Requests, name?: string): Promise<number> => {
    const before = cpu()
    const result = await rateOf(session, count, request)
    if (name !== undefined) cost[name] = Math.round(((cpu() - before) / count) * 1e6)
    return result
  }
  const some = Math.round(2000 * scale)
  const many = Math.round(10_000 * scale)
  await prepare(session, ['warm', 'some', 'many'])
  const json = (method: string, body: string): Send => ({ method, body })
  // A client and a server that have just started are not what is measured.
  await rate(Math.min(500, some), (i) => [podsOf('warm'), json('POST', pod(i))])
  await rate(500, (i) => [podOf('warm', i % Math.min(500, some)), {}])
  const patch = (i: number): Send => ({ method: 'PATCH', body: status(i % some, i), type: STRATEGIC })
  await rate(500, (i) => [`${podOf('warm', i % Math.min(500, some))}/status`, patch(i)])

  const creates = [await rate(some, (i) => [podsOf('some'), json('POST', pod(i))], 'create')]
  const first = await list(session, 'some', 7)
  const gets = await rate(many, (i) => [podOf('some', i % some), {}], 'get')
  const patches = await rate(some * 2, (i) => [`${podOf('some', i % some)}/status`, patch(i)], 'patch')
  const latencies = await watch(kubeconfig, session, 'some', 10)
  creates.push(await rate(many, (i) => [podsOf('many'), json('POST', pod(i))], 'create, later'))
  const second = await list(session, 'many', 5)
  const deletes = await rate(some, (i) => [podOf('some', i), { method: 'DELETE' }], 'delete')
  session.close()
  return {
    creates: mean(creates),
    gets,
    patches,
    deletes,
    list2000: first.ms,
    list10000: second.ms,
    listBytes: first.bytes,
    watchP50: percentile(latencies, 0.5),
    watchP99: percentile(latencies, 0.99),
    cost,
  }
}
