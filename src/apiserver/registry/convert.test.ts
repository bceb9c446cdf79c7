import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, testCluster } from './fixture.ts'
import { convert } from './convert.ts'

test('an event has two faces and one state', async () => {
  const cluster = await testCluster()
  await cluster.create('v1/events', {
    metadata: { name: 'e', namespace: 'default' },
    involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
    message: 'hello',
    reason: 'Started',
    type: 'Normal',
    count: 3,
    source: { component: 'kubelet' },
  })
  const target = cluster.target('events.k8s.io/v1/events', 'default', 'e')
  const { object, entry } = await cluster.api.get(call, target)
  assert.equal(object['note'], 'hello')
  assert.equal(object['regarding'].name, 'p')
  assert.equal(object['deprecatedCount'], 3)
  assert.equal(object.apiVersion, 'events.k8s.io/v1')
  assert.match(entry.bytes.toString(), /^\{"kind":"Event","apiVersion":"events.k8s.io\/v1",/)
  // What the core group lets change, events.k8s.io does not.
  await assert.rejects(
    cluster.api.patch(call, target, 'merge', { note: 'changed' }),
    /message: Invalid value: "changed"/,
  )
  await cluster.api.patch(call, cluster.target('v1/events', 'default', 'e'), 'merge', { message: 'changed' })
  const core = await cluster.api.get(call, cluster.target('v1/events', 'default', 'e'))
  assert.equal(core.object['message'], 'changed')
  assert.equal(core.object['count'], 3)
  const [listed] = (await cluster.api.list(call, target, {})).entries
  assert.match(listed!.bytes.toString(), /"note":"changed"/)
})

test('a v1 autoscaler is its v2 with one metric, there and back', () => {
  const v1 = {
    kind: 'HorizontalPodAutoscaler',
    apiVersion: 'autoscaling/v1',
    metadata: { name: 'a' },
    spec: { maxReplicas: 5, scaleTargetRef: { kind: 'Deployment', name: 'd' }, targetCPUUtilizationPercentage: 80 },
    status: { currentReplicas: 0, desiredReplicas: 0 },
  }
  const v2 = convert(v1, 'autoscaling/v2')
  assert.deepEqual(v2['spec'].metrics, [
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
  ])
  assert.deepEqual(convert(v2, 'autoscaling/v1'), v1)
  const selector = { matchLabels: { a: 'b' } }
  const pods = { metric: { name: 'rps', selector }, target: { type: 'AverageValue', averageValue: '10' } }
  const policies = [{ type: 'Pods', value: 4, periodSeconds: 60 }]
  const rich = {
    ...v2,
    metadata: { name: 'a', annotations: { own: 'x' } },
    spec: {
      ...v2['spec'],
      behavior: { scaleUp: { selectPolicy: 'Max', policies } },
      metrics: [{ type: 'Pods', pods }, ...v2['spec'].metrics],
    },
  }
  const carried = convert(rich, 'autoscaling/v1')
  assert.deepEqual(carried.metadata.annotations, {
    own: 'x',
    // As kube-apiserver 1.37 writes them.
    'autoscaling.alpha.kubernetes.io/metrics':
      '[{"type":"Pods","pods":{"metricName":"rps","targetAverageValue":"10","selector":{"matchLabels":{"a":"b"}}}}]',
    'autoscaling.alpha.kubernetes.io/behavior':
      '{"ScaleUp":{"StabilizationWindowSeconds":null,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":60}],"Tolerance":null},"ScaleDown":null}',
  })
  assert.deepEqual(convert(carried, 'autoscaling/v2'), rich)
})
