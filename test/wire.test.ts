/**
 * The wire, byte for byte where clients see it: the same requests to a real kube-apiserver and to the embedded server.
 * What differs and may is in wire/harmless.ts, with its reason.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCluster } from '../src/cluster/cluster.ts'
import { jsonLog } from '../src/cluster/log.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { asker, type Answered, type Ask } from './support/ask.ts'
import { startControlPlane } from './support/control-plane.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'
import { harmless } from './wire/harmless.ts'
import { difference, shown } from './wire/normalise.ts'
import { requests, tableRequests, type WireRequest } from './wire/requests.ts'

const programs = findControlPlane()

interface Server extends AsyncDisposable {
  readonly ask: Ask
  compact(): Promise<void>
}

test('lists, watches, discovery and negotiation', { skip: skipWithout(programs, 'a control plane') }, async (t) => {
  await using real = await startReal()
  await using ours = await startOurs()
  const all = [...requests, ...tableRequests(await listable(real.ask))]
  const names = { real: new Map<string, string>(), ours: new Map<string, string>() }
  let compared = 0
  for (const request of all) {
    if (request.compacted === true) await Promise.all([real.compact(), ours.compact()])
    const { method = 'GET', path, headers } = request
    const what = [method, path, headers?.['accept'] ?? '', headers?.['content-type'] ?? ''].join(' ').trim()
    const [theirs, own] = await Promise.all([send(real.ask, request, names.real), send(ours.ask, request, names.ours)])
    if (request.setup === true) {
      assert.equal(own.status, theirs.status, `${what}: ${own.body.toString()}`)
      continue
    }
    compared++
    const head = request.head === true || method === 'HEAD'
    const pretty = /pretty|curl|Mozilla/.test(`${path} ${headers?.['user-agent'] ?? ''}`)
    const a = shown(theirs, head, pretty)
    const b = shown(own, head, pretty)
    await t.test(what, () => {
      const reason = harmless(what)
      if (reason === undefined) assert.equal(difference(a, b), '')
      else assert.notEqual(difference(a, b), '', `it differs no longer, take it out of harmless.ts: ${reason}`)
    })
  }
  t.diagnostic(`${compared} requests compared`)
})

async function send(ask: Ask, request: WireRequest, names: Map<string, string>): Promise<Answered> {
  const fill = (text: string) => text.replaceAll(/\$([A-Z]+\d?)/g, (_, name: string) => names.get(name) ?? '')
  const headers: Record<string, string> = { 'user-agent': 'wire' }
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name] = fill(value)
  const answer = await ask(fill(request.path), {
    method: request.method ?? 'GET',
    headers,
    cut: 5000,
    ...(request.body !== undefined && { body: request.body }),
  })
  for (const [name, place] of Object.entries(request.keep ?? {})) {
    if (place.startsWith('header:')) names.set(name, answer.headers[place.slice(7)] ?? '')
    else {
      let value: unknown = JSON.parse(answer.body.toString())
      for (const step of place.split('.')) value = (value as Record<string, unknown> | undefined)?.[step]
      names.set(name, String(value as string))
    }
  }
  return answer
}

/** Paths of what can be listed, from discovery. */
async function listable(ask: Ask): Promise<{ path: string; namespaced: boolean }[]> {
  const read = async <T>(path: string) => JSON.parse((await ask(path)).body.toString()) as T
  const { groups } = await read<{ groups: { versions: { groupVersion: string }[] }[] }>('/apis')
  const roots = ['/api/v1', ...groups.flatMap((g) => g.versions.map((v) => `/apis/${v.groupVersion}`))]
  const out: { path: string; namespaced: boolean }[] = []
  for (const root of roots) {
    const { resources } = await read<{ resources: { name: string; namespaced: boolean; verbs: string[] }[] }>(root)
    for (const { name, namespaced, verbs } of resources) {
      if (!name.includes('/') && verbs.includes('list')) out.push({ path: `${root}/${name}`, namespaced })
    }
  }
  return out
}

async function startReal(): Promise<Server> {
  const plane = await startControlPlane({
    programs: programs!,
    controllers: false,
    frontProxy: true,
    // Pages of a list that the cache still knows would come although the history is gone.
    apiserver: ['--feature-gates=ListFromCacheSnapshot=false'],
  })
  const ask = asker(plane.kubeconfig)
  return {
    ask,
    async compact() {
      const body = (object: object) => ({ method: 'POST', body: JSON.stringify(object) })
      const range = await fetch(`${plane.etcd}/v3/kv/range`, body({ key: Buffer.from('/').toString('base64') }))
      const { header } = (await range.json()) as { header: { revision: string } }
      await fetch(`${plane.etcd}/v3/kv/compaction`, body({ revision: header.revision, physical: true }))
    },
    async [Symbol.asyncDispose]() {
      ask[Symbol.dispose]()
      await plane[Symbol.asyncDispose]()
    },
  }
}

async function startOurs(): Promise<Server> {
  const store = memoryStore()
  const runtime = new Runtime({ log: jsonLog((line) => process.stderr.write(line), 'error'), store })
  const cluster = await startCluster({
    runtime,
    id: 'cluster',
    name: 'wire',
    controllers: () => [],
    logs: () => {
      throw new Error('no logs')
    },
  })
  const ask = asker(cluster.kubeconfig)
  return {
    ask,
    compact: async () => store.compact(0),
    async [Symbol.asyncDispose]() {
      ask[Symbol.dispose]()
      await cluster.stop()
      await runtime.close()
    },
  }
}
