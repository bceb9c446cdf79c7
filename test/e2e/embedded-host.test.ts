import { after, before, suite, test } from 'node:test'
import { createCluster, createVirtualCluster, type HostCluster, type TestVirtualCluster } from '../../src/index.ts'
import { findKubectl, skipWithout } from '../support/kubernetes.ts'
import { chainSuite } from './chain.suite.ts'
import { kubectlSuite } from './kubectl.suite.ts'

const kubectl = findKubectl()

suite('tenants on an embedded host', { skip: skipWithout(kubectl, 'kubectl') }, () => {
  let host: HostCluster
  let red: TestVirtualCluster
  let blue: TestVirtualCluster

  before(async () => {
    host = await createCluster({ store: 'sqlite' })
    red = await createVirtualCluster({ host, name: 'red' })
    blue = await createVirtualCluster({ host, name: 'blue', placement: 'single', nodeView: 'all' })
  })
  after(async () => {
    await red[Symbol.asyncDispose]()
    await blue[Symbol.asyncDispose]()
    await host[Symbol.asyncDispose]()
  })

  test('the whole chain', (t) =>
    chainSuite(t, kubectl!, {
      host: host.client,
      hostKubeconfig: host.kubeconfig,
      tenants: { red: red.kubeconfig, blue: blue.kubeconfig },
    }))

  test('kubectl, placed in namespaces', (t) => kubectlSuite(t, kubectl!, red.kubeconfig))

  test('kubectl, placed in a single namespace', (t) => kubectlSuite(t, kubectl!, blue.kubeconfig))
})
