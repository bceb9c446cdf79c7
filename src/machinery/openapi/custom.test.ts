import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SchemaProps } from '../schema/index.ts'
import { customSchema } from './custom.ts'

const gvk = { group: 'example.com', version: 'v1', kind: 'Foo' }
const kinds = { 'x-kubernetes-group-version-kind': [gvk] }
const v2 = (schema?: SchemaProps): Record<string, unknown> =>
  customSchema(schema, gvk, { version: 2, prefix: '#/definitions/' })
const v3 = (schema?: SchemaProps): Record<string, unknown> =>
  customSchema(schema, gvk, { version: 3, prefix: '#/components/schemas/' })
const specOf = (schema: Record<string, unknown>): Record<string, unknown> =>
  (schema['properties'] as { spec: Record<string, unknown> }).spec

const open: SchemaProps = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const withSpec = (spec: SchemaProps): SchemaProps => ({ type: 'object', properties: { spec } })

test('what is open at its root has no property in version 2', () => {
  for (const schema of [undefined, open, { ...open, properties: { a: { type: 'string' } } }])
    assert.deepEqual(v2(schema as SchemaProps), { type: 'object', ...kinds })
  assert.deepEqual(v3(), { type: 'object', ...kinds })
  assert.deepEqual(Object.keys(v3(open)['properties'] as object), ['apiVersion', 'kind', 'metadata'])
})

test('every object has metadata', () => {
  const properties = v2({ type: 'object', properties: { spec: { type: 'string' } } })['properties']
  assert.deepEqual(Object.keys(properties as object), ['spec', 'apiVersion', 'kind', 'metadata'])
  assert.equal(
    (properties as { metadata: { $ref: string } }).metadata.$ref,
    '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
  )
})

test('version 2 leaves out what it can not say', () => {
  const string: SchemaProps = { type: 'string' }
  assert.deepEqual(specOf(v2(withSpec({ ...open, description: 'd', properties: { a: string } }))), {
    description: 'd',
    'x-kubernetes-preserve-unknown-fields': true,
  })
  assert.deepEqual(specOf(v2(withSpec({ type: 'array', nullable: true, items: string, default: [] }))), { default: [] })
  assert.deepEqual(specOf(v2(withSpec({ 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, string] }))), {
    'x-kubernetes-int-or-string': true,
  })
  const nullable: SchemaProps = { ...string, nullable: true }
  assert.deepEqual(
    specOf(v2(withSpec({ type: 'object', required: ['a', 'b'], properties: { a: nullable, b: string } }))),
    { type: 'object', required: ['b'], properties: { a: {}, b: string } },
  )
  assert.deepEqual(specOf(v3(withSpec({ ...nullable, anyOf: [string] }))), { ...nullable, anyOf: [string] })
})

test('embedded objects say what they are', () => {
  const embedded: SchemaProps = {
    type: 'object',
    'x-kubernetes-embedded-resource': true,
    properties: { spec: { type: 'string' } },
  }
  for (const schema of [specOf(v2(withSpec(embedded))), specOf(v3(withSpec(embedded)))]) {
    assert.deepEqual(schema['required'], ['kind', 'apiVersion'])
    assert.deepEqual(Object.keys(schema['properties'] as object), ['spec', 'apiVersion', 'kind', 'metadata'])
  }
  const both = withSpec({ ...embedded, 'x-kubernetes-preserve-unknown-fields': true })
  assert.deepEqual(specOf(v2(both)), {
    'x-kubernetes-embedded-resource': true,
    'x-kubernetes-preserve-unknown-fields': true,
  })
})

test('a property may be called like a part of every JavaScript object', () => {
  const properties = JSON.parse('{"__proto__":{"type":"string"}}') as Record<string, SchemaProps>
  assert.ok(Object.hasOwn(specOf(v2(withSpec({ type: 'object', properties })))['properties'] as object, '__proto__'))
})
