/** Webhooks of hostile tenants: what they answer, and what others feel of it. */
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { suite, test } from 'node:test'
import type { TestContext } from 'node:test'
import { DialPools } from '../src/apiserver/dial/dialler.ts'
import { httpsServer } from '../src/apiserver/dial/fixture.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { startCluster } from '../src/cluster/cluster.ts'
import type { Cluster } from '../src/cluster/cluster.ts'
import { Runtime } from '../src/cluster/runtime.ts'
import { memoryStore } from '../src/store/memory.ts'
import { eventually } from './support/eventually.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const MAPS = '/api/v1/namespaces/default/configmaps'
const MI = 1024 * 1024

interface Answered {
  readonly code: number
  readonly body: { readonly message?: string; readonly reason?: string; readonly data?: Record<string, string> }
}

/** An admin's requests over TLS. */
function admin(t: TestContext, { kubeconfig }: Cluster) {
  const { server, ca, clientCertificate, clientKey } = parseKubeconfig(kubeconfig)
  const dialler = new DialPools({ lanes: { own: 1000, each: 1000 }, memory: { own: 512 * MI } }).dialler({
    cluster: 'test',
    services: { resolve: () => ({ host: '', port: 0 }) },
  })
  t.after(() => dialler.close())
  return async (method: string, path: string, body?: object): Promise<Answered> => {
    const mark = path.indexOf('?')
    const answer = await dialler.call({
      destination: { url: server + (mark < 0 ? path : path.slice(0, mark)) },
      ...(mark < 0 ? {} : { query: path.slice(mark + 1) }),
      caBundle: ca!,
      client: { certificate: clientCertificate!, key: clientKey! },
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      timeout: 60_000,
    })
    return { code: answer.status, body: JSON.parse(answer.body.toString()) as Answered['body'] }
  }
}

async function clusters(t: TestContext, ...names: string[]) {
  const runtime = new Runtime({ log: silent, store: memoryStore() })
  const all = await Promise.all(
    names.map((name) => startCluster({ runtime, id: name, name, controllers: () => [], logs: () => '' })),
  )
  t.after(async () => {
    await Promise.all(all.map((cluster) => cluster.stop()))
    await runtime.close()
  })
  const [first, second] = all.map((cluster) => admin(t, cluster))
  return { runtime, first: first!, second: second ?? first! }
}

const configuration = (kind: 'Mutating' | 'Validating', urls: readonly string[], more: object = {}) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: `${kind}WebhookConfiguration`,
  metadata: { name: 'hostile' },
  webhooks: urls.map((url, i) => ({
    name: `h${i}.example.com`,
    clientConfig: { url },
    rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    ...more,
  })),
})

const path = (kind: 'Mutating' | 'Validating') =>
  `/apis/admissionregistration.k8s.io/v1/${kind.toLowerCase()}webhookconfigurations`

const map = (name: string, data: object = { a: '1' }) => ({ metadata: { name }, data })

/** Longest time that the event loop did nothing else, in milliseconds. */
function stalls(): () => number {
  let worst = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    worst = Math.max(worst, now - last - 5)
    last = now
  }, 5)
  return () => {
    clearInterval(timer)
    return worst
  }
}

suite('hostile webhooks', () => {
  test('one tenant whose webhooks all hang delays no other tenant, and not its own other requests', async (t) => {
    const never = await httpsServer(t, () => undefined)
    const { runtime, first: hostile, second: good } = await clusters(t, 'hostile', 'good')
    const caBundle = Buffer.from(never.ca).toString('base64')
    const clientConfig = { url: never.url, caBundle }
    const made = await hostile(
      'POST',
      path('Validating'),
      configuration('Validating', [never.url], { clientConfig, timeoutSeconds: 20 }),
    )
    assert.equal(made.code, 201, String(made.body.message))
    const measure = async (what: string) => {
      const times: number[] = []
      for (let i = 0; i < 60; i++) {
        const started = performance.now()
        assert.equal((await good('POST', MAPS, map(`${what}-${i}`))).code, 201)
        assert.equal((await good('GET', `${MAPS}/${what}-${i}`)).code, 200)
        times.push(performance.now() - started)
      }
      times.sort((a, b) => a - b)
      t.diagnostic(`${what}: create and get take ${times[30]!.toFixed(1)} ms, 95th ${times[57]!.toFixed(1)} ms`)
      return { middle: times[30]!, longest: times[59]! }
    }
    const alone = await measure('alone')
    const hanging = Array.from({ length: 200 }, (_, i) => hostile('POST', MAPS, map(`hung-${i}`)))
    // All of them are under way, with their connections.
    await eventually('all hang', () => {
      const { running, waiting } = runtime.dials.load
      return running === 64 && waiting >= 100
    })
    // There are 64 seats in all, and more requests of one tenant wait than that: none of them has one.
    assert.ok(runtime.fairShare.load.seats < 8, `${runtime.fairShare.load.seats} seats`)
    const beside = await measure('beside')
    // A busy machine makes some take long; who waits for the other's webhooks takes seconds.
    assert.ok(beside.middle < Math.max(100, 5 * alone.middle), `${beside.middle} ms, ${alone.middle} ms alone`)
    assert.ok(beside.longest < 3000, `${beside.longest} ms`)
    const started = performance.now()
    assert.equal((await hostile('GET', '/api/v1/namespaces/default')).code, 200)
    assert.ok(performance.now() - started < 1000, 'its own reads go on')

    const ending = setInterval(() => never.server.closeAllConnections(), 50)
    const answers = await Promise.all(hanging)
    clearInterval(ending)
    const texts = answers.map(({ code, body }) => `${code} ${body.reason} ${body.message}`)
    const ended = /^500 InternalError .*: (?:EOF|read: connection reset by peer|context deadline exceeded)$/
    assert.deepEqual(
      texts.filter((text) => !ended.test(text)),
      [],
    )
  })

  const flood = (response: ServerResponse, head = ''): void => {
    response.setHeader('content-type', 'application/json')
    response.write(head)
    const chunk = Buffer.alloc(64 * 1024, ' ')
    const more = () => {
      while (!response.destroyed && response.write(chunk));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  }

  test('answers without an end take a bounded amount of memory and are a failure of the webhook', async (t) => {
    const server = await httpsServer(t, (_, response) => flood(response, '{"kind":'))
    const { first: ask } = await clusters(t, 'flooded')
    const caBundle = Buffer.from(server.ca).toString('base64')
    const urls = Array.from({ length: 8 }, () => server.url)
    const hooks = configuration('Validating', urls).webhooks.map((hook) => ({
      ...hook,
      clientConfig: { url: server.url, caBundle },
    }))
    assert.equal(
      (await ask('POST', path('Validating'), { ...configuration('Validating', urls), webhooks: hooks })).code,
      201,
    )
    globalThis.gc?.()
    const before = process.memoryUsage().rss
    let most = before
    const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 10)
    const answers = await Promise.all(Array.from({ length: 16 }, (_, i) => ask('POST', MAPS, map(`f-${i}`))))
    clearInterval(timer)
    for (const { code, body } of answers) {
      assert.equal(code, 500)
      assert.match(
        body.message!,
        /failed calling webhook "h\d.example.com": failed to call webhook: Post "https:.*the answer has more than \d+ bytes/,
      )
    }
    t.diagnostic(`128 endless answers: ${((most - before) / MI).toFixed(0)} MiB more`)
    assert.ok(most - before < 400 * MI, `${(most - before) / MI} MiB`)
  })

  test('huge patches, deep ones and ones that grow are refused or applied without a stall', async (t) => {
    const operations: Record<string, () => string> = {
      // 2.5 MB in one value: too large for the object, no harm for the server.
      '/large': () => JSON.stringify([{ op: 'add', path: '/data/large', value: 'x'.repeat(2.5 * MI) }]),
      '/many': () =>
        JSON.stringify(Array.from({ length: 20_000 }, (_, i) => ({ op: 'add', path: `/data/k${i}`, value: '1' }))),
      '/copies': () =>
        JSON.stringify([
          { op: 'add', path: '/data/a', value: 'x'.repeat(MI / 2) },
          ...Array.from({ length: 64 }, (_, i) => ({ op: 'copy', from: '/data/a', path: `/data/c${i}` })),
        ]),
      '/deep': () => `[{"op":"add","path":"/data","value":${'['.repeat(100_000)}${']'.repeat(100_000)}}]`,
      '/long': () => JSON.stringify([{ op: 'add', path: `/${'a/'.repeat(500_000)}`, value: 1 }]),
      '/too-large': () => JSON.stringify([{ op: 'add', path: '/data/large', value: 'x'.repeat(4 * MI) }]),
      '/proto': () =>
        '[{"op":"add","path":"/data/__proto__","value":"own"},{"op":"add","path":"/__proto__","value":{"polluted":"yes"}}]',
    }
    const server = await httpsServer(t, (request, response, body) => {
      const { uid } = (JSON.parse(body.toString()) as { request: { uid: string } }).request
      const patch = Buffer.from(operations[request.url!.replace(/\?.*/, '')]!()).toString('base64')
      const answer = { uid, allowed: true, patchType: 'JSONPatch', patch }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: answer }))
    })
    const { first: ask } = await clusters(t, 'patched')
    const caBundle = Buffer.from(server.ca).toString('base64')
    for (const name of Object.keys(operations)) {
      const clientConfig = { url: server.url + name, caBundle }
      await ask('POST', path('Mutating'), configuration('Mutating', [server.url], { clientConfig }))
      const stop = stalls()
      const { code, body } = await ask('POST', `${MAPS}?dryRun=All`, map('patched'))
      const worst = stop()
      t.diagnostic(
        `${name}: ${code} ${(body.message ?? 'applied').slice(0, 140)}; longest stall ${worst.toFixed(0)} ms`,
      )
      if (name === '/proto') {
        assert.equal(code, 201)
        assert.ok(Object.hasOwn(body.data!, '__proto__'))
        assert.equal(({} as { polluted?: string }).polluted, undefined)
      } else assert.ok(code >= 400 && body.message !== undefined, name)
      assert.ok(worst < 500, `${name}: ${worst} ms`)
      await ask('DELETE', `${path('Mutating')}/hostile`)
    }
  })

  test('thousands of webhooks in one configuration cost their own cluster', async (t) => {
    const { first: hostile, second: good } = await clusters(t, 'many', 'beside')
    const webhooks = Array.from({ length: 3000 }, (_, i) => ({
      name: `h${i}.example.com`,
      clientConfig: { url: 'https://127.0.0.1:1/' },
      rules: [{ operations: ['DELETE'], apiGroups: ['*'], apiVersions: ['*'], resources: ['pods', 'configmaps/x'] }],
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    }))
    const made = await hostile('POST', path('Validating'), { ...configuration('Validating', []), webhooks })
    assert.equal(made.code, 201, String(made.body.message))
    const stop = stalls()
    await Promise.all(Array.from({ length: 50 }, (_, i) => hostile('POST', MAPS, map(`x-${i}`))))
    const started = performance.now()
    assert.equal((await good('POST', MAPS, map('quick'))).code, 201)
    assert.ok(performance.now() - started < 250)
    t.diagnostic(`longest stall ${stop().toFixed(0)} ms`)
  })
})
