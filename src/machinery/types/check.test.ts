import assert from 'node:assert/strict'
import { test } from 'node:test'
import { validateByTable } from './check.ts'

const lines = (object: Record<string, unknown>, type: string): string[] =>
  validateByTable(object, type).map((e) => `${e.field}: ${e.message}`)

test('required fields', () => {
  const ingress = {
    spec: { rules: [{ http: { paths: [{ path: '/', backend: { service: { name: '', port: {} } } }] } }, { http: {} }] },
  }
  assert.deepEqual(lines(ingress, 'io.k8s.api.networking.v1.Ingress'), [
    'spec.rules[0].http.paths[0].pathType: Required value',
    'spec.rules[0].http.paths[0].backend.service.name: Required value',
    'spec.rules[1].http.paths: Required value',
  ])
  assert.deepEqual(lines({ roleRef: { kind: 'Role', name: 'a' } }, 'io.k8s.api.rbac.v1.RoleBinding'), [])
  // Conditions need a message by the schema, but the server fills status.
  assert.deepEqual(lines({ spec: {}, status: { conditions: [{}] } }, 'io.k8s.api.policy.v1.PodDisruptionBudget'), [])
  assert.deepEqual(lines({ spec: { drivers: null } }, 'io.k8s.api.storage.v1.CSINode'), [])
})

test('enums', () => {
  const job = {
    spec: { completionMode: 'Any', template: { spec: { containers: [{ name: 'a' }], restartPolicy: 'x' } } },
  }
  assert.deepEqual(lines(job, 'io.k8s.api.batch.v1.Job'), [
    'spec.template.spec.restartPolicy: Unsupported value: "x": supported values: "Always", "Never", "OnFailure"',
    'spec.completionMode: Unsupported value: "Any": supported values: "Indexed", "NonIndexed"',
  ])
})

test('limits and formats', () => {
  const target = { scaleTargetRef: { kind: 'Deployment', name: 'a' } }
  assert.deepEqual(
    lines({ spec: { ...target, maxReplicas: 0 } }, 'io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler'),
    ['spec.maxReplicas: Invalid value: 0: must be greater than or equal to 1'],
  )
  assert.deepEqual(lines({ spec: { extendedResourceName: 'kubernetes.io/x' } }, 'io.k8s.api.resource.v1.DeviceClass'), [
    'spec.extendedResourceName: Invalid value: "kubernetes.io/x": must not have "kubernetes.io/" domain',
  ])
  const requests = Array.from({ length: 33 }, () => ({ name: 'a' }))
  assert.deepEqual(lines({ spec: { devices: { requests } } }, 'io.k8s.api.resource.v1.ResourceClaim'), [
    'spec.devices.requests: Too many: 33: must have at most 32 items',
  ])
})
