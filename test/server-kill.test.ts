/**
 * `kill -9` of a whole API server while clients create, update, patch, apply, delete, list and watch over HTTP/2, again
 * and again on the same data. TENANTRY_KILL_ROUNDS says how often.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { KubeObject } from '../src/machinery/object.ts'
import { canonicalQuantity } from '../src/machinery/quantity.ts'
import { DEFINITION, NAMESPACE, QUOTA, SUBJECTS, type Subject } from './server-kill/subject.ts'
import { actOf, fillerOf, write, type Acknowledged, type Writer } from './server-kill/writer.ts'
import { eventually } from './support/eventually.ts'
import { freePort } from './support/processes.ts'
import { Session } from './support/session.ts'
import { end, Tenantry } from './support/tenantry.ts'

const rounds = Number(process.env['TENANTRY_KILL_ROUNDS'] ?? 3)
const WRITERS = 12

/** Remembers the newest revision that anybody was shown. */
class Seen {
  revision = 0
  see(text: string): void {
    for (const [, number] of text.matchAll(/"resourceVersion":"(\d+)"/g))
      this.revision = Math.max(this.revision, Number(number))
  }
}

interface List {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly KubeObject[]
}

const writersOf = (round: number): readonly Writer[] =>
  Array.from({ length: WRITERS }, (_, i) => ({ name: `r${round}-w${i}`, subject: SUBJECTS[i % SUBJECTS.length]! }))

/** Load until the kill: what every writer was told last. */
async function load(kubeconfig: string, round: number, seen: Seen, kill: () => Promise<void>) {
  const session = new Session(kubeconfig, { quiet: true })
  const reader = new Session(kubeconfig, { quiet: true })
  const newest = new Map<string, Acknowledged>()
  for (const { collection } of SUBJECTS) {
    const watching = reader.watch(`${collection}?watch=1`)
    watching.setEncoding('utf8').on('data', (piece: string) => seen.see(piece))
    watching.on('error', () => undefined)
  }
  const writers = writersOf(round).map((writer) =>
    write(session, writer, (acknowledged) => {
      newest.set(writer.name, acknowledged)
      seen.revision = Math.max(seen.revision, acknowledged.revision)
    }),
  )
  const lists = (async () => {
    for (let i = 0; ; i++) {
      const { collection } = SUBJECTS[i % SUBJECTS.length]!
      const answer = await reader.send(`${collection}?limit=5`, { keep: true }).catch(() => undefined)
      if (answer === undefined || answer.status !== 200) return
      seen.see(answer.text)
    }
  })()
  await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 600))
  await kill()
  await Promise.all([...writers, lists])
  session.close()
  reader.close()
  return newest
}

/** The number of the last step whose write is there. */
function check(
  { name, subject }: Writer,
  object: KubeObject | undefined,
  acknowledged: Acknowledged | undefined,
): number {
  const last = acknowledged?.step ?? -1
  const mark = object === undefined ? undefined : subject.markOf(object)
  const now = `${name}: step ${last} acknowledged, found ${mark?.step ?? 'nothing'}`
  if (object === undefined) {
    if (last === -1 || actOf(last) === 'delete') return last
    assert.equal(actOf(last + 1), 'delete', now)
    return last + 1
  }
  const step = Number(mark?.step)
  assert.ok(step === last || step === last + 1, now)
  assert.equal(mark?.filler, fillerOf(name, step), now)
  assert.match(object.metadata.uid ?? '', /^[0-9a-f-]{36}$/)
  assert.ok((object.metadata.managedFields ?? []).length > 0, now)
  if (step === last) assert.equal(Number(object.metadata.resourceVersion), acknowledged!.revision, now)
  return step
}

/** How many of the steps up to this one create. */
const creations = (step: number): number =>
  Array.from({ length: step + 1 }, (_, i) => i).filter((i) => actOf(i) === 'create').length

async function setUp(session: Session): Promise<void> {
  const post = (path: string, body: object): Promise<unknown> =>
    session.must(path, { method: 'POST', body: JSON.stringify(body) })
  await post('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  await post(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, account)
  await post('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION)
  await eventually('custom resources are served', () => session.must(SUBJECTS.at(-1)!.collection))
  const path = `/api/v1/namespaces/${NAMESPACE}/resourcequotas`
  await post(path, QUOTA)
  // No controller counts here: what a quota limits is counted from when its status has numbers.
  const used = Object.fromEntries(Object.keys(QUOTA.spec.hard).map((name) => [name, '0']))
  await session.must(`${path}/${QUOTA.metadata.name}/status`, {
    method: 'PATCH',
    type: 'application/merge-patch+json',
    body: JSON.stringify({ status: { hard: QUOTA.spec.hard, used } }),
  })
}

interface Found {
  readonly revision: number
  readonly objects: ReadonlyMap<Subject, ReadonlyMap<string, KubeObject>>
  /** By resource: what the quota says was created. */
  readonly used: Readonly<Record<string, string>>
}

async function find(session: Session): Promise<Found> {
  let revision = 0
  const objects = new Map<Subject, Map<string, KubeObject>>()
  for (const subject of SUBJECTS) {
    const { text } = await session.must(subject.collection, { keep: true })
    const { metadata, items } = JSON.parse(text) as List
    revision = Math.max(revision, Number(metadata.resourceVersion))
    objects.set(subject, new Map(items.map((object) => [object.metadata.name!, object])))
  }
  const path = `/api/v1/namespaces/${NAMESPACE}/resourcequotas/${QUOTA.metadata.name}`
  const quota = JSON.parse((await session.must(path, { keep: true })).text) as KubeObject
  return { revision, objects, used: (quota['status'] as { used: Record<string, string> }).used }
}

describe(`an API server killed under mixed load, ${rounds} times`, () => {
  it(
    'loses no acknowledged write, halves none, counts each once, and its revisions never go back',
    { timeout: 60_000 + rounds * 15_000 },
    async () => {
      using tenantry = new Tenantry()
      const data = mkdtempSync(join(tmpdir(), 'tenantry-server-kill-'))
      const file = join(data, 'kubeconfig')
      const command = `cluster --controllers none --data-dir ${data} --port ${await freePort()} --write-kubeconfig ${file}`
      const seen = new Seen()
      const created = new Map<Subject, number>(SUBJECTS.map((subject) => [subject, 0]))
      let kept: readonly (readonly [Subject, KubeObject])[] = []
      let steps = 0
      let server = await tenantry.start(command)
      try {
        const first = new Session(readFileSync(file, 'utf8'))
        await setUp(first)
        first.close()
        for (let round = 0; round < rounds; round++) {
          const killed = server
          const newest = await load(readFileSync(file, 'utf8'), round, seen, async () => {
            assert.equal(await end(killed.child, 'SIGKILL'), 'SIGKILL')
          })
          server = await tenantry.start(command)
          const session = new Session(readFileSync(file, 'utf8'))
          const { revision, objects, used } = await find(session)
          assert.ok(revision >= seen.revision, `revision ${revision} after ${seen.revision} was seen`)
          seen.revision = revision
          for (const [subject, object] of kept)
            assert.deepEqual(objects.get(subject)!.get(object.metadata.name!), object)
          const left: (readonly [Subject, KubeObject])[] = []
          for (const writer of writersOf(round)) {
            const object = objects.get(writer.subject)!.get(writer.name)
            const step = check(writer, object, newest.get(writer.name))
            created.set(writer.subject, created.get(writer.subject)! + creations(step))
            steps += step + 1
            if (object !== undefined) left.push([writer.subject, object])
          }
          for (const [{ resource }, count] of created)
            assert.equal(used[`count/${resource}`], canonicalQuantity(String(count)), resource)
          // What this round left must be there after the next one; what was there before has been seen once more.
          for (const [{ collection }, { metadata }] of kept)
            await session.must(`${collection}/${metadata.name}`, { method: 'DELETE' })
          kept = left
          session.close()
        }
        assert.ok(steps > rounds * 10, `only ${steps} steps were acknowledged: that proves nothing`)
      } finally {
        await end(server.child, 'SIGKILL')
        rmSync(data, { recursive: true, force: true })
      }
    },
  )
})
