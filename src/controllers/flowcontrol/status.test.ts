import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Resource } from '../../client/contract.ts'
import { loopCluster } from '../fixture.ts'
import { flowSchemaStatusController } from './status.ts'

const group = 'flowcontrol.apiserver.k8s.io'
const apiVersion = `${group}/v1`
const schemas: Resource = { group, version: 'v1', resource: 'flowschemas', kind: 'FlowSchema', namespaced: false }
const levels: Resource = { ...schemas, resource: 'prioritylevelconfigurations', kind: 'PriorityLevelConfiguration' }

test('schemas say whether their level is there', async () => {
  await using cluster = await loopCluster([flowSchemaStatusController])
  const spec = { priorityLevelConfiguration: { name: 'own' }, matchingPrecedence: 500, rules: [] }
  await cluster.create(schemas, { apiVersion, kind: 'FlowSchema', metadata: { name: 's' }, spec })
  const told = (status: string) =>
    cluster.until(`Dangling ${status}`, async () => {
      const found = await cluster.find(schemas, '', 's')
      const condition = found?.['status']?.conditions?.[0]
      return condition?.status === status ? (condition as Record<string, string>) : undefined
    })
  const missing = await told('True')
  assert.deepEqual(
    [missing['type'], missing['reason'], missing['message']],
    [
      'Dangling',
      'NotFound',
      'This FlowSchema references the PriorityLevelConfiguration object named "own" but there is no such object',
    ],
  )
  const limited = { nominalConcurrencyShares: 5, limitResponse: { type: 'Reject' } }
  const level = {
    apiVersion,
    kind: 'PriorityLevelConfiguration',
    metadata: { name: 'own' },
    spec: { type: 'Limited', limited },
  }
  await cluster.create(levels, level)
  assert.match((await told('False'))['message']!, /and it exists$/)
  await cluster.client.delete(levels, 'own')
  await told('True')
  const untouched = await cluster.find(schemas, '', 'global-default')
  assert.equal(untouched!.metadata.resourceVersion, '1')
  assert.deepEqual(cluster.complaints, [])
})
