import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resources } from '../../client/resources.ts'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import type { Pod } from '../objects.ts'
import { workloads } from '../resources.ts'
import { hostControllers } from '../sets.ts'
import { isTracked, type Job } from './objects.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }
const host = (): Promise<LoopCluster> => loopCluster(hostControllers({ ...FACTS, nodes: 2 }))

function job(name: string, command: string[], spec: object = {}): object {
  const containers = [{ name: 'main', image: 'busybox', command }]
  return { metadata: { name }, spec: { template: { spec: { restartPolicy: 'Never', containers } }, ...spec } }
}

const find = async (cluster: LoopCluster, name: string): Promise<Job> =>
  (await cluster.find(workloads.jobs, 'default', name)) as Job

const podsOf = async (cluster: LoopCluster, name: string): Promise<Pod[]> =>
  (await cluster.client.list<Pod>(resources.pods, { labelSelector: `batch.kubernetes.io/job-name=${name}` })).items

/** The types of conditions in their order, once the last one is there. */
const ended = (cluster: LoopCluster, name: string, type: string): Promise<Job> =>
  cluster.until(`${name} to be ${type}`, async () => {
    const found = await find(cluster, name)
    return found.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true && found
  })

const types = (found: Job): string[] => found.status!.conditions!.map((one) => one.type)

test('a job completes, and its pods are counted and freed', async () => {
  await using cluster = await host()
  await cluster.create(workloads.jobs, job('ok', ['true'], { completions: 3, parallelism: 2 }))
  const done = await ended(cluster, 'ok', 'Complete')
  assert.deepEqual(types(done), ['SuccessCriteriaMet', 'Complete'])
  assert.equal(done.status!.conditions![1]!.reason, 'CompletionsReached')
  const { succeeded, failed, active, ready, terminating, uncountedTerminatedPods, completionTime } = done.status!
  assert.deepEqual(
    [succeeded, failed, active, ready, terminating, uncountedTerminatedPods],
    [3, undefined, undefined, 0, 0, {}],
  )
  assert.ok(completionTime)
  const pods = await podsOf(cluster, 'ok')
  assert.equal(pods.length, 3)
  assert.equal(pods.some(isTracked), false)
  assert.equal(done.spec.selector!.matchLabels!['batch.kubernetes.io/controller-uid'], done.metadata.uid)
  const events = (await cluster.client.list(resources.events, { namespace: 'default' })).items
  await cluster.until('the event', async () =>
    (await cluster.client.list(resources.events, { namespace: 'default' })).items.some(
      (one) => one['reason'] === 'Completed',
    ),
  )
  assert.ok(events.length > 0)
  assert.deepEqual(cluster.complaints, [])
})

test('a job fails at its limit', async () => {
  await using cluster = await host()
  await cluster.create(workloads.jobs, job('bad', ['false'], { backoffLimit: 0 }))
  const failed = await ended(cluster, 'bad', 'Failed')
  assert.deepEqual(types(failed), ['FailureTarget', 'Failed'])
  assert.equal(failed.status!.failed, 1)
  assert.equal(failed.status!.conditions![1]!.reason, 'BackoffLimitExceeded')
  assert.equal((await podsOf(cluster, 'bad')).some(isTracked), false)
})

test('a failure policy ends a job at once', async () => {
  await using cluster = await host()
  const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }]
  await cluster.create(workloads.jobs, job('policy', ['sh', '-c', 'exit 42'], { podFailurePolicy: { rules } }))
  const failed = await ended(cluster, 'policy', 'Failed')
  const { reason, message } = failed.status!.conditions!.find((one) => one.type === 'Failed')!
  assert.equal(reason, 'PodFailurePolicy')
  assert.match(
    message!,
    /^Container main for pod default\/policy-\w+ failed with exit code 42 matching FailJob rule at index 0$/,
  )
})

test('an indexed job runs each index once', async () => {
  await using cluster = await host()
  await cluster.create(
    workloads.jobs,
    job('each', ['true'], { completions: 5, parallelism: 3, completionMode: 'Indexed' }),
  )
  const done = await ended(cluster, 'each', 'Complete')
  assert.deepEqual([done.status!.completedIndexes, done.status!.succeeded], ['0-4', 5])
  assert.deepEqual((await podsOf(cluster, 'each')).map((one) => one.spec.hostname!).toSorted(), [
    'each-0',
    'each-1',
    'each-2',
    'each-3',
    'each-4',
  ])
})

test('suspending takes the pods away, resuming brings them back; the deadline ends it', async () => {
  await using cluster = await host()
  await cluster.create(workloads.jobs, job('nap', ['sleep', '1000'], { parallelism: 2, completions: 2 }))
  const patch = (spec: object): Promise<unknown> =>
    cluster.client.patch(workloads.jobs, 'nap', { type: 'merge', body: { spec } }, { namespace: 'default' })
  await cluster.until('two ready', async () => (await find(cluster, 'nap')).status?.ready === 2)
  await patch({ suspend: true })
  await ended(cluster, 'nap', 'Suspended')
  await cluster.until('no pods', async () => (await podsOf(cluster, 'nap')).length === 0)
  assert.equal((await find(cluster, 'nap')).status!.failed, undefined)
  await patch({ suspend: false })
  await cluster.until('two again', async () => (await find(cluster, 'nap')).status?.ready === 2)
  const resumed = await find(cluster, 'nap')
  assert.deepEqual(
    resumed.status!.conditions!.map(({ type, status, reason }) => [type, status, reason]),
    [['Suspended', 'False', 'JobResumed']],
  )
  await patch({ activeDeadlineSeconds: 1 })
  const failed = await ended(cluster, 'nap', 'Failed')
  assert.equal(failed.status!.conditions!.at(-1)!.reason, 'DeadlineExceeded')
  assert.equal(failed.status!.failed, 2)
  await cluster.until('no pods', async () => (await podsOf(cluster, 'nap')).length === 0)
})

test('a success policy ends what is left', async () => {
  await using cluster = await host()
  const command = ['sh', '-c', 'true']
  const successPolicy = { rules: [{ succeededCount: 1 }] }
  const spec = { completions: 3, parallelism: 1, completionMode: 'Indexed', successPolicy }
  await cluster.create(workloads.jobs, job('enough', command, spec))
  const done = await ended(cluster, 'enough', 'Complete')
  assert.deepEqual(
    done.status!.conditions!.map(({ type, reason }) => `${type} ${reason}`),
    ['SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy'],
  )
})

test('a finished job goes after its time, with its pods; an orphaned pod is freed', async () => {
  await using cluster = await host()
  await cluster.create(workloads.jobs, job('brief', ['true'], { ttlSecondsAfterFinished: 1 }))
  await ended(cluster, 'brief', 'Complete')
  await cluster.until('it is gone', async () => (await cluster.find(workloads.jobs, 'default', 'brief')) === undefined)
  await cluster.until('its pods', async () => (await podsOf(cluster, 'brief')).length === 0)
  await cluster.create(workloads.jobs, job('left', ['sleep', '1000']))
  await cluster.until('it runs', async () => (await find(cluster, 'left')).status?.ready === 1)
  await cluster.client.delete(workloads.jobs, 'left', { namespace: 'default', propagationPolicy: 'Orphan' })
  await cluster.until('the pod free', async () => (await podsOf(cluster, 'left')).every((one) => !isTracked(one)))
  assert.equal((await podsOf(cluster, 'left')).length, 1)
  assert.deepEqual(cluster.complaints, [])
})
