import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Pod } from '../objects.ts'
import { failuresAfter, NO_FAILURES, remaining } from './backoff.ts'
import { verdictOn } from './failure-policy.ts'
import { Indexes } from './indexes.ts'
import { COMPLETION_INDEX, TRACKING_FINALIZER, type Job, type JobSpec } from './objects.ts'
import { planFor } from './plan.ts'
import { metSuccessPolicy } from './success-policy.ts'
import { finished, settle, track } from './tracking.ts'
import { jobPod } from './template.ts'
import { viewOf } from './view.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')
const ago = (seconds: number): string => `${new Date(NOW - seconds * 1000).toISOString().slice(0, 19)}Z`

function job(spec: Partial<JobSpec>, status: Job['status'] = { startTime: ago(60) }): Job {
  const template = { spec: { containers: [{ name: 'c' }], restartPolicy: 'Never' } }
  return {
    metadata: { name: 'j', namespace: 'n', uid: 'job' },
    spec: { parallelism: 2, completions: 4, backoffLimit: 6, template, ...spec },
    status,
  }
}

function pod(name: string, phase: string, index?: number, more: object = {}): Pod {
  const annotations = index === undefined ? {} : { annotations: { [COMPLETION_INDEX]: String(index) } }
  return {
    metadata: { name, namespace: 'n', uid: name, finalizers: [TRACKING_FINALIZER], ...annotations, ...more },
    spec: { containers: [] },
    status: { phase, conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: ago(30) }] },
  }
}

const view = (of: Job, pods: Pod[]) => viewOf(of, pods, new Set(), NO_FAILURES, NOW)

test('indexes: text and set are the same thing', () => {
  const sets = fc.uniqueArray(fc.integer({ min: 0, max: 40 }))
  const property = fc.property(sets, sets, fc.integer({ min: 0, max: 10 }), (a, b, count) => {
    const [left, right] = [Indexes.of(a), Indexes.of(b)]
    assert.equal(String(Indexes.parse(String(left), 41)), String(left))
    assert.equal(left.size, a.length)
    for (let i = 0; i <= 41; i++) assert.equal(left.has(i), a.includes(i))
    assert.equal(left.overlap(right), a.filter((i) => b.includes(i)).length)
    assert.equal(String(left.union(right)), String(Indexes.of(new Set([...a, ...b]))))
    const free = Array.from({ length: 41 }, (_, i) => i).filter((i) => !a.includes(i))
    assert.deepEqual(left.missing(count, 41), free.slice(0, count))
  })
  fc.assert(property, { numRuns: 200 })
  assert.equal(String(Indexes.of([0, 1, 2, 4, 5, 9])), '0-2,4,5,9')
  assert.equal(String(Indexes.parse('0,x,2-9', 5)), '0,2-4')
})

test('back-off: doubles, ends with a success, has a longest', () => {
  const failures = failuresAfter(NO_FAILURES, [], [pod('a', 'Failed'), pod('b', 'Failed')])
  assert.deepEqual(failures, { count: 2, last: NOW - 30_000 })
  assert.equal(remaining(failures, NOW), 0)
  assert.equal(remaining(failures, NOW - 25_000), 15_000)
  assert.equal(remaining({ count: 40, last: NOW }, NOW), 600_000)
  assert.deepEqual(failuresAfter(failures, [pod('c', 'Succeeded')], []), NO_FAILURES)
})

const exited = (code: number, container = 'c'): Pod => ({
  ...pod('p', 'Failed', 1),
  status: {
    phase: 'Failed',
    containerStatuses: [
      {
        name: container,
        image: '',
        imageID: '',
        ready: false,
        restartCount: 0,
        state: { terminated: { exitCode: code } },
      },
    ],
    conditions: [{ type: 'DisruptionTarget', status: 'True' }],
  },
})

test('failure policies: the first rule that matches decides', () => {
  const policy = (...rules: NonNullable<JobSpec['podFailurePolicy']>['rules']): Job =>
    job({ podFailurePolicy: { rules } })
  const codes = { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }
  const disrupted = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] }
  assert.deepEqual(verdictOn(exited(42), policy(codes, disrupted)), {
    action: 'FailJob',
    counts: true,
    jobFailure: 'Container c for pod n/p failed with exit code 42 matching FailJob rule at index 0',
  })
  assert.deepEqual(verdictOn(exited(1), policy(codes, disrupted)), { action: 'Ignore', counts: false })
  assert.deepEqual(verdictOn(exited(1), policy(codes)), { counts: true })
  const other = { action: 'Count', onExitCodes: { containerName: 'd', operator: 'NotIn', values: [3] } }
  assert.deepEqual(verdictOn(exited(1), policy(other)), { counts: true })
  assert.deepEqual(verdictOn(exited(1, 'd'), policy(other)), { action: 'Count', counts: true })
  assert.deepEqual(verdictOn(exited(3, 'd'), policy(other)), { counts: true })
})

test('success policies', () => {
  const met = (rule: object, done: number[]): string | undefined =>
    metSuccessPolicy(
      job({ completions: 10, successPolicy: { rules: [{ succeededIndexes: '9' }, rule] } }),
      Indexes.of(done),
    )
  assert.equal(met({ succeededCount: 2 }, [1]), undefined)
  assert.equal(met({ succeededCount: 2 }, [1, 3]), 'Matched rules at index 1')
  assert.equal(met({ succeededIndexes: '0-2' }, [0, 1]), undefined)
  assert.equal(met({ succeededIndexes: '0-2', succeededCount: 2 }, [0, 1, 9]), 'Matched rules at index 0')
  assert.equal(met({ succeededIndexes: '0-2', succeededCount: 2 }, [0, 2]), 'Matched rules at index 1')
})

test('plans: never more than is left to do, doubles go, suspended jobs have none', () => {
  const plan = (of: Job, pods: Pod[]) => planFor(view(of, pods), NOW)
  assert.deepEqual(plan(job({}), []), { do: 'create', count: 2 })
  assert.deepEqual(plan(job({}, { succeeded: 3 }), []), { do: 'create', count: 1 })
  assert.deepEqual(plan(job({}, { succeeded: 3 }), [pod('a', 'Running')]), { do: 'nothing' })
  const two = [pod('a', 'Running'), pod('b', 'Pending')]
  const fewer = plan(job({ parallelism: 1 }), two)
  assert.deepEqual(fewer.do === 'delete' && fewer.pods.map((one) => one.metadata.name), ['b'])
  const none = plan(job({ suspend: true }), two)
  assert.equal(none.do === 'delete' && none.pods.length, 2)
  const indexed = job({ completionMode: 'Indexed', parallelism: 3 }, { completedIndexes: '1', succeeded: 1 })
  assert.deepEqual(plan(indexed, [pod('a', 'Running', 0)]), { do: 'create', count: 2, indexes: [2, 3] })
  const doubles = plan(indexed, [pod('a', 'Running', 0), pod('b', 'Pending', 0), pod('c', 'Running', 7)])
  assert.deepEqual(doubles.do === 'delete' && doubles.pods.map((one) => one.metadata.name), ['c', 'b'])
  const workQueue = job({ parallelism: 3 })
  delete workQueue.spec.completions
  assert.deepEqual(plan(workQueue, [pod('a', 'Running'), pod('b', 'Succeeded')]), { do: 'nothing' })
})

test('replacement waits: of all after failures, and for pods that are ending when only failed ones are replaced', () => {
  const failed = pod('a', 'Failed')
  const fresh = viewOf(job({}), [failed], new Set(), { count: 3, last: NOW - 5000 }, NOW)
  assert.deepEqual(planFor(fresh, NOW), { do: 'wait', milliseconds: 50_000 })
  const ending = pod('b', 'Running', undefined, { deletionTimestamp: ago(1) })
  assert.deepEqual(planFor(view(job({ podReplacementPolicy: 'Failed' }), [ending]), NOW), { do: 'create', count: 1 })
  assert.equal(view(job({ podReplacementPolicy: 'Failed' }), [ending]).failed, 0)
  assert.equal(view(job({}), [ending]).failed, 1)
})

test('a pod is noted, freed and counted, each once', () => {
  const of = job({})
  const pods = [pod('won', 'Succeeded'), pod('lost', 'Failed'), pod('runs', 'Running')]
  const first = track(view(of, pods), of.status!, undefined, NOW)
  assert.deepEqual(first.status.uncountedTerminatedPods, { succeeded: ['won'], failed: ['lost'] })
  assert.deepEqual(
    first.release.map((one) => one.metadata.name),
    ['won', 'lost'],
  )
  const again = view(job({}, first.status), pods)
  assert.deepEqual([again.succeeded, again.failed], [1, 1])
  assert.deepEqual(track(again, first.status, undefined, NOW).status, first.status)
  const counted = settle(first.status, new Set(['runs']))
  assert.deepEqual([counted.succeeded, counted.failed, counted.uncountedTerminatedPods], [1, 1, {}])
  const released = viewOf(job({}, counted), pods, new Set(['won', 'lost']), NO_FAILURES, NOW)
  assert.deepEqual([released.succeeded, released.failed], [1, 1])
})

test('a job that ends says so first, and ends when all is counted and gone', () => {
  const of = job({ backoffLimit: 0 })
  const failed = view(of, [pod('a', 'Failed'), pod('b', 'Running')])
  assert.equal(failed.finish?.type, 'FailureTarget')
  assert.equal(failed.finish?.reason, 'BackoffLimitExceeded')
  const tracking = track(failed, of.status!, failed.finish, NOW)
  assert.deepEqual(
    tracking.status.conditions?.map(({ type }) => type),
    ['FailureTarget'],
  )
  assert.deepEqual(tracking.status.uncountedTerminatedPods, { failed: ['a', 'b'] })
  assert.equal(tracking.finish?.type, 'Failed')
  assert.equal(finished(tracking.status, tracking.finish!, 0), undefined)
  const counted = settle(tracking.status, new Set())
  assert.equal(finished(counted, tracking.finish!, 1), undefined)
  assert.deepEqual(
    finished(counted, tracking.finish!, 0)?.conditions?.map(({ type }) => type),
    ['FailureTarget', 'Failed'],
  )
  assert.equal(counted.failed, 2)
})

test('deadlines count from the start, and not for suspended jobs', () => {
  assert.equal(view(job({ activeDeadlineSeconds: 60 }), []).finish?.reason, 'DeadlineExceeded')
  assert.equal(view(job({ activeDeadlineSeconds: 61 }), []).deadlineIn, 1000)
  assert.equal(view(job({ activeDeadlineSeconds: 1, suspend: true }), []).finish, undefined)
})

test('limits per index: an index is given up, and others go on', () => {
  const count = (n: number) => ({
    annotations: { [COMPLETION_INDEX]: '1', 'batch.kubernetes.io/job-index-failure-count': String(n) },
  })
  const of = job({ completionMode: 'Indexed', backoffLimitPerIndex: 1, backoffLimit: 2 ** 31 - 1, completions: 3 })
  const once = view(of, [pod('a', 'Failed', 1, count(0))])
  assert.equal(String(once.failedIndexes), '')
  assert.deepEqual([...once.delayed.keys()], [1])
  assert.deepEqual(track(once, of.status!, undefined, NOW).release, [])
  assert.equal(
    jobPod(of, 1, once.delayed.get(1)).metadata.annotations!['batch.kubernetes.io/job-index-failure-count'],
    '1',
  )
  const twice = view(of, [pod('a', 'Failed', 1, count(1))])
  assert.equal(String(twice.failedIndexes), '1')
  assert.equal(twice.finish, undefined)
  assert.equal(track(twice, of.status!, undefined, NOW).status.failedIndexes, '1')
  const rest = job({ ...of.spec }, { startTime: ago(9), completedIndexes: '0,2', failedIndexes: '1', succeeded: 2 })
  assert.equal(view(rest, []).finish?.reason, 'FailedIndexes')
})

test('pods of indexed jobs know their index', () => {
  const made = jobPod(job({ completionMode: 'Indexed' }), 3, undefined)
  assert.equal(made.metadata.generateName, 'j-3-')
  assert.equal(made.spec.hostname, 'j-3')
  assert.equal(made.metadata.labels![COMPLETION_INDEX], '3')
  assert.deepEqual((made.spec.containers[0] as { env?: object[] }).env, [
    {
      name: 'JOB_COMPLETION_INDEX',
      valueFrom: { fieldRef: { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` } },
    },
  ])
})
