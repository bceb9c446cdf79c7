/** Webhooks of virtual clusters: their Services are the host's, and what the manager's machine reaches is not theirs. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { suite, test } from 'node:test'
import type { TestContext } from 'node:test'
import { httpsServer } from '../src/apiserver/dial/fixture.ts'
import { createCluster, createVirtualCluster, resources, StatusError } from '../src/index.ts'
import type { Client, Resource } from '../src/index.ts'
import { eventually } from './support/eventually.ts'

const GROUP = 'admissionregistration.k8s.io'
const configurations: Resource = {
  group: GROUP,
  version: 'v1',
  resource: 'validatingwebhookconfigurations',
  kind: 'ValidatingWebhookConfiguration',
  namespaced: false,
}

interface Review {
  readonly request: { readonly uid: string; readonly userInfo: { readonly username: string } }
}

/** A webhook that refuses, under the name of a Service. */
async function webhook(t: TestContext, host = '127.0.0.1') {
  const asked: Review[] = []
  const server = await httpsServer(
    t,
    (_, response, body) => {
      const review = JSON.parse(body.toString()) as Review
      asked.push(review)
      const { uid } = review.request
      const status = { message: 'as the Service says' }
      const answer = {
        kind: 'AdmissionReview',
        apiVersion: 'admission.k8s.io/v1',
        response: { uid, allowed: false, status },
      }
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify(answer))
    },
    { host, dns: ['hook.system.svc'], ips: ['127.0.0.1'] },
  )
  return { ...server, asked }
}

const configuration = (clientConfig: object) => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'ValidatingWebhookConfiguration',
  metadata: { name: 'hook' },
  webhooks: [
    {
      name: 'hook.example.com',
      clientConfig,
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } },
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
    },
  ],
})

async function refusal(client: Client): Promise<string> {
  const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'x-' } }
  try {
    await client.create(resources.configmaps, object, { namespace: 'default' })
    return 'created'
  } catch (error) {
    assert.ok(error instanceof StatusError)
    return error.message
  }
}

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'hook', namespace: 'system' },
  spec: { ports: [{ name: 'https', port: 443, targetPort: 8443 }], selector: { app: 'hook' } },
}

const slice = (name: string, port: number) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${name}-by-hand`, labels: { 'kubernetes.io/service-name': name } },
  addressType: 'IPv4',
  ports: [{ name: 'https', port, protocol: 'TCP' }],
  endpoints: [{ addresses: [outward], conditions: { ready: true } }],
})

/** The host's object of a tenant's Service, and where it is. */
async function hostService(host: Client, uid: string) {
  return eventually('the Service is on the host', async () => {
    const labelSelector = `tenantry.dev/cluster-uid=${uid}`
    const { items } = await host.list(resources.services, { labelSelector })
    return items.find(({ metadata }) => metadata.annotations?.['tenantry.dev/name'] === 'hook')
  })
}

/** An address of this machine that an endpoint may have. */
const outward = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

suite('webhooks of a virtual cluster', () => {
  for (const engine of ['packed', 'dedicated'] as const) {
    test(
      `a Service is called at the endpoints that the host has of it (${engine})`,
      { skip: outward === undefined && 'no network' },
      async (t) => {
        const hook = await webhook(t, outward)
        await using host = await createCluster({ nodes: 1 })
        await using tenant = await createVirtualCluster({ host, name: 'team', engine })
        await using other = await createVirtualCluster({ host, name: 'other' })
        await tenant.client.create(resources.namespaces, {
          apiVersion: 'v1',
          kind: 'Namespace',
          metadata: { name: 'system' },
        })
        await tenant.client.create(resources.services, service)
        const caBundle = Buffer.from(hook.ca).toString('base64')
        const clientConfig = { service: { namespace: 'system', name: 'hook', path: '/v' }, caBundle }
        await tenant.client.create(configurations, configuration(clientConfig))
        await hostService(host.client, tenant.object.metadata.uid!)

        const where = 'Post "https://hook.system.svc:443/v?timeout=10s"'
        const nobody = `Internal error occurred: failed calling webhook "hook.example.com": failed to call webhook: ${where}: no endpoints available for service "hook"`
        assert.equal(await refusal(tenant.client), nobody)
        // What the tenant writes about endpoints is not asked: it could name any address.
        await tenant.client.create(resources.endpointslices, slice('hook', hook.port), { namespace: 'system' })
        assert.equal(await refusal(tenant.client), nobody)

        const { metadata } = await hostService(host.client, tenant.object.metadata.uid!)
        await host.client.create(resources.endpointslices, slice(metadata.name!, hook.port), {
          namespace: metadata.namespace!,
        })
        const said = 'admission webhook "hook.example.com" denied the request: as the Service says'
        assert.equal(await refusal(tenant.client), said)
        assert.equal(hook.asked.length, 1)

        // Another tenant names a Service of its own.
        await other.client.create(configurations, configuration(clientConfig))
        assert.match(await refusal(other.client), /: service "hook" not found$/)
      },
    )
  }

  test('the machine of the manager and metadata services are out of reach', async (t) => {
    const hook = await webhook(t)
    await using host = await createCluster({ nodes: 1 })
    await using tenant = await createVirtualCluster({ host, name: 'team' })
    const caBundle = Buffer.from(hook.ca).toString('base64')
    for (const url of [
      `https://127.0.0.1:${hook.port}/`,
      `https://localhost:${hook.port}/`,
      `https://[::ffff:7f00:1]:${hook.port}/`,
      'https://169.254.169.254/latest/meta-data',
      'https://0.0.0.0/',
    ]) {
      await tenant.client.create(configurations, configuration({ url, caBundle }))
      assert.match(await refusal(tenant.client), /this cluster may not connect to this address/, url)
      await tenant.client.delete(configurations, 'hook')
    }
    assert.equal(hook.asked.length, 0)
    await host.client.create(configurations, configuration({ url: hook.url, caBundle }))
    assert.match(await refusal(host.client), /denied the request/)
  })

  test('the operator allows addresses', async (t) => {
    const hook = await webhook(t)
    await using host = await createCluster({ nodes: 1, reach: { allowed: ['127.0.0.1/32'] } })
    await using tenant = await createVirtualCluster({ host, name: 'team' })
    const caBundle = Buffer.from(hook.ca).toString('base64')
    await tenant.client.create(configurations, configuration({ url: hook.url, caBundle }))
    assert.match(await refusal(tenant.client), /denied the request/)
  })
})
