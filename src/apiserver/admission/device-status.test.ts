import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../machinery/status.ts'
import type { Attributes } from '../contract.ts'
import type { AdmissionRequest } from './contract.ts'
import { deviceStatus } from './device-status.ts'

const node = (name: string) => ({
  nodeSelector: { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }] },
})
const device = (driver: string, more: object = {}) => ({ driver, pool: 'p', device: 'd', ...more })
const account = {
  name: 'system:serviceaccount:n:driver',
  extra: { 'authentication.kubernetes.io/node-name': ['here'] },
}

/** The causes of the refusal, and what the authorizer was asked; `may` lists the verbs and resources that are allowed. */
function write(old: object, now: object, may: readonly string[], user: object = { name: 'u' }, verb = 'update') {
  const asked: string[] = []
  const authorize = ({ verb: v, subresource, namespace = '', name = '' }: Attributes) => {
    const text = `${v} ${subresource} ${namespace}/${name}`
    asked.push(text)
    return { allowed: may.includes(text), reason: '' }
  }
  const request = {
    operation: 'UPDATE',
    verb,
    namespace: 'n',
    call: { user: { groups: [], ...user } },
    requested: { info: { version: 'v1' } },
    object: { metadata: { name: 'c' }, status: now },
    old: { metadata: { name: 'c' }, status: old },
    state: { authorizer: { authorize } },
  } as unknown as AdmissionRequest
  try {
    void deviceStatus.validate!(request)
    return { asked, causes: [] }
  } catch (error) {
    assert.ok(error instanceof StatusError)
    const causes = error.status.details?.causes ?? []
    return { asked, causes: causes.map(({ field, message }) => `${field}: ${message}`) }
  }
}

test('who allocates, frees or reserves may bind claims everywhere', () => {
  const binding = 'update binding /'
  assert.deepEqual(write({}, { allocation: {} }, [binding]), { asked: [binding], causes: [] })
  assert.deepEqual(write({ allocation: {} }, {}, []).asked, [binding])
  const { causes } = write({}, { reservedFor: [{ uid: 'u' }] }, [], { name: 'u' }, 'patch')
  assert.deepEqual(causes, [
    'status.allocation: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="patch" permission: resourceclaims.resource.k8s.io is forbidden: User "u" cannot patch resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
  ])
})

test('who tells of devices may do so for each of their drivers', () => {
  const allocation = node('here')
  const old = { allocation, devices: [device('a'), device('b'), device('c')] }
  const now = { allocation, devices: [device('a'), device('b', { data: { x: 1 } }), device('d')] }
  const may = ['arbitrary-node:update driver n/b', 'arbitrary-node:update driver n/c']
  const { asked, causes } = write(old, now, may)
  assert.deepEqual(asked, [...may, 'arbitrary-node:update driver n/d'])
  assert.deepEqual(causes, [
    'status.devices: Forbidden: changing status.devices requires resource="resourceclaims/driver", verb="[arbitrary-node:update]" permission: resourceclaims.resource.k8s.io "d" is forbidden: User "u" cannot arbitrary-node:update resource "resourceclaims/driver" in API group "resource.k8s.io" in the namespace "n"',
  ])
})

test('a driver at the node of the claim may tell of the devices there', () => {
  const told = (at: string, user: object) =>
    write({ allocation: node(at) }, { allocation: node(at), devices: [device('a')] }, [], user).asked
  const everywhere = 'arbitrary-node:update driver n/a'
  assert.deepEqual(told('here', account), ['associated-node:update driver n/a', everywhere])
  assert.deepEqual(told('there', account), [everywhere])
  assert.deepEqual(told('here', { ...account, name: 'somebody' }), [everywhere])
})

test('nothing is asked for what stays, or of devices of a claim that is freed', () => {
  const status = { allocation: node('here'), devices: [device('a')] }
  assert.deepEqual(write(status, status, []).asked, [])
  assert.deepEqual(write(status, {}, ['update binding /']).asked, ['update binding /'])
})
