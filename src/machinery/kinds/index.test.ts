import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../object.ts'
import {
  defaultTokenRequest,
  prepareEphemeralContainers,
  rulesFor,
  validateBinding,
  validateEphemeralContainers,
  validateNamespaceFinalize,
  validateScale,
  validateTokenRequest,
} from './index.ts'
import type { Json } from './json.ts'

test('kinds without rules of their own have empty ones', () => {
  assert.deepEqual(rulesFor('example.com', 'Foo'), {})
  assert.deepEqual(rulesFor('', '__proto__'), {})
})

test('selectable fields read as field selectors compare them', () => {
  const pod: KubeObject = { metadata: {}, spec: { nodeName: 'n' }, status: { podIPs: [{ ip: '10.0.0.1' }] } }
  const { fields } = rulesFor('', 'Pod')
  assert.equal(fields?.['spec.nodeName']?.(pod), 'n')
  assert.equal(fields?.['status.podIP']?.(pod), '10.0.0.1')
  assert.equal(fields?.['spec.hostNetwork']?.(pod), 'false')
  assert.equal(fields?.['status.phase']?.(pod), '')
  assert.equal(rulesFor('', 'Node').fields?.['spec.unschedulable']?.({ metadata: {} }), 'false')
  const event: KubeObject = { metadata: {}, involvedObject: { name: 'p' }, reportingComponent: 'c' }
  assert.equal(rulesFor('', 'Event').fields?.['involvedObject.name']?.(event), 'p')
  assert.equal(rulesFor('', 'Event').fields?.['source']?.(event), 'c')
  assert.equal(rulesFor('events.k8s.io', 'Event').fields?.['regarding.name']?.({ metadata: {} }), '')
})

test('an ephemeral container stays as it is', () => {
  const container = { name: 'e', image: 'i', imagePullPolicy: 'Always', terminationMessagePolicy: 'File' }
  const main = { ...container, name: 'c' }
  const spec = {
    containers: [main],
    ephemeralContainers: [container],
    restartPolicy: 'Always',
    dnsPolicy: 'ClusterFirst',
    terminationGracePeriodSeconds: 30,
  }
  const old: Json = { metadata: { name: 'p', labels: { a: 'b' } }, spec, status: { phase: 'Running' } }
  const write = (list: Json[]): string[] => {
    const pod: Json = { metadata: { name: 'p', labels: {} }, spec: { ephemeralContainers: list }, status: {} }
    prepareEphemeralContainers(pod, old)
    assert.deepEqual(pod.metadata.labels, { a: 'b' })
    assert.deepEqual(pod.status, { phase: 'Running' })
    assert.deepEqual(pod.spec.containers, [main])
    return validateEphemeralContainers(pod, old).map((e) => e.message.split('\n')[0]!)
  }
  assert.deepEqual(write([container, { ...container, name: 'f' }]), [])
  assert.deepEqual(write([]), ['Forbidden: existing ephemeral containers "e" may not be removed'])
  assert.deepEqual(write([{ ...container, image: 'j' }]), [
    'Forbidden: existing ephemeral containers "e" may not be changed',
  ])
})

const lines = (errors: readonly { field: string; message: string }[]): string[] =>
  errors.map((e) => `${e.field}: ${e.message}`)

test('bindings name a node', () => {
  assert.deepEqual(lines(validateBinding({ target: { kind: 'Node', name: 'n' } })), [])
  assert.deepEqual(lines(validateBinding({ target: { kind: 'Pod' } })), [
    'target.kind: Unsupported value: "Pod": supported values: "Node", "<empty>"',
    'target.name: Required value',
  ])
})

test('scales are not negative', () => {
  assert.deepEqual(lines(validateScale({ spec: { replicas: -1 } })), [
    'spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  ])
})

test('tokens live for ten minutes at least, an hour by default', () => {
  const request: Json = {}
  defaultTokenRequest(request)
  assert.equal(request.spec.expirationSeconds, 3600)
  assert.deepEqual(validateTokenRequest(request), [])
  assert.deepEqual(lines(validateTokenRequest({ spec: { expirationSeconds: 599 } })), [
    'spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
  ])
})

test('finalizers of a namespace are qualified names', () => {
  assert.deepEqual(lines(validateNamespaceFinalize({ spec: { finalizers: ['kubernetes', 'foo'] } })), [
    'spec.finalizers[1]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
  ])
})
