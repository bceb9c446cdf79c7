import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeV3 } from '../../machinery/openapi/index.ts'
import { finish } from '../../machinery/schema/index.ts'
import { convertedSpec } from './converted.ts'

const MOST = 4_000_000
const MANY = 300

const response = { description: 'OK', schema: { $ref: '#/definitions/K0' } }
const many = (name: string, value: object) =>
  Object.fromEntries(Array.from({ length: MANY }, (_, i) => [`${name}${i}`, value]))
const document = {
  swagger: '2.0',
  info: { title: 'Kinds', version: 'v1' },
  paths: many('/apis/kinds.example.com/v1/k', {
    get: { produces: ['application/json'], responses: { 200: response } },
  }),
  definitions: many('K', {
    type: 'object',
    description: 'x'.repeat(500),
    properties: { a: { $ref: '#/definitions/K1' } },
  }),
  securityDefinitions: { Bearer: { type: 'apiKey', name: 'authorization', in: 'header' } },
}
const bytes = (pieces: Buffer | Iterable<Buffer>) => Buffer.concat(Buffer.isBuffer(pieces) ? [pieces] : [...pieces])
const parsed = (pieces: Buffer | Iterable<Buffer>) => JSON.parse(bytes(pieces).toString()) as typeof expected
const expected = {
  openapi: '3.0.0',
  info: document.info,
  paths: many('/apis/kinds.example.com/v1/k', {
    get: {
      responses: {
        200: { description: 'OK', content: { 'application/json': { schema: { $ref: '#/components/schemas/K0' } } } },
      },
    },
  }),
  components: {
    schemas: many('K', {
      type: 'object',
      description: 'x'.repeat(500),
      properties: { a: { $ref: '#/components/schemas/K1' } },
    }),
    securitySchemes: document.securityDefinitions,
  },
}

test('a large document comes in pieces that are one', () => {
  const converted = finish(convertedSpec(document, MOST))
  assert.ok([...converted.body()].length > 4)
  assert.deepEqual(parsed(converted.body()), expected)
  const encoded = bytes(converted.protobuf())
  // What is before a member is the length of its message, which is in parts.
  const member = (part: object) => assert.ok(encoded.includes(encodeV3(part).subarray(6)), JSON.stringify(part))
  for (const path of Object.entries(expected.paths)) member({ paths: Object.fromEntries([path]) })
  for (const schema of Object.entries(expected.components.schemas))
    member({ components: { schemas: Object.fromEntries([schema]) } })
  assert.ok(encoded.includes(encodeV3({ components: { securitySchemes: document.securityDefinitions } })))
})

test('its hash is that of what it says', () => {
  const hash = (of: object) => finish(convertedSpec(of as typeof document, MOST)).hash
  assert.match(hash(document), /^[0-9A-F]{128}$/)
  assert.equal(hash(document), hash(structuredClone(document)))
  assert.notEqual(hash(document), hash({ ...document, info: { title: 'Others', version: 'v1' } }))
  assert.notEqual(hash(document), hash({ ...document, securityDefinitions: {} }))
})

test('documents without anything are documents', () => {
  const empty = finish(convertedSpec({ swagger: '2.0' }, MOST))
  assert.deepEqual(parsed(empty.body()), { openapi: '3.0.0', paths: {}, components: {} })
  const types = finish(convertedSpec({ definitions: { A: {} } }, MOST))
  assert.deepEqual(parsed(types.body()), { openapi: '3.0.0', paths: {}, components: { schemas: { A: {} } } })
})

test('it has a bound', () => {
  assert.throws(() => finish(convertedSpec(document, 100_000)), RangeError)
  let deep: object = {}
  for (let i = 0; i < 100_000; i++) deep = { items: deep }
  assert.throws(() => finish(convertedSpec({ definitions: { deep } }, MOST)), RangeError)
})

test('what has no place in protobuf is left out of it', () => {
  const odd = { type: 'string', maxLength: 'Infinity', description: { toString: 1 }, required: 5, externalDocs: 'x' }
  const converted = finish(convertedSpec({ definitions: { A: odd } }, MOST))
  const plain = encodeV3({ openapi: '3.0.0', components: { schemas: { A: { externalDocs: {}, type: 'string' } } } })
  assert.equal(bytes(converted.protobuf()).length, plain.length)
})
