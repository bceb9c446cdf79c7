import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json } from '../json.ts'
import { aggregate } from './pod-resources.ts'
import { qosClass } from './qos.ts'

const both = { cpu: '1', memory: '1Gi' }
const full = { requests: both, limits: both }

const CASES: readonly (readonly [string, Json, string])[] = [
  ['nothing asked', { containers: [{}] }, 'BestEffort'],
  ['only other resources', { containers: [{ resources: { requests: { 'ephemeral-storage': '1Gi' } } }] }, 'BestEffort'],
  ['limits equal requests', { containers: [{ resources: full }] }, 'Guaranteed'],
  [
    'equal in other words',
    { containers: [{ resources: { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1024Mi' } } }] },
    'Guaranteed',
  ],
  ['one of two', { containers: [{ resources: full }, {}] }, 'Burstable'],
  ['an init container counts', { containers: [{ resources: full }], initContainers: [{}] }, 'Burstable'],
  ['no memory', { containers: [{ resources: { requests: { cpu: '1' }, limits: { cpu: '1' } } }] }, 'Burstable'],
  ['the pod level decides', { resources: full, containers: [{}] }, 'Guaranteed'],
  ['an empty pod level does not', { resources: {}, containers: [{ resources: full }] }, 'Guaranteed'],
]

for (const [name, spec, wanted] of CASES) test(`QoS: ${name}`, () => assert.equal(qosClass(spec), wanted))

test('sidecars count beside containers, init containers by their highest moment', () => {
  const cpu = (amount: string): Json => ({ resources: { requests: { cpu: amount } } })
  const spec = {
    containers: [cpu('1'), cpu('1')],
    initContainers: [{ ...cpu('1'), restartPolicy: 'Always' }, cpu('5'), { ...cpu('1'), restartPolicy: 'Always' }],
  }
  assert.equal(aggregate(spec, 'requests').get('cpu')?.nanos, 6_000_000_000n)
  const small = { ...spec, initContainers: [spec.initContainers[0], cpu('1')] }
  assert.equal(aggregate(small, 'requests').get('cpu')?.nanos, 3_000_000_000n)
})
