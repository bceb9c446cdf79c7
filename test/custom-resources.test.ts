/**
 * Custom resources in two versions with a real HTTPS conversion webhook, used with kubectl: what upstream's conformance
 * tests of conversion webhooks and field selectors do, whose webhook is a pod there.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { httpsServer } from '../src/apiserver/dial/fixture.ts'
import { createCluster } from '../src/index.ts'
import { eventually } from './support/eventually.ts'
import { findKubectl, skipWithout } from './support/kubernetes.ts'
import { Kubectl } from './support/kubectl.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- objects of a kind that only this test knows
type Any = any

const GROUP = 'stable.example.com'
const kubectlProgram = findKubectl()

/** v1 has `hostPort`, v2 has `host` and `port`. */
function convert(object: Any, to: string): Any {
  if (object.apiVersion === to) return object
  const { hostPort, host, port, ...rest } = object
  if (to.endsWith('/v1')) return { ...rest, apiVersion: to, hostPort: `${host}:${port}` }
  const [left, right] = hostPort.split(':')
  return { ...rest, apiVersion: to, host: left, port: right }
}

async function startWebhook(t: TestContext): Promise<{ url: string; caBundle: string; calls: number[] }> {
  const calls: number[] = []
  const { url, ca } = await httpsServer(t, (_request, response, body) => {
    const { request } = JSON.parse(body.toString('utf8')) as Any
    calls.push(request.objects.length)
    response.setHeader('content-type', 'application/json').end(
      JSON.stringify({
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'ConversionReview',
        response: {
          uid: request.uid,
          result: { status: 'Success' },
          convertedObjects: request.objects.map((object: Any) => convert(object, request.desiredAPIVersion)),
        },
      }),
    )
  })
  return { url: `${url}/convert`, caBundle: Buffer.from(ca).toString('base64'), calls }
}

function definition({ url, caBundle }: { url: string; caBundle: string }): Any {
  const version = (name: string, fields: readonly string[]) => ({
    name,
    served: true,
    storage: name === 'v1',
    selectableFields: fields.map((field) => ({ jsonPath: `.${field}` })),
    additionalPrinterColumns: fields.map((field) => ({ name: field, type: 'string', jsonPath: `.${field}` })),
    schema: {
      openAPIV3Schema: {
        type: 'object',
        properties: Object.fromEntries([...fields, 'note'].map((field) => [field, { type: 'string' }])),
        'x-kubernetes-validations': [{ rule: `self.${fields[0]} != "nowhere"`, message: 'there is no nowhere' }],
      },
    },
  })
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `endpoints.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'endpoints', kind: 'Endpoint', shortNames: ['epx'], categories: ['everything'] },
      versions: [version('v1', ['hostPort']), version('v2', ['host', 'port'])],
      conversion: {
        strategy: 'Webhook',
        webhook: { conversionReviewVersions: ['v1'], clientConfig: { url, caBundle } },
      },
    },
  }
}

const v1 = (name: string, hostPort: string): Any => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Endpoint',
  metadata: { name },
  hostPort,
})
const v2 = (name: string, host: string, port: string): Any => ({
  apiVersion: `${GROUP}/v2`,
  kind: 'Endpoint',
  metadata: { name },
  host,
  port,
})

test(
  'a custom resource with a conversion webhook, used with kubectl',
  { skip: skipWithout(kubectlProgram, 'kubectl') },
  async (t) => {
    const hook = await startWebhook(t)
    await using cluster = await createCluster({ nodes: 0 })
    using kubectl = new Kubectl(kubectlProgram!, cluster.kubeconfig)
    const send = (command: string, object: Any) => kubectl.run(`${command} -f -`, { stdin: JSON.stringify(object) })
    const get = async (words: string): Promise<Any> => JSON.parse(await kubectl.run(`get ${words} -o json`)) as Any
    const names = async (words: string) => (await get(words)).items.map((item: Any) => item.metadata.name).sort()
    const at = (version: string) => `endpoints.${version}.${GROUP}`

    await t.test('is defined', async () => {
      await send('create', definition(hook))
      await kubectl.run(`wait --for=condition=Established crd/endpoints.${GROUP} --timeout=20s`)
      assert.match(await kubectl.run(`explain endpoints --api-version=${GROUP}/v2 --recursive`), /host\s+<string>/)
      assert.match(await kubectl.run('api-resources --categories=everything'), /endpoints +epx +stable\.example\.com/)
    })

    await t.test('objects are made in either version and read in either', async () => {
      assert.match(await send('create', v1('a', 'host1:80')), /endpoint\.stable\.example\.com\/a created/)
      await send('apply', v2('b', 'host1', '8080'))
      await send('apply --server-side', v2('c', 'host2', '80'))
      const asV2 = await get(`${at('v2')} a`)
      assert.deepEqual([asV2.apiVersion, asV2.host, asV2.port], [`${GROUP}/v2`, 'host1', '80'])
      const list = await get(at('v1'))
      assert.deepEqual(
        list.items.map((item: Any) => [item.metadata.name, item.apiVersion, item.hostPort]),
        [
          ['a', `${GROUP}/v1`, 'host1:80'],
          ['b', `${GROUP}/v1`, 'host1:8080'],
          ['c', `${GROUP}/v1`, 'host2:80'],
        ],
      )
      assert.match(
        await kubectl.run(`get ${at('v2')}`),
        /^NAME +HOST +PORT\na +host1 +80\nb +host1 +8080\nc +host2 +80\n$/,
      )
      assert.match(await kubectl.run('get epx'), /^NAME +HOST +PORT\n/)
    })

    await t.test('fields are selected in the version that is asked for', async () => {
      assert.deepEqual(await names(`${at('v1')} --field-selector=hostPort=host1:80`), ['a'])
      assert.deepEqual(await names(`${at('v2')} --field-selector=host=host1`), ['a', 'b'])
      assert.deepEqual(await names(`${at('v2')} --field-selector=host!=host1,port=80`), ['c'])
      const { stderr } = await kubectl.try(`get ${at('v2')} --field-selector=hostPort=host1:80`)
      assert.match(stderr, /field label not supported: hostPort/)
    })

    await t.test('changes are shown in the version that is asked for, in order', async () => {
      const seen = await kubectl.watch(
        `get ${at('v2')} -w --field-selector=host=host1 --no-headers -o custom-columns=N:.metadata.name,H:.host,P:.port`,
        (output) => /d +host1 +3\n/.test(output),
        async () => {
          await send('create', v1('d', 'host1:1'))
          for (const n of [2, 3])
            await kubectl.run(['patch', at('v1'), 'd', '--type=merge', '-p', `{"hostPort":"host1:${n}"}`])
        },
      )
      assert.deepEqual(
        [...seen.matchAll(/^d +host1 +(\d)$/gm)].map((line) => line[1]),
        ['1', '2', '3'],
      )
    })

    await t.test('kubectl edits, diffs and applies in one version what the other manages', async () => {
      await kubectl.run(['patch', at('v2'), 'a', '--type=merge', '-p', '{"port":"81"}'])
      assert.equal((await get(`${at('v1')} a`)).hostPort, 'host1:81')
      const conflict = await kubectl.try('apply --server-side --field-manager=other -f -', {
        stdin: JSON.stringify(v1('c', 'host2:81')),
      })
      assert.match(conflict.stderr, /conflict with "kubectl": \.port\n/)
      await send('apply --server-side --field-manager=other --force-conflicts', v1('c', 'host2:81'))
      assert.equal((await get(`${at('v2')} c`)).port, '81')
      const refused = await kubectl.try('apply --server-side --force-conflicts -f -', {
        stdin: JSON.stringify(v2('c', 'nowhere', '1')),
      })
      assert.match(refused.stderr, /there is no nowhere/)
    })

    await t.test('another version stores', async () => {
      const patch = JSON.stringify([
        { op: 'replace', path: '/spec/versions/0/storage', value: false },
        { op: 'replace', path: '/spec/versions/1/storage', value: true },
      ])
      await kubectl.run(['patch', `crd/endpoints.${GROUP}`, '--type=json', '-p', patch])
      await eventually('both versions are stored', async () => {
        const { status } = await get(`crd endpoints.${GROUP}`)
        return status.storedVersions.join() === 'v1,v2'
      })
      await send('create', v1('e', 'host3:80'))
      // Half of the list is stored in the one version, half in the other.
      for (const version of ['v1', 'v2']) {
        const { items } = await get(at(version))
        assert.deepEqual(
          items.map((item: Any) => [item.metadata.name, item.apiVersion]),
          ['a', 'b', 'c', 'd', 'e'].map((name) => [name, `${GROUP}/${version}`]),
        )
      }
      await send('create', {
        apiVersion: 'storagemigration.k8s.io/v1',
        kind: 'StorageVersionMigration',
        metadata: { name: 'endpoints' },
        spec: { resource: { group: GROUP, resource: 'endpoints' } },
      })
      await kubectl.run('wait --for=condition=Succeeded storageversionmigration/endpoints --timeout=30s')
    })

    await t.test('a selection is deleted in the version that selects it', async () => {
      await kubectl.run(`delete ${at('v2')} --field-selector=host=host1`)
      assert.deepEqual(await names(at('v1')), ['c', 'e'])
    })

    await t.test('the definition goes with all that is left, whether the webhook answers or not', async () => {
      const patch = JSON.stringify({
        spec: { conversion: { webhook: { clientConfig: { url: 'https://127.0.0.1:1/convert' } } } },
      })
      await kubectl.run(['patch', `crd/endpoints.${GROUP}`, '--type=merge', '-p', patch])
      await eventually('the webhook is not reached', async () => {
        const { stderr } = await kubectl.try(`get ${at('v1')} c`)
        return /conversion webhook for stable\.example\.com\/v2, Kind=Endpoint failed: /.test(stderr)
      })
      await kubectl.run(`get ${at('v2')} c`)
      await kubectl.run(`delete crd endpoints.${GROUP} --timeout=30s`)
    })
  },
)
