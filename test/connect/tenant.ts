/** A tenant whose pod is on a node of the host that has a kubelet. */
import {
  createCluster,
  createVirtualCluster,
  resources,
  type HostCluster,
  type TestVirtualCluster,
} from '../../src/index.ts'
import { eventually } from '../support/eventually.ts'
import { startKubelet, type TestKubelet } from './kubelet.ts'
import { Admin } from './world.ts'

export interface TenantWorld extends AsyncDisposable {
  readonly host: HostCluster
  readonly tenant: TestVirtualCluster
  readonly kubelet: TestKubelet
  /** Of the host. */
  readonly admin: Admin
  /** Of the tenant. */
  readonly own: Admin
  /** Makes a pod of the tenant that says that it runs, and gives its name on the host. */
  run(name: string, spec: object, labels?: Record<string, string>): Promise<{ namespace: string; name: string }>
}

export const TENANT_PODS = '/api/v1/namespaces/default/pods'

/** `engine`: of the virtual cluster. */
export async function startTenant(
  program: string,
  address: string,
  engine: 'packed' | 'dedicated' = 'packed',
): Promise<TenantWorld> {
  await using stack = new AsyncDisposableStack()
  const host = stack.use(await createCluster({ nodes: 0 }))
  const admin = new Admin(host.kubeconfig)
  const kubelet = stack.use(await startKubelet(program, admin.ca, address))
  await admin.make('/api/v1/nodes', { metadata: { name: 'one' } })
  const room = { cpu: '4', memory: '4Gi', pods: '10' }
  await admin.patch('/api/v1/nodes/one/status', {
    status: {
      capacity: room,
      allocatable: room,
      conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: seconds() }],
      addresses: [{ type: 'InternalIP', address }],
      daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } },
    },
  })
  await admin.patch('/api/v1/nodes/one', { spec: { taints: null } })
  const tenant = stack.use(await createVirtualCluster({ host, name: 'team', engine, placement: 'single' }))
  const own = new Admin(tenant.kubeconfig)
  await eventually('the account is there', async () => {
    const { code } = await own.ask('GET', '/api/v1/namespaces/default/serviceaccounts/default')
    return code === 200
  })
  const made: string[] = []
  const rest = stack.move()
  const labelSelector = `tenantry.dev/cluster-uid=${tenant.object.metadata.uid!}`
  const run: TenantWorld['run'] = async (name, spec, labels = {}) => {
    await own.make(TENANT_PODS, { metadata: { name, labels }, spec })
    const pod = await eventually('the pod is bound on the host', async () => {
      const { items } = await host.client.list(resources.pods, { labelSelector })
      return items.find((each) => each['spec'].nodeName === 'one' && !made.includes(each.metadata.name!))
    })
    made.push(pod.metadata.name!)
    const { namespace, name: hostName } = pod.metadata
    const path = `/api/v1/namespaces/${namespace!}/pods/${hostName!}`
    // This kubelet does not end pods.
    rest.defer(async () => {
      await own.ask('DELETE', `${TENANT_PODS}/${name}?gracePeriodSeconds=0`)
      await admin.ask('DELETE', `${path}?gracePeriodSeconds=0`)
    })
    const containers = pod['spec'].containers as { name: string }[]
    await admin.patch(`${path}/status`, {
      status: {
        phase: 'Running',
        podIP: address,
        podIPs: [{ ip: address }],
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: containers.map((each) => ({
          name: each.name,
          image: 'i',
          imageID: 'i',
          ready: true,
          restartCount: 0,
          state: { running: { startedAt: seconds() } },
        })),
      },
    })
    await eventually('the tenant sees it run', async () => {
      const { text } = await own.ask('GET', `${TENANT_PODS}/${name}`)
      return text.includes('"phase":"Running"')
    })
    return { namespace: namespace!, name: hostName! }
  }
  return { host, tenant, kubelet, admin, own, run, [Symbol.asyncDispose]: () => rest.disposeAsync() }
}

const seconds = (): string => new Date().toISOString().replace(/\.\d+/, '')
