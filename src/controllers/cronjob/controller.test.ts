import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loopCluster, type LoopCluster } from '../fixture.ts'
import type { Job } from '../job/objects.ts'
import { controllerOf } from '../meta.ts'
import { workloads } from '../resources.ts'
import { hostControllers } from '../sets.ts'
import type { CronJob } from './timing.ts'

const FACTS = { ca: 'CA TEXT', endpoint: { host: '192.0.2.1', port: 6443 }, serviceIp: '10.96.0.1' }

function cron(name: string, command: string[], spec: object = {}): object {
  const containers = [{ name: 'main', image: 'busybox', command }]
  const jobTemplate = {
    metadata: { labels: { app: name } },
    spec: { template: { spec: { restartPolicy: 'Never', containers } } },
  }
  return { metadata: { name }, spec: { schedule: '@every 1s', jobTemplate, ...spec } }
}

const jobsOf = async (cluster: LoopCluster, name: string): Promise<Job[]> =>
  (await cluster.client.list<Job>(workloads.jobs, { labelSelector: `app=${name}` })).items

const find = async (cluster: LoopCluster, name: string): Promise<CronJob> =>
  (await cluster.find(workloads.cronjobs, 'default', name)) as CronJob

test('jobs are made when they are due, and the status follows them', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  await cluster.create(workloads.cronjobs, cron('tick', ['true']))
  const done = await cluster.until('a success', async () => {
    const found = await find(cluster, 'tick')
    return found.status?.lastSuccessfulTime !== undefined && found
  })
  const [job] = await jobsOf(cluster, 'tick')
  assert.equal(controllerOf(job!)?.uid, done.metadata.uid)
  assert.match(job!.metadata.name!, /^tick-[0-9]+$/)
  assert.ok(job!.metadata.annotations!['batch.kubernetes.io/cronjob-scheduled-timestamp'])
  assert.ok(done.status!.lastScheduleTime)
  assert.deepEqual(cluster.complaints, [])
})

test('nothing is made while suspended, and the history is kept short', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  await cluster.create(workloads.cronjobs, cron('off', ['true'], { suspend: true }))
  const owner = await find(cluster, 'off')
  const reference = { apiVersion: 'batch/v1', kind: 'CronJob', name: 'off', uid: owner.metadata.uid, controller: true }
  const spec = (owner as CronJob).spec.jobTemplate.spec
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    await cluster.create(workloads.jobs, {
      metadata: { name, labels: { app: 'off' }, ownerReferences: [reference] },
      spec,
    })
  }
  await cluster.until('three left', async () => {
    const jobs = await jobsOf(cluster, 'off')
    return jobs.length === 3 && jobs.every((job) => job.status?.completionTime !== undefined)
  })
  assert.deepEqual((await find(cluster, 'off')).status?.active ?? [], [])
  assert.deepEqual(cluster.complaints, [])
})

test('Forbid makes no second job, and a job that is gone is not active', async () => {
  await using cluster = await loopCluster(hostControllers({ ...FACTS, nodes: 1 }))
  await cluster.create(workloads.cronjobs, cron('no', ['sleep', '1000'], { concurrencyPolicy: 'Forbid' }))
  const first = await cluster.until('a job', async () => (await jobsOf(cluster, 'no'))[0])
  const active = await cluster.until('it is active', async () => (await find(cluster, 'no')).status?.active)
  assert.deepEqual(
    active.map(({ uid, kind, apiVersion }) => [uid, kind, apiVersion]),
    [[first.metadata.uid, 'Job', 'batch/v1']],
  )
  await cluster.client.delete(workloads.jobs, first.metadata.name!, { namespace: 'default' })
  const body = { spec: { suspend: true } }
  await cluster.client.patch(workloads.cronjobs, 'no', { type: 'merge', body }, { namespace: 'default' })
  await cluster.until('none active', async () => {
    const jobs = await jobsOf(cluster, 'no')
    return jobs.length === 0 && ((await find(cluster, 'no')).status?.active ?? []).length === 0
  })
})
