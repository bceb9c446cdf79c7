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
import { actOf, fillerOf, NAMESPACE, write, type Acknowledged } from './server-kill/writer.ts'
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

/** Load until the kill: what every writer was told last. */
async function load(kubeconfig: string, round: number, seen: Seen, kill: () => Promise<void>) {
  const session = new Session(kubeconfig, { quiet: true })
  const reader = new Session(kubeconfig, { quiet: true })
  const newest = new Map<string, Acknowledged>()
  const path = `/api/v1/namespaces/${NAMESPACE}/configmaps`
  const watching = reader.watch(`${path}?watch=1`)
  watching.setEncoding('utf8').on('data', (piece: string) => seen.see(piece))
  watching.on('error', () => undefined)
  const names = Array.from({ length: WRITERS }, (_, i) => `r${round}-w${i}`)
  const writers = names.map((name) =>
    write(session, name, (acknowledged) => {
      newest.set(name, acknowledged)
      seen.revision = Math.max(seen.revision, acknowledged.revision)
    }),
  )
  const lists = (async () => {
    for (;;) {
      const answer = await reader.send(`${path}?limit=5`, { keep: true }).catch(() => undefined)
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

function check(name: string, object: KubeObject | undefined, acknowledged: Acknowledged | undefined): void {
  const last = acknowledged?.step ?? -1
  const now = `${name}: step ${last} acknowledged, found ${object === undefined ? 'nothing' : object['data'].step}`
  if (object === undefined) {
    assert.ok(last === -1 || actOf(last) === 'delete' || actOf(last + 1) === 'delete', now)
    return
  }
  const step = Number(object['data'].step)
  assert.ok(step === last || step === last + 1, now)
  assert.equal(object['data'].filler, fillerOf(name, step), now)
  assert.match(object.metadata.uid ?? '', /^[0-9a-f-]{36}$/)
  assert.ok((object.metadata.managedFields ?? []).length > 0, now)
  if (step === last) assert.equal(Number(object.metadata.resourceVersion), acknowledged!.revision, now)
}

describe(`an API server killed under mixed load, ${rounds} times`, () => {
  it(
    'loses no acknowledged write, halves none, and its revisions never go back',
    { timeout: 60_000 + rounds * 15_000 },
    async () => {
      using tenantry = new Tenantry()
      const data = mkdtempSync(join(tmpdir(), 'tenantry-server-kill-'))
      const file = join(data, 'kubeconfig')
      const command = `cluster --controllers none --data-dir ${data} --port ${await freePort()} --write-kubeconfig ${file}`
      const seen = new Seen()
      let kept: readonly KubeObject[] = []
      let steps = 0
      let server = await tenantry.start(command)
      try {
        const first = new Session(readFileSync(file, 'utf8'))
        const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } }
        await first.must('/api/v1/namespaces', { method: 'POST', body: JSON.stringify(namespace) })
        first.close()
        for (let round = 0; round < rounds; round++) {
          const killed = server
          const newest = await load(readFileSync(file, 'utf8'), round, seen, async () => {
            assert.equal(await end(killed.child, 'SIGKILL'), 'SIGKILL')
          })
          server = await tenantry.start(command)
          const session = new Session(readFileSync(file, 'utf8'))
          const { text } = await session.must(`/api/v1/namespaces/${NAMESPACE}/configmaps`, { keep: true })
          const list = JSON.parse(text) as List
          const revision = Number(list.metadata.resourceVersion)
          assert.ok(revision >= seen.revision, `revision ${revision} after ${seen.revision} was seen`)
          seen.revision = revision
          const found = new Map(list.items.map((object) => [object.metadata.name!, object]))
          for (const object of kept) assert.deepEqual(found.get(object.metadata.name!), object)
          for (let i = 0; i < WRITERS; i++) {
            const name = `r${round}-w${i}`
            check(name, found.get(name), newest.get(name))
            steps += (newest.get(name)?.step ?? -1) + 1
          }
          // What this round left must be there after the next one; what was there before has been seen once more.
          for (const { metadata } of kept)
            await session.must(`/api/v1/namespaces/${NAMESPACE}/configmaps/${metadata.name}`, { method: 'DELETE' })
          kept = list.items.filter(({ metadata }) => metadata.name!.startsWith(`r${round}-`))
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
