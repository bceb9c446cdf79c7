import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../machinery/object.ts'
import type { TestCluster } from '../../registry/fixture.ts'
import { call, pod, testCluster } from '../../registry/fixture.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../contract.ts'
import type { MatchResources } from './resources.ts'
import { matchResources } from './resources.ts'
import type { Rule } from './rules.ts'
import { View } from './view.ts'

/** Requests that the chain of a cluster saw. */
async function seenBy(work: (cluster: TestCluster) => Promise<unknown>): Promise<View[]> {
  const seen: AdmissionRequest[] = []
  const spy: AdmissionPlugin = { name: 'Spy', handles: () => true, validate: (request) => void seen.push(request) }
  const cluster = await testCluster({ plugins: [spy] })
  seen.length = 0
  await work(cluster)
  return seen.map((request) => new View(request))
}

const any = (more: Partial<MatchResources> = {}): MatchResources => ({
  namespaceSelector: {},
  objectSelector: {},
  matchPolicy: 'Equivalent',
  ...more,
})
const rule = (text: string, more: Partial<Rule> = {}): Rule => {
  const [operation, group, version, resource] = text.split(' ') as [string, string, string, string]
  const apiGroups = [group === 'core' ? '' : group]
  return { operations: [operation], apiGroups, apiVersions: [version], resources: [resource], ...more }
}
const matched = (view: View | undefined, more: Partial<MatchResources>): string | undefined => {
  const served = matchResources(any(more), view!)
  return served === undefined ? undefined : `${served.info.group}/${served.info.version} ${served.info.resource}`
}
const pods = (view: View | undefined, text: string, more?: Partial<Rule>): boolean =>
  matched(view, { resourceRules: [rule(text, more)] }) !== undefined

test('rules: operations, groups, versions, resources with their parts, scopes and names', async () => {
  const [made, status, namespace] = await seenBy(async (cluster) => {
    await cluster.create('v1/pods', pod('a'))
    await cluster.api.patch(call, cluster.target('v1/pods', 'default', 'a', 'status'), 'merge', {
      status: { phase: 'Running' },
    })
    await cluster.create('v1/namespaces', { metadata: { name: 'n' } })
  })
  assert.ok(pods(made, 'CREATE core v1 pods'))
  assert.ok(pods(made, '* * * *'))
  assert.ok(pods(made, '* * * */*'))
  assert.ok(!pods(made, 'UPDATE core v1 pods'))
  assert.ok(!pods(made, 'CREATE apps v1 pods'))
  assert.ok(!pods(made, 'CREATE core v2 pods'))
  assert.ok(!pods(made, 'CREATE core v1 pods/status'))
  assert.ok(pods(made, 'CREATE core v1 pods/*'))
  assert.ok(!pods(status, 'UPDATE core v1 pods'))
  assert.ok(!pods(status, 'UPDATE core v1 *'))
  assert.ok(pods(status, 'UPDATE core v1 */status'))
  assert.ok(pods(status, 'UPDATE core v1 pods/*'))
  assert.ok(pods(made, '* * * *', { scope: 'Namespaced' }))
  assert.ok(!pods(made, '* * * *', { scope: 'Cluster' }))
  assert.ok(pods(namespace, '* * * *', { scope: 'Cluster' }))
  assert.ok(!pods(namespace, '* * * *', { scope: 'Namespaced' }))
  assert.ok(pods(made, '* * * *', { resourceNames: ['b', 'a'] }))
  assert.ok(!pods(made, '* * * *', { resourceNames: ['b'] }))
  assert.equal(matched(made, {}), '/v1 pods')
  assert.equal(matched(made, { excludeResourceRules: [rule('* core * pods')] }), undefined)
  assert.equal(namespace!.namespace, 'n')
})

test('equivalents: another version of the same objects, unless the match is to be exact', async () => {
  const [made] = await seenBy((cluster) =>
    cluster.create('autoscaling/v1/horizontalpodautoscalers', {
      metadata: { name: 'a', namespace: 'default' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'x' },
        maxReplicas: 3,
        targetCPUUtilizationPercentage: 7,
      },
    }),
  )
  const v2 = { resourceRules: [rule('CREATE autoscaling v2 horizontalpodautoscalers')] }
  assert.equal(matched(made, v2), 'autoscaling/v2 horizontalpodautoscalers')
  assert.equal(matched(made, { ...v2, matchPolicy: 'Exact' }), undefined)
  const both = [...v2.resourceRules, rule('* autoscaling v1 *')]
  assert.equal(matched(made, { resourceRules: both }), 'autoscaling/v1 horizontalpodautoscalers')
  const own = made!.in(made!.requested)
  assert.equal(own.kind.version, 'v1')
  assert.equal(own.object!['spec'].targetCPUUtilizationPercentage, 7)
  const other = made!.in(matchResources(any(v2), made!)!)
  assert.equal(other.object!['spec'].metrics[0].resource.target.averageUtilization, 7)
  assert.equal(other.old, null)
})

test('selectors: of the namespace as it is, of a namespace as it is written, of the new and the old object', async () => {
  const labelled = (name: string, labels: Record<string, string>): KubeObject => ({
    metadata: { name, namespace: 'n', labels },
  })
  const [space, made, changed, gone, role] = await seenBy(async (cluster) => {
    await cluster.create('v1/namespaces', { metadata: { name: 'n', labels: { tier: 'gold' } } })
    await cluster.create('v1/configmaps', labelled('a', { app: 'x' }))
    await cluster.api.update(
      call,
      cluster.target('v1/configmaps', 'n', 'a'),
      structuredClone(labelled('a', { app: 'y' })),
    )
    await cluster.api.delete(call, cluster.target('v1/configmaps', 'n', 'a'), {})
    await cluster.create('rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'r' } })
  })
  const gold = { namespaceSelector: { matchLabels: { tier: 'gold' } } }
  const silver = { namespaceSelector: { matchLabels: { tier: 'silver' } } }
  for (const view of [space, made, changed, gone]) {
    assert.ok(matched(view, gold))
    assert.equal(matched(view, silver), undefined)
  }
  assert.ok(matched(role, silver), 'cluster-wide objects have no namespace to ask')
  const app = (value: string) => ({ objectSelector: { matchLabels: { app: value } } })
  assert.deepEqual(
    [made, changed, gone].map((view) => matched(view, app('x')) !== undefined),
    [true, true, false],
  )
  assert.deepEqual(
    [made, changed, gone].map((view) => matched(view, app('y')) !== undefined),
    [false, true, true],
  )
  assert.equal(gone!.in(gone!.requested).object, null)
  assert.equal(gone!.in(gone!.requested).old?.metadata.name, 'a')
})
