/** The same end-to-end suites with a real control plane as the host: etcd, kube-apiserver, controller manager, scheduler. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { HttpsClient } from '../../src/client/https.ts'
import { parseKubeconfig } from '../../src/client/kubeconfig.ts'
import { resources } from '../../src/client/resources.ts'
import type { VirtualCluster } from '../../src/manager/virtual-cluster.ts'
import { startControlPlane, type ControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/eventually.ts'
import { findControlPlane, findKubectl, skipWithout } from '../support/kubernetes.ts'
import { Processes } from '../support/processes.ts'
import { chainSuite } from './chain.suite.ts'
import { kubectlSuite } from './kubectl.suite.ts'

const kubectl = findKubectl()
const programs = findControlPlane()
const main = join(import.meta.dirname, '../../src/cli/main.ts')

suite(
  'tenants on a real control plane',
  { skip: skipWithout(kubectl, 'kubectl') || skipWithout(programs, 'the control plane') },
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'tenantry-real-host-'))
    const processes = new Processes()
    let plane: ControlPlane
    let host: HttpsClient
    const kubeconfigs = { red: '', blue: '' }

    before(async () => {
      plane = await startControlPlane({ programs: programs! })
      const file = join(dir, 'host.kubeconfig')
      writeFileSync(file, plane.kubeconfig)
      host = new HttpsClient(parseKubeconfig(plane.kubeconfig))
      processes.start(
        'nodes',
        process.execPath,
        [main, 'nodes', '--kubeconfig', file, '--nodes', '3'],
        join(dir, 'nodes.log'),
      )
      processes.start(
        'manager',
        process.execPath,
        [main, 'manager', '--kubeconfig', file, '--data-dir', join(dir, 'data')],
        join(dir, 'manager.log'),
      )
      await eventually('the manager serves VirtualClusters', async () => {
        processes.check()
        return (await host.list(resources.virtualclusters)) !== undefined
      })
      for (const [name, spec] of [
        ['red', { placement: 'namespaces', nodeView: 'needed' }],
        ['blue', { placement: 'single', nodeView: 'all' }],
      ] as const) {
        await host.create(resources.virtualclusters, {
          apiVersion: 'tenantry.dev/v1alpha1',
          kind: 'VirtualCluster',
          metadata: { name, namespace: 'default' },
          spec,
        })
        await eventually(`${name} runs`, async () => {
          processes.check()
          return (
            (await host.get<VirtualCluster>(resources.virtualclusters, name, { namespace: 'default' })).status
              ?.phase === 'Running'
          )
        })
        const secret = await host.get(resources.secrets, `${name}-kubeconfig`, { namespace: 'default' })
        kubeconfigs[name] = Buffer.from(secret['data'].kubeconfig as string, 'base64').toString()
      }
    })
    after(async () => {
      await host.close()
      await processes[Symbol.asyncDispose]()
      await plane[Symbol.asyncDispose]()
      rmSync(dir, { recursive: true, force: true })
    })

    test('the whole chain', (t) =>
      chainSuite(t, kubectl!, { host, hostKubeconfig: plane.kubeconfig, tenants: kubeconfigs }))

    test('kubectl, placed in namespaces', (t) => kubectlSuite(t, kubectl!, kubeconfigs.red))

    test('kubectl, placed in a single namespace', (t) => kubectlSuite(t, kubectl!, kubeconfigs.blue))
  },
)
