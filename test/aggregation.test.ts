/** An aggregated API server that nobody here wrote, registered in the embedded cluster and in the real one. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Client } from '../src/client/contract.ts'
import { HttpsClient } from '../src/client/https.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { resources } from '../src/client/resources.ts'
import { createCluster } from '../src/index.ts'
import { registration, startSampleApiServer, type SampleApiServer } from './aggregation/sample-apiserver.ts'
import { asker, type Ask } from './support/ask.ts'
import { startControlPlane } from './support/control-plane.ts'
import { eventually } from './support/eventually.ts'
import { Kubectl } from './support/kubectl.ts'
import { findControlPlane, skipWithout } from './support/kubernetes.ts'

const programs = findControlPlane()
const APISERVICES = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  resource: 'apiservices',
  kind: 'APIService',
  namespaced: false,
}
const FLUNDERS = {
  group: 'wardle.example.com',
  version: 'v1alpha1',
  resource: 'flunders',
  kind: 'Flunder',
  namespaced: true,
}
const NAME = 'v1alpha1.wardle.example.com'

interface Server extends AsyncDisposable {
  readonly kubeconfig: string
}

const servers: Record<string, () => Promise<Server>> = {
  'embedded cluster': () => createCluster({ nodes: 0 }),
  'kube-apiserver': () => startControlPlane({ programs: programs!, frontProxy: true }),
}

for (const [name, start] of Object.entries(servers)) {
  describe(name, { skip: skipWithout(programs, 'a control plane') }, () => suite(start))
}

function suite(start: () => Promise<Server>): void {
  let server: Server
  let sample: SampleApiServer
  let kubectl: Kubectl
  let client: Client
  let ask: Ask

  const condition = async () => {
    const object = await client.get(APISERVICES, NAME)
    return (object['status'] as { conditions?: { type: string; status: string; reason: string; message: string }[] })
      .conditions?.[0]
  }
  const reason = (wanted: string) =>
    eventually(`condition ${wanted}`, async () => (await condition())?.reason === wanted, 60_000)

  before(async () => {
    server = await start()
    sample = await startSampleApiServer({ programs: programs!, kubeconfig: server.kubeconfig })
    kubectl = new Kubectl(join(programs!, 'kubectl'), server.kubeconfig)
    ask = asker(server.kubeconfig)
    client = new HttpsClient(parseKubeconfig(server.kubeconfig))
  })
  after(async () => {
    ask?.[Symbol.dispose]()
    await client?.close()
    kubectl?.[Symbol.dispose]()
    await sample?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  it('groups of its own are registered', async () => {
    const listed = await eventually('API services', async () => {
      const { items } = await client.list(APISERVICES)
      return items.length > 20 && items
    })
    const apps = listed.find(({ metadata }) => metadata.name === 'v1.apps')!
    assert.deepEqual(apps['spec'], { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 })
    assert.deepEqual(apps.metadata.labels, { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' })
    assert.equal(
      listed.some(({ metadata }) => metadata.name === 'v1.apiregistration.k8s.io'),
      false,
    )
    const [available] = (apps['status'] as { conditions: object[] }).conditions
    assert.partialDeepStrictEqual(available, {
      type: 'Available',
      status: 'True',
      reason: 'Local',
      message: 'Local APIServices are always available',
    })
    assert.match(await kubectl.run('get apiservices v1.apps'), /v1\.apps +Local +True +/)
  })

  it('becomes available step by step', async () => {
    const [namespace, service, slice, ...apis] = registration(sample)
    const apply = (object: object) => kubectl.run('apply -f -', { stdin: JSON.stringify(object) })
    for (const api of apis) await apply(api)
    await reason('ServiceNotFound')
    assert.equal((await condition())!.message, 'service/api in "wardle" is not present')
    await apply(namespace!)
    await apply({ ...service, spec: { ports: [{ name: 'other', port: 80 }] } })
    await reason('ServicePortError')
    assert.equal((await condition())!.message, 'service/api in "wardle" is not listening on port 443')
    await apply(service!)
    await reason('EndpointsNotFound')
    assert.equal((await condition())!.message, 'cannot find endpointslices for service/api in "wardle"')
    await apply({ ...slice, endpoints: [] })
    await reason('MissingEndpoints')
    assert.equal(
      (await condition())!.message,
      'endpointslices for service/api in "wardle" have no addresses with port name "https"',
    )
    await apply(slice!)
    await reason('Passed')
    assert.partialDeepStrictEqual(await condition(), { status: 'True', message: 'all checks passed' })
    assert.match(await kubectl.run(`get apiservices ${NAME}`), /v1alpha1\.wardle\.example\.com +wardle\/api +True +/)
  })

  it('discovery and OpenAPI have it in its place', async () => {
    await eventually('flunders in discovery', async () =>
      (await kubectl.run('api-resources --api-group=wardle.example.com')).includes('flunders'),
    )
    const groups = JSON.parse(await client.raw('GET', '/apis')) as { groups: { name: string }[] }
    const names = groups.groups.map(({ name }) => name)
    assert.equal(names.at(-1), 'wardle.example.com')
    assert.deepEqual(JSON.parse(await client.raw('GET', '/apis/wardle.example.com')), {
      kind: 'APIGroup',
      apiVersion: 'v1',
      name: 'wardle.example.com',
      versions: [
        { groupVersion: 'wardle.example.com/v1beta1', version: 'v1beta1' },
        { groupVersion: 'wardle.example.com/v1alpha1', version: 'v1alpha1' },
      ],
      preferredVersion: { groupVersion: 'wardle.example.com/v1beta1', version: 'v1beta1' },
    })
    const v3 = await eventually('version 3', async () => {
      const { paths } = JSON.parse(await client.raw('GET', '/openapi/v3')) as {
        paths: Record<string, { serverRelativeURL: string } | undefined>
      }
      return paths['apis/wardle.example.com/v1alpha1']
    })
    const document = JSON.parse(await client.raw('GET', v3.serverRelativeURL)) as { paths: object }
    assert.ok(Object.hasOwn(document.paths, '/apis/wardle.example.com/v1alpha1/namespaces/{namespace}/flunders'))
    await eventually('version 2', async () => {
      const { paths, definitions } = JSON.parse(await client.raw('GET', '/openapi/v2')) as {
        paths: object
        definitions: object
      }
      return (
        Object.hasOwn(paths, '/apis/wardle.example.com/v1alpha1/namespaces/{namespace}/flunders') &&
        Object.keys(definitions).some((name) => name.endsWith('.Flunder'))
      )
    })
    const accept = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'
    const encoded = (await ask('/openapi/v2', { headers: { accept } })).body
    for (const path of ['/apis/wardle.example.com/v1alpha1/namespaces/{namespace}/flunders', '/api/v1/nodes'])
      assert.ok(encoded.includes(`${path}\x12`), path)
    // kubectl may know older documents for a moment.
    const explained = await eventually('an explanation', async () => {
      const { code, stdout } = await kubectl.try('explain flunders --api-version=wardle.example.com/v1alpha1')
      return code === 0 && stdout
    })
    assert.match(explained, /KIND: +Flunder/)
  })

  it('kubectl works with its objects', async () => {
    const flunder = (name: string, reference: string) => ({
      apiVersion: 'wardle.example.com/v1alpha1',
      kind: 'Flunder',
      metadata: { name, namespace: 'default' },
      spec: { reference },
    })
    const stdin = JSON.stringify(flunder('one', 'first'))
    assert.equal(await kubectl.run('create -f -', { stdin }), 'flunder.wardle.example.com/one created\n')
    const again = await kubectl.try('create -f -', { stdin })
    assert.match(again.stderr, /AlreadyExists.*flunders\.wardle\.example\.com "one" already exists/)
    assert.match(await kubectl.run('get flunders'), /^NAME +CREATED AT\none +/)
    const seen = await kubectl.watch(
      'get flunders --watch',
      (output) => output.includes('two'),
      () => kubectl.run('create -f -', { stdin: JSON.stringify(flunder('two', 'second')) }),
    )
    assert.match(seen, /one[\s\S]*two/)
    const patch = ['patch', 'flunder', 'one', '--type=merge', '-p', '{"metadata":{"labels":{"seen":"yes"}}}']
    await kubectl.run(patch)
    const { metadata } = await client.get(FLUNDERS, 'one', { namespace: 'default' })
    assert.deepEqual(metadata.labels, { seen: 'yes' })
    assert.match(await kubectl.run('delete flunder two'), /flunder.*two.* deleted/)
  })

  it('its objects go with their namespaces and their owners', async () => {
    await kubectl.run('create namespace brief')
    await kubectl.run('create configmap owner -n brief')
    const owner = await client.get(resources.configmaps, 'owner', { namespace: 'brief' })
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid! }]
    const flunder = (name: string, metadata: object) => ({
      apiVersion: 'wardle.example.com/v1alpha1',
      kind: 'Flunder',
      metadata: { name, namespace: 'brief', ...metadata },
    })
    for (const object of [flunder('owned', { ownerReferences }), flunder('free', {})]) {
      await kubectl.run('create -f -', { stdin: JSON.stringify(object) })
    }
    await kubectl.run('delete configmap owner -n brief')
    const names = async () =>
      (await client.list(FLUNDERS, { namespace: 'brief' })).items.map((one) => one.metadata.name)
    await eventually('the owned one is collected', async () => (await names()).join() === 'free', 90_000)
    await kubectl.run('delete namespace brief --timeout=60s')
    assert.deepEqual(await names(), [])
  })

  it('who asks is told, and judged twice', async () => {
    const denied = await kubectl.try('get flunders --as=jane --as-group=team')
    assert.match(denied.stderr, /flunders\.wardle\.example\.com is forbidden: User "jane" cannot list resource/)
    await kubectl.run('create clusterrole flunders --verb=list --resource=flunders.wardle.example.com')
    await kubectl.run('create clusterrolebinding flunders --clusterrole=flunders --group=team')
    assert.match(await kubectl.run('get flunders --as=jane --as-group=team'), /one/)
  })

  it('without its server, it is unavailable and all else works', async () => {
    await sample.kill()
    await reason('FailedDiscoveryCheck')
    assert.match((await condition())!.message, /^failing or missing response from https:\/\/.*connection refused$/)
    await assert.rejects(client.raw('GET', '/apis/wardle.example.com/v1alpha1'), /service unavailable/)
    const get = await kubectl.try('get flunders')
    assert.match(get.stderr, /the server is currently unable to handle the request/)
    await eventually('stale discovery', async () => (await freshness()).every((one) => one === 'Stale'), 90_000)
    assert.match(await kubectl.run('get namespaces'), /wardle/)
    await kubectl.run('create namespace stuck')
    await kubectl.run('delete namespace stuck --wait=false')
    const failure = await eventually('the namespace waits', async () => {
      const { status } = await client.get(resources.namespaces, 'stuck')
      const { conditions = [] } = status as { conditions?: { type: string; status: string; message: string }[] }
      return conditions.find(({ type, status: is }) => type === 'NamespaceDeletionDiscoveryFailure' && is === 'True')
    })
    assert.match(failure.message, /^Discovery failed for some groups, \d failing: unable to retrieve the complete list/)
    assert.match(failure.message, /wardle\.example\.com\/v1alpha1: stale GroupVersion discovery: wardle/)
  })

  it('and comes back with it', async () => {
    await sample.start()
    await reason('Passed')
    await eventually('fresh discovery', async () => (await freshness()).every((one) => one === 'Current'), 90_000)
    assert.match(await kubectl.run('get flunders'), /one/)
    await eventually('the namespace goes', async () => (await kubectl.try('get namespace stuck')).code !== 0, 90_000)
  })

  /** Of its versions, in aggregated discovery. */
  async function freshness(): Promise<(string | undefined)[]> {
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const { body } = await ask('/apis', { headers: { accept } })
    const { items } = JSON.parse(body.toString()) as {
      items: { metadata: { name: string }; versions: { freshness?: string }[] }[]
    }
    const found = items.find(({ metadata }) => metadata.name === FLUNDERS.group)
    return found?.versions.map((version) => version.freshness) ?? []
  }
}
