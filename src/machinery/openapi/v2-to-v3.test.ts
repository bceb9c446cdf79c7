import assert from 'node:assert/strict'
import { test } from 'node:test'
import cases from './testdata/v2-to-v3.oracle.json' with { type: 'json' }
import { headV3, membersV3 } from './v2-to-v3.ts'

const MOST = 1_000_000
type Json = Readonly<Record<string, unknown>>

function whole(document: Json, most = MOST): unknown {
  const paths: [string, object][] = []
  const components = new Map<string, [string, object][]>()
  for (const { section, name, value } of membersV3(document, most)) {
    let list = section === 'paths' ? paths : components.get(section)
    if (list === undefined) components.set(section, (list = []))
    list.push([name, value])
  }
  const sections = [...components].map(([section, list]) => [section, Object.fromEntries(list)] as const)
  return { ...headV3(document), paths: Object.fromEntries(paths), components: Object.fromEntries(sections) }
}

/** Without empty sections, which are left out here and not there. */
const bare = (document: unknown) => {
  const { paths = {}, components, ...rest } = document as { paths?: object; components: Record<string, object> }
  const some = Object.entries(components).filter(([, members]) => Object.keys(members).length > 0)
  return { ...rest, paths, components: Object.fromEntries(some) }
}

test("documents become what upstream's conversion makes of them", () => {
  for (const { document, answer } of cases) assert.deepEqual(whole(document), bare(answer.document))
})

test('all references lead somewhere', () => {
  const $ref = '#/definitions/A'
  const document = {
    consumes: ['application/json'],
    paths: {
      '/a': {
        post: {
          parameters: [{ $ref: '#/parameters/body' }, { $ref: '#/parameters/pretty' }, { $ref: '#/parameters/x' }],
        },
      },
    },
    definitions: { B: { allOf: [{ $ref }], not: { $ref }, anyOf: [{ oneOf: [{ $ref }] }] } },
    parameters: {
      body: { name: 'body', in: 'body', schema: { $ref } },
      pretty: { name: 'pretty', in: 'query', type: 'string' },
    },
  }
  const led = { $ref: '#/components/schemas/A' }
  assert.deepEqual(whole(document), {
    openapi: '3.0.0',
    paths: {
      '/a': {
        post: {
          requestBody: { content: { 'application/json': { schema: led } } },
          parameters: [{ $ref: '#/components/parameters/pretty' }, { $ref: '#/components/parameters/x' }],
          responses: {},
        },
      },
    },
    components: {
      schemas: { B: { allOf: [led], not: led, anyOf: [{ oneOf: [led] }] } },
      parameters: { pretty: { name: 'pretty', in: 'query', schema: { type: 'string' } } },
    },
  })
})

test('what is no OpenAPI is left out', () => {
  const document = JSON.parse(
    `{"info":1,"paths":{"/a":{"get":{"parameters":5,"responses":{"200":7,"__proto__":{},"x":{}},"tags":null}},"/b":null},
      "definitions":{"A":{"type":"object","properties":{"__proto__":{"type":"string"},"a":1},"items":3,"allOf":{},"required":null,"default":null}},
      "parameters":[],"responses":"x","securityDefinitions":{"s":null}}`,
  ) as Json
  const { paths, components } = whole(document) as { paths: object; components: { schemas: { A: Json } } }
  assert.deepEqual(paths, { '/a': { get: { responses: {} } } })
  const { A } = components.schemas
  assert.equal(JSON.stringify(A), '{"type":"object","properties":{"__proto__":{"type":"string"}},"default":null}')
})

test('a short document does not become a long one', () => {
  const produces = Array.from({ length: 1000 }, (_, i) => `a/${i}`)
  const schema = { description: 'x'.repeat(1000) }
  const document = { paths: { '/a': { get: { produces, responses: { 200: { schema }, 201: { schema } } } } } }
  whole(document, 3_000_000)
  assert.throws(() => whole(document), RangeError)
})
