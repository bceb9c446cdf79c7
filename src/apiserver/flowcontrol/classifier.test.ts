import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bootstrapEntries } from '../bootstrap/entries.ts'
import { metaOf, type Attributes } from '../contract.ts'
import { memoryStore } from '../../store/memory.ts'
import { ownBytes } from '../../store/bytes.ts'
import { FlowClassifier, isUrgent } from './classifier.ts'

const asks = (name: string, groups: readonly string[], more: Partial<Attributes>): Attributes => ({
  user: { name, groups },
  verb: 'get',
  ...more,
})
const everybody = ['system:authenticated']

test('the bootstrap schemas, as upstream matches them', async () => {
  const range = await memoryStore().open('a', { base: bootstrapEntries() })
  const flows = new FlowClassifier(range)
  const account = ['system:serviceaccounts', ...everybody]
  const cases: [Attributes, string, boolean][] = [
    [asks('admin', ['system:masters'], { resource: 'pods', verb: 'list' }), 'exempt', true],
    [asks('jane', everybody, { resource: 'pods', namespace: 'a' }), 'global-default', false],
    [asks('jane', everybody, { path: '/healthz' }), 'probes', true],
    [asks('jane', everybody, { path: '/version' }), 'global-default', false],
    [asks('nobody', [], { path: '/version' }), 'catch-all', false],
    [asks('system:serviceaccount:web:app', account, { resource: 'pods', namespace: 'web' }), 'service-accounts', false],
    [asks('system:serviceaccount:kube-system:x', account, { resource: 'pods' }), 'kube-system-service-accounts', false],
    [asks('system:serviceaccount:kube-systems:x', account, { resource: 'pods' }), 'service-accounts', false],
    [
      asks('system:kube-scheduler', everybody, {
        group: 'coordination.k8s.io',
        resource: 'leases',
        namespace: 'a',
        verb: 'update',
      }),
      'system-leader-election',
      true,
    ],
    [asks('system:kube-scheduler', everybody, { resource: 'pods', verb: 'watch' }), 'kube-scheduler', false],
    [
      asks('system:node:n', ['system:nodes', ...everybody], {
        resource: 'nodes',
        subresource: 'status',
        name: 'n',
        verb: 'patch',
      }),
      'system-node-high',
      true,
    ],
    [asks('system:node:n', ['system:nodes', ...everybody], { resource: 'pods', namespace: 'a' }), 'system-nodes', true],
  ]
  for (const [attributes, schema, urgent] of cases) {
    const flow = flows.classify(attributes)
    assert.deepEqual([flow.schema, isUrgent(flow)], [schema, urgent], JSON.stringify(attributes))
    assert.equal(flow.schemaUid, metaOf(range.get(`flowcontrol.apiserver.k8s.io/flowschemas//${schema}`)!).uid)
    assert.match(flow.levelUid, /^[0-9a-f-]{36}$/)
  }
})

test('a cluster’s own schemas count at once, unless their level is missing', async () => {
  const range = await memoryStore().open('a', { base: bootstrapEntries() })
  const flows = new FlowClassifier(range)
  const asked = asks('jane', everybody, { resource: 'pods', namespace: 'a' })
  assert.equal(flows.classify(asked).schema, 'global-default')
  const put = (name: string, level: string, matchingPrecedence: number) => {
    const rules = [
      {
        subjects: [{ kind: 'User', user: { name: 'jane' } }],
        resourceRules: [{ verbs: ['*'], apiGroups: [''], resources: ['pods'], namespaces: ['*'] }],
      },
    ]
    const object = {
      kind: 'FlowSchema',
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
      metadata: { name, uid: `uid-${name}` },
      spec: { priorityLevelConfiguration: { name: level }, matchingPrecedence, rules },
    }
    const key = `flowcontrol.apiserver.k8s.io/flowschemas//${name}`
    return range.write([{ type: 'put', key, encode: () => ({ bytes: ownBytes(JSON.stringify(object)) }) }])
  }
  await put('dangling', 'nowhere', 1)
  await put('own', 'system', 500)
  assert.deepEqual([flows.classify(asked).schema, flows.classify(asked).schemaUid], ['own', 'uid-own'])
  await range.write([
    { type: 'delete', key: 'flowcontrol.apiserver.k8s.io/flowschemas//own', encode: () => ({ bytes: ownBytes('{}') }) },
  ])
  assert.equal(flows.classify(asked).schema, 'global-default')
  flows.close()
})
