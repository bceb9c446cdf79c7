import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { typeTable } from '../types/index.ts'
import type { FieldInfo, TypeInfo } from '../types/table.ts'
import { decodeJson } from './json.ts'
import { normalize, resetsManagers, withEmptied } from './normalize.ts'
import { decodeEnvelope, decodeMessage } from './protobuf.ts'
import { encodeBody } from './protobuf-encode.ts'

const core = (name: string): TypeInfo => typeTable.type(`io.k8s.api.core.v1.${name}`)
const text = (value: unknown, type: TypeInfo): string => JSON.stringify(normalize(value, type).object)

test('what Go always writes is there, and what it leaves out is not', () => {
  assert.equal(
    text(
      { spec: { containers: [{ name: 'a', ports: [], env: null, stdin: false, securityContext: {} }] } },
      core('Pod'),
    ),
    '{"metadata":{},"spec":{"containers":[{"name":"a","resources":{},"securityContext":{}}]},"status":{}}',
  )
  assert.equal(
    text({}, core('Event')),
    '{"metadata":{},"involvedObject":{},"source":{},"firstTimestamp":null,"lastTimestamp":null,"eventTime":null,"reportingComponent":"","reportingInstance":""}',
  )
  // What a real kube-apiserver 1.37 made of the same.
  assert.equal(text({ rules: [] }, typeTable.type('io.k8s.api.rbac.v1.ClusterRole')), '{"metadata":{},"rules":null}')
  assert.equal(
    text({ metadata: { labels: {}, annotations: { a: null } }, data: {}, binaryData: { a: '' } }, core('ConfigMap')),
    '{"metadata":{"annotations":{"a":""}},"binaryData":{"a":""}}',
  )
  assert.equal(text({ data: { z: null, a: '1', 10: 'x', 9: 'y' } }, core('ConfigMap')).includes('"a":"1","z":""'), true)
})

test('what was empty is told, and a copy has it again: what Go always writes, or everything', () => {
  const type = typeTable.type('io.k8s.api.storage.v1.CSINode')
  const { object, emptied } = normalize({ metadata: { labels: {} }, spec: { drivers: [] } }, type)
  assert.deepEqual(object, { metadata: {}, spec: { drivers: null }, status: {} })
  assert.deepEqual(emptied, [
    { path: ['metadata', 'labels'], empty: {}, omitted: true },
    { path: ['spec', 'drivers'], empty: [] },
  ])
  assert.equal(resetsManagers(emptied), false)
  const written = { metadata: {}, spec: { drivers: [] }, status: {} }
  assert.deepEqual(withEmptied(object, emptied, 'written'), written)
  assert.deepEqual(withEmptied(object, emptied, 'all'), { ...written, metadata: { labels: {} } })
  assert.deepEqual(object, { metadata: {}, spec: { drivers: null }, status: {} })
  assert.equal(normalize({ metadata: {}, spec: { drivers: null } }, type).emptied, undefined)
  const other = { metadata: { labels: { a: 'b' } }, spec: { drivers: [{ name: 'd' }] } }
  assert.equal(withEmptied(other, emptied, 'all'), other)
})

test('what is empty in items of lists and maps is put back where they still are', () => {
  const container = { name: 'c', args: [], resources: { limits: {}, requests: {} } }
  const { object, emptied } = normalize({ spec: { containers: [container, container] } }, core('Pod'))
  const { containers } = withEmptied(object, emptied, 'all')['spec'] as { containers: unknown[] }
  assert.deepEqual(containers, [container, container])
  assert.equal(withEmptied(object, emptied, 'written'), object)
  const shorter = { spec: { containers: [{ name: 'c', resources: {} }] } }
  assert.deepEqual(withEmptied(shorter, emptied, 'all'), { spec: { containers: [container] } })
  assert.deepEqual(shorter, { spec: { containers: [{ name: 'c', resources: {} }] } })
})

test('a place that is gone is no place of a prototype', () => {
  const emptied = [{ path: ['a', '__proto__', 'polluted'], empty: [] as const, omitted: true }]
  const object = { a: {} }
  assert.equal(withEmptied(object, emptied, 'all'), object)
  const own = JSON.parse('{"a":{"__proto__":{}}}') as typeof object
  assert.equal(JSON.stringify(withEmptied(own, emptied, 'all')), '{"a":{"__proto__":{"polluted":[]}}}')
  assert.equal(JSON.stringify(own), '{"a":{"__proto__":{}}}')
})

test('many that are omitted leave room for those that managers are told apart by', () => {
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`c${i}`, 0]))
  const containers = Object.keys(many).map((name) => ({ name, args: [] }))
  const template = { spec: { containers, volumes: [] } }
  const { emptied = [] } = normalize(
    { spec: { selector: {}, template } },
    typeTable.type('io.k8s.api.apps.v1.Deployment'),
  )
  assert.equal(emptied.length, 100)
  const rules = [...containers.map(() => ({ verbs: ['get'], resources: [] })), { verbs: [] }]
  const role = normalize({ rules }, typeTable.type('io.k8s.api.rbac.v1.Role'))
  assert.deepEqual(
    role.emptied?.filter(({ omitted }) => omitted !== true),
    [{ path: ['rules', 200, 'verbs'], empty: [] }],
  )
})

test('an empty list of managers resets them, in the metadata of the object itself alone', () => {
  const of = (value: unknown, type: TypeInfo) => normalize(value, type)
  const own = of({ metadata: { managedFields: [] } }, core('Pod'))
  assert.deepEqual(own.object['metadata'], {})
  assert.equal(resetsManagers(own.emptied), true)
  const template = of({ template: { metadata: { managedFields: [] } } }, core('PodTemplate'))
  assert.equal(resetsManagers(template.emptied), false)
})

test('zero values of pointers stay', () => {
  const spec = { replicas: 0, paused: false, minReadySeconds: 0 }
  assert.equal(
    text(spec, typeTable.type('io.k8s.api.apps.v1.DeploymentSpec')),
    '{"replicas":0,"selector":null,"template":{"metadata":{},"spec":{"containers":null}},"strategy":{}}',
  )
})

test('quantities, times and ports are canonical', () => {
  const resources = { limits: { memory: '1024Mi', cpu: 0.5 }, requests: { cpu: '1000m' } }
  assert.equal(
    text(resources, core('ResourceRequirements')),
    '{"limits":{"cpu":"500m","memory":"1Gi"},"requests":{"cpu":"1"}}',
  )
  assert.equal(text({ port: 80 }, core('ServicePort')), '{"port":80,"targetPort":0}')
  assert.equal(text({ port: 80, targetPort: 'http' }, core('ServicePort')), '{"port":80,"targetPort":"http"}')
})

test('__proto__ is an ordinary label', () => {
  const { value } = decodeJson('{"metadata":{"labels":{"__proto__":"x"},"__proto__":{}}}')
  const { object, unknown } = normalize(value, core('Pod'))
  assert.deepEqual(unknown, ['metadata.__proto__'])
  assert.match(JSON.stringify(object), /"labels":\{"__proto__":"x"\}/)
})

test('unknown fields within schema unions are dropped silently, as upstream does', () => {
  const schema = { type: 'array', zzz: 1, items: { type: 'string', bogus: 1 } }
  const type = typeTable.type('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps')
  const { object, unknown } = normalize({ properties: { a: schema } }, type)
  assert.deepEqual(unknown, ['properties.a.zzz'])
  assert.equal(JSON.stringify(object), '{"properties":{"a":{"type":"array","items":{"type":"string"}}}}')
})

test('int64 beyond 2^53 is kept', () => {
  const { value } = decodeJson('{"metadata":{"generation":9007199254740993}}')
  assert.match(text(value, core('Pod')), /"generation":9007199254740993/)
})

const MAX_NESTING = 4

/** Objects of a type, also such that are not normal. */
function objects(type: TypeInfo, depth = 0): fc.Arbitrary<unknown> {
  const shape: Record<string, fc.Arbitrary<unknown>> = {}
  for (const field of type.fields) {
    if (field.number === 0 || (field.kind === 'object' && depth >= MAX_NESTING)) continue
    shape[field.name] = values(field, depth)
  }
  return fc.record(shape, { requiredKeys: [] })
}

function values(field: FieldInfo, depth: number): fc.Arbitrary<unknown> {
  const one = scalars(field, depth)
  if (field.container === 'none') return fc.option(one, { freq: 8 })
  const list = fc.array(one, { maxLength: 2 })
  if (field.container === 'list') return list
  return fc.dictionary(fc.string({ maxLength: 3 }), field.wrapped ? list : one, { maxKeys: 3 })
}

function scalars(field: FieldInfo, depth: number): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'string':
      return fc.string({ maxLength: 4, unit: 'grapheme' }).map((s) => s.toWellFormed())
    case 'bool':
      return fc.boolean()
    case 'int32':
      return fc.integer({ min: -2147483648, max: 2147483647 })
    case 'int64':
      return fc.oneof(fc.maxSafeInteger(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(exact))
    case 'double':
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case 'bytes':
      return fc.uint8Array({ maxLength: 4 }).map((b) => Buffer.from(b).toString('base64'))
    default:
      return specials(typeTable.type(field.type!), depth)
  }
}

const exact = (n: bigint): unknown => (Number.isSafeInteger(Number(n)) ? Number(n) : JSON.rawJSON(String(n)))

function specials(type: TypeInfo, depth: number): fc.Arbitrary<unknown> {
  const seconds = fc
    .integer({ min: 0, max: 4_000_000_000 })
    .map((s) => `${new Date(s * 1000).toISOString().slice(0, 19)}`)
  switch (type.special) {
    case undefined:
      return objects(type, depth + 1)
    case 'Time':
      return seconds.map((s) => `${s}Z`)
    case 'MicroTime':
      return fc.tuple(seconds, fc.nat(999_999)).map(([s, n]) => `${s}.${String(n).padStart(6, '0')}Z`)
    case 'Quantity':
      return fc.tuple(fc.nat(9999), fc.constantFrom('', 'm', 'k', 'Mi', 'Gi')).map(([n, unit]) => `${n}${unit}`)
    case 'IntOrString':
      return fc.oneof(
        fc.nat(65535),
        fc.string({ maxLength: 3 }).map((s) => s.toWellFormed()),
      )
    case 'JSONSchemaPropsOrBool':
      return fc.boolean()
    case 'JSONSchemaPropsOrArray':
    case 'JSONSchemaPropsOrStringArray':
      return fc.constant({ type: 'string' })
    default:
      return fc.constantFrom({ a: [1, null] }, { b: {} })
  }
}

for (const resource of typeTable.resources) {
  const name = resource.type!
  test(`${name}: normalising twice changes nothing, and protobuf carries it there and back`, () => {
    const type = typeTable.type(name)
    fc.assert(
      fc.property(objects(type), (object) => {
        const once = normalize({ kind: 'K', apiVersion: 'v1', ...(object as object) }, type)
        assert.deepEqual(once.unknown, [])
        const json = JSON.stringify(once.object)
        assert.equal(JSON.stringify(normalize(decodeJson(json).value, type).object), json)
        const { apiVersion, kind, raw } = decodeEnvelope(encodeBody(once.object, type))
        const back = { kind, apiVersion, ...decodeMessage(raw, type) }
        // Empty lists in types that upstream stores as JSON are the one thing that protobuf does not tell.
        assert.equal(
          JSON.stringify(normalize(back, type).object).replaceAll('[]', 'null'),
          json.replaceAll('[]', 'null'),
        )
      }),
      { numRuns: 15 },
    )
  })
}
