/** `tenantry up` killed with -9 and started again: everything is as before, nothing twice, nothing lost. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { HttpsClient } from '../src/client/https.ts'
import { parseKubeconfig } from '../src/client/kubeconfig.ts'
import { resources } from '../src/client/resources.ts'
import type { KubeObject } from '../src/machinery/object.ts'
import { eventually } from './support/eventually.ts'
import { end, Tenantry } from './support/tenantry.ts'

const MANAGED = { labelSelector: 'tenantry.dev/managed-by=tenantry' }

test('kill -9 and start again', async () => {
  using cli = new Tenantry()
  const dataDir = join(cli.home, 'data')
  const first = await cli.start(`up --data-dir ${dataDir}`)
  for (const name of ['red', 'blue']) assert.equal((await cli.run(`create ${name}`)).code, 0)
  const kubeconfigs = await Promise.all(
    ['red', 'blue'].map(async (name) => (await cli.run(`connect ${name} --print`)).stdout),
  )
  for (const text of kubeconfigs) {
    const tenant = new HttpsClient(parseKubeconfig(text))
    await tenant.create(resources.deployments, deployment(), { namespace: 'default' })
    await tenant.create(resources.services, service(), { namespace: 'default' })
    await eventually('three pods run', async () => (await running(tenant)).length === 3)
    await tenant.close()
  }
  const before = await picture(dataDir, kubeconfigs)
  assert.equal(before.host.length, 6)

  await end(first.child, 'SIGKILL')
  const second = await cli.start(`up --data-dir ${dataDir}`)
  try {
    assert.equal(second.line, first.line, 'the host answers where it did')
    await eventually('both answer again', async () => {
      const list = JSON.parse((await cli.run('list --output json')).stdout) as { status: { phase: string } }[]
      return list.length === 2 && list.every((c) => c.status.phase === 'Running')
    })
    await eventually('both serve', async () => (await picture(dataDir, kubeconfigs)).host.length === 6)
    // What was wrong would show itself soon: a second pod for a tenant's pod, or a pod taken away.
    await new Promise((resolve) => setTimeout(resolve, 1500))
    assert.deepEqual(await picture(dataDir, kubeconfigs), before)

    const tenant = new HttpsClient(parseKubeconfig(kubeconfigs[0]!))
    await tenant.patch(
      resources.deployments,
      'web',
      { type: 'merge', body: { spec: { replicas: 4 } } },
      { namespace: 'default' },
    )
    await eventually('work goes on', async () => (await running(tenant)).length === 4)
    await tenant.close()
  } finally {
    await end(second.child, 'SIGTERM')
  }
})

/** Names, uids, places and phases on both sides; resource versions and times of heartbeats left out. */
async function picture(dataDir: string, kubeconfigs: readonly string[]) {
  const host = new HttpsClient(parseKubeconfig(readFileSync(join(dataDir, 'host.kubeconfig'), 'utf8')))
  const short = (pods: KubeObject[]) =>
    pods
      .map((p) => ({
        name: p.metadata.name,
        uid: p.metadata.uid,
        node: p['spec'].nodeName as string,
        status: p['status'] as object,
      }))
      .sort((a, b) => (a.uid! < b.uid! ? -1 : 1))
  try {
    const tenants = []
    for (const text of kubeconfigs) {
      const tenant = new HttpsClient(parseKubeconfig(text))
      tenants.push({
        pods: short((await tenant.list(resources.pods)).items),
        services: (await tenant.list(resources.services)).items.map((s) => [
          s.metadata.name,
          s['spec'].clusterIP as string,
        ]),
        namespaces: (await tenant.list(resources.namespaces)).items.map((n) => n.metadata.uid),
      })
      await tenant.close()
    }
    return {
      tenants,
      host: short((await host.list(resources.pods, MANAGED)).items),
      services: (await host.list(resources.services, MANAGED)).items.map((s) => [
        s.metadata.uid,
        s['spec'].clusterIP as string,
      ]),
    }
  } finally {
    await host.close()
  }
}

async function running(tenant: HttpsClient): Promise<KubeObject[]> {
  return (await tenant.list(resources.pods, { namespace: 'default' })).items.filter(
    (p) => p['status']?.phase === 'Running',
  )
}

function deployment(): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'nginx:1.27' }] } },
    },
  }
}

function service(): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
  }
}
