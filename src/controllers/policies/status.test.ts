/** Against what a real kube-controller-manager wrote into the status of the same policies. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Resource } from '../../client/contract.ts'
import { loopCluster } from '../fixture.ts'
import { policyStatusController } from './status.ts'

interface Case {
  readonly name: string
  readonly spec: object
  readonly status: object
}

const cases = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata/cases.json'), 'utf8')) as readonly Case[]
const resource = (group: string, plural: string, kind: string): Resource => ({
  group,
  version: 'v1',
  resource: plural,
  kind,
  namespaced: false,
})
const POLICIES = resource('admissionregistration.k8s.io', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy')
const DEFINITIONS = resource('apiextensions.k8s.io', 'customresourcedefinitions', 'CustomResourceDefinition')

const KNOBS = {
  metadata: { name: 'knobs.checks.example.com' },
  spec: {
    group: 'checks.example.com',
    scope: 'Namespaced',
    names: { plural: 'knobs', kind: 'Knob' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { max: { type: 'integer' } } },
              free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
}

test('what type checking finds, once for each generation', async () => {
  await using cluster = await loopCluster([policyStatusController])
  await cluster.create(DEFINITIONS, KNOBS)
  for (const { name, spec, status } of cases) {
    const id = name.replaceAll(' ', '-')
    await cluster.create(POLICIES, { metadata: { name: id }, spec })
    const checked = await cluster.until(name, async () => {
      const policy = await cluster.find(POLICIES, '', id)
      return policy?.['status']?.observedGeneration === undefined ? undefined : policy
    })
    assert.deepEqual(checked['status'], status, name)
  }
  const first = await cluster.client.get(POLICIES, 'parameters')
  await cluster.client.update(POLICIES, { ...first, metadata: { ...first.metadata, labels: { a: 'b' } } })
  const body = { spec: { failurePolicy: 'Ignore' } }
  await cluster.client.patch(POLICIES, 'parameters', { type: 'merge', body })
  await cluster.until('the second generation', async () => {
    const policy = await cluster.find(POLICIES, '', 'parameters')
    return policy?.['status']?.observedGeneration === 2
  })
  assert.deepEqual(cluster.complaints, [])
})
