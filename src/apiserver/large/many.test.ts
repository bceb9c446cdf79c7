import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { load } from 'js-yaml'
import { encodeBody } from '../../machinery/codec/protobuf-encode.ts'
import { writeYaml } from '../../machinery/codec/yaml-write.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { Call, PatchType } from '../contract.ts'
import { type Any, type Server, testServer } from '../http/fixture.ts'
import { call } from '../registry/fixture.ts'
import { hasMany } from './many.ts'

const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'things.example.com' },
  spec: {
    group: 'example.com',
    scope: 'Namespaced',
    names: { plural: 'things', kind: 'Thing' },
    versions: ['v1', 'v2'].map((name) => ({
      name,
      served: true,
      storage: name === 'v1',
      subresources: { status: {} },
      schema: {
        openAPIV3Schema: {
          type: 'object',
          properties: {
            spec: {
              type: 'object',
              properties: {
                size: { type: 'integer', maximum: 10, default: 3 },
                list: {
                  type: 'array',
                  'x-kubernetes-list-type': 'map',
                  'x-kubernetes-list-map-keys': ['a'],
                  items: {
                    type: 'object',
                    required: ['a'],
                    properties: { a: { type: 'string' }, b: { type: 'string' } },
                  },
                },
              },
            },
            status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          },
        },
      },
    })),
  },
}

type Step = readonly ['create' | 'update' | PatchType, path: string, name: string, body: unknown, more?: Partial<Call>, subresource?: string] // prettier-ignore

const CM = 'v1/configmaps'
const POD = 'v1/pods'
const THING = 'example.com/v1/things'
const map = (data: unknown, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', ...metadata }, data }) // prettier-ignore
const thing = (spec: unknown, version = 'v1') => ({ apiVersion: `example.com/${version}`, kind: 'Thing', metadata: { name: 't' }, spec }) // prettier-ignore
const pod = (extra: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i', ...extra }] } }) // prettier-ignore
const strict = { fieldValidation: 'Strict' } as const

/** Of each verb some that go well and some that do not. */
const STEPS: readonly Step[] = [
  ['create', CM, '', map({ a: 'b' }, { labels: { x: 'y' } })],
  ['create', CM, '', map({ 'a b': 'c' }, { name: 'n', labels: { '-': '-' } })],
  ['create', CM, '', map({ a: 'b' })],
  ['update', CM, 'm', map({ a: 'c', d: 'e' })],
  ['update', CM, 'm', map({ a: 'c', d: 'e' })],
  ['update', CM, 'm', map({ a: 'd' }, { resourceVersion: '1' })],
  ['merge', CM, 'm', { data: { a: null, f: 'g' } }, { fieldManager: 'merger' }],
  ['merge', CM, 'm', { data: { f: 5 } }],
  ['merge', CM, 'm', { dat: { f: 'h' } }, strict],
  ['merge', CM, 'm', { dat: { f: 'h' } }, { warnings: [] }],
  ['json', CM, 'm', [{ op: 'add', path: '/data/x', value: 'y' }]],
  ['json', CM, 'm', [{ op: 'test', path: '/data/x', value: 'z' }]],
  ['strategic', CM, 'm', { data: { x: 'z' } }, { dryRun: true }],
  ['apply', CM, 'm', map({ f: 'i' }), { fieldManager: 'applier' }],
  ['apply', CM, 'new', map({ f: 'i' }, { name: 'new' }), { fieldManager: 'applier' }],
  ['apply', CM, 'new', map({}, { name: 'new' }), { fieldManager: 'applier' }],
  ['create', POD, '', pod({ imagePullPolicy: 'Sometimes', ports: [{}] })],
  ['create', POD, '', pod({ env: [{ name: 'A', value: 'b' }] })],
  ['strategic', POD, 'p', { spec: { containers: [{ name: 'c', image: 'j' }] } }],
  ['strategic', POD, 'p', { spec: { containers: [{ name: 'c', env: [{ name: 'B' }] }] } }],
  ['merge', POD, 'p', { status: { phase: 'Running' } }, {}, 'status'],
  ['apply', POD, 'p', pod({ image: 'k' }), { fieldManager: 'applier' }],
  ['create', THING, '', thing({ size: 11, list: [{ a: 'x' }, { a: 'x' }, {}], other: 1 })],
  ['create', THING, '', thing({ list: [{ a: 'x', b: 'y' }], other: 1 })],
  ['update', THING, 't', thing({ size: 4, list: [{ a: 'z' }] })],
  ['merge', THING, 't', { spec: { size: 5, other: 1 } }, { warnings: [] }],
  ['merge', THING, 't', { status: { ready: true } }, {}, 'status'],
  ['json', THING, 't', [{ op: 'remove', path: '/spec/none' }]],
  ['strategic', THING, 't', {}],
  ['apply', THING, 't', thing({ list: [{ a: 'w', b: 'x' }] }), { fieldManager: 'applier' }],
  ['apply', 'example.com/v2/things', 't', thing({ list: [{ a: 'w', b: 'y' }] }, 'v2'), { fieldManager: 'two' }],
  ['apply', 'example.com/v2/things', 't', thing({ list: [{ a: 'w', b: 'y' }] }, 'v2'), { fieldManager: 'two' }],
  ['update', 'example.com/v2/things', 't', thing({ size: 1, list: [] }, 'v2')],
]

async function server(): Promise<Server> {
  const made = await testServer()
  await made.ask('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', DEFINITION)
  for (let i = 0; i < 200 && made.api.catalog.find('example.com', 'v2', 'things') === undefined; i++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  return made
}

async function answers(many: boolean): Promise<string[]> {
  const { api, target } = await server()
  const out: string[] = []
  for (const [verb, path, name, body, more, subresource] of STEPS) {
    const asked: Call = { ...call, many, ...more, ...(more?.warnings !== undefined && { warnings: [] }) }
    const at = target(path, 'default', name, subresource)
    const sent = structuredClone(body)
    let said: unknown
    try {
      const done =
        verb === 'create'
          ? await api.create(asked, at, sent as KubeObject)
          : verb === 'update'
            ? await api.update(asked, at, sent as KubeObject)
            : await api.patch(asked, at, verb, sent)
      assert.deepEqual(JSON.parse(done.entry!.bytes.toString()), JSON.parse(JSON.stringify(done.object)))
      said = done.entry!.bytes.toString()
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      said = JSON.stringify(error.status)
    }
    out.push(`${verb} ${path} ${name}: ${String(said)} ${asked.warnings?.join('; ') ?? ''}`)
  }
  return out.map((line) => line.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'uid'))
}

describe('objects of many members', () => {
  it('fare on the helper thread as others do', async () => {
    const [plain, many] = [await answers(false), await answers(true)]
    for (const [i, line] of plain.entries()) assert.equal(many[i], line)
  })

  it('are told by the signs before them', () => {
    const text = JSON.stringify(Array.from({ length: 4001 }, () => 'abcdefgh'))
    assert.equal(hasMany(text), true)
    assert.equal(hasMany(Buffer.from(text)), true)
    assert.equal(hasMany(`${'["'.padEnd(60_000, 'x')}",${'['.repeat(4000)}${']'.repeat(4000)}]`), true)
    assert.equal(hasMany(JSON.stringify(['x'.repeat(100_000)])), false)
  })

  it('are read from every format, with what strict decoding says', async () => {
    const { ask } = await testServer()
    const data = Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`key-${i}`, 'v']))
    const type = typeTable.kind('', 'v1', 'ConfigMap')!
    const bodies: readonly (readonly [string, Buffer])[] = [
      ['application/json', Buffer.from(JSON.stringify(map(data, { name: 'json' })))],
      ['application/yaml', Buffer.from(writeYaml(map(data, { name: 'yaml' })))],
      ['application/vnd.kubernetes.protobuf', encodeBody(map(data, { name: 'protobuf' }), type)],
    ]
    for (const [mediaType, body] of bodies) {
      const { status, json } = await ask('POST', '/api/v1/namespaces/default/configmaps', body, {
        'content-type': mediaType,
      })
      assert.equal(status, 201, mediaType)
      assert.deepEqual(json.data, data)
      assert.equal(Object.keys(json.metadata.managedFields[0].fieldsV1['f:data']).length, 9001)
    }
    const twice = JSON.stringify({ ...map(data, { name: 'x' }), odd: 1 }).replace('"key-1"', '"key-0"')
    const refused = await ask(
      'POST',
      '/api/v1/namespaces/default/configmaps?fieldValidation=Strict',
      Buffer.from(twice),
    )
    assert.equal(refused.status, 400)
    assert.match(refused.json.message, /strict decoding error: duplicate field "data.key-0", unknown field "odd"$/)
    const broken = await ask('POST', '/api/v1/namespaces/default/configmaps', Buffer.from(twice.slice(0, -1)))
    assert.match(broken.json.message, /unexpected end of JSON input/)
  })

  it('are shown, and refused, in every form alike', async () => {
    const { ask } = await testServer()
    const path = '/api/v1/namespaces/default/configmaps'
    const data = Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`key-${i}`, '"v"']))
    await ask('POST', path, map(data))
    const merge = { 'content-type': 'application/merge-patch+json' }
    for (const kind of ['Table', 'PartialObjectMetadata', 'PartialObjectMetadataList', ''])
      for (const url of kind === 'PartialObjectMetadata' ? [`${path}/m`] : kind === '' ? [''] : [path, `${path}/m`]) {
        if (kind.endsWith('List') && url !== path) continue
        const form = kind === '' ? '' : `;as=${kind};v=v1;g=meta.k8s.io`
        const shown = (type: string, query = '') =>
          kind === ''
            ? ask('PATCH', `${path}/m${query}`, { data: { z: 4 } }, { ...merge, accept: type })
            : ask('GET', `${url}${query}`, undefined, { accept: `${type}${form}` })
        const { json, status } = await shown('application/json')
        assert.equal(status, kind === '' ? 422 : 200)
        const pretty = await shown('application/json', '?pretty=true')
        assert.equal(pretty.body.toString().trimEnd(), JSON.stringify(json, null, 2))
        const yaml = await shown('application/yaml')
        assert.deepEqual(load(yaml.body.toString()), load(writeYaml(json)))
        if (kind === 'Table') assert.equal(json.rows[0].cells[1], 9000)
        const meta = kind === 'Table' ? json.rows[0].object.metadata : (json.items?.[0] ?? json).metadata
        if (kind === '') assert.ok(json.message.length > 65_536 && json.message.includes('key-8999'))
        else assert.equal(Object.keys(meta.managedFields[0].fieldsV1['f:data']).length, 9001)
      }
  })

  it('get more members by patches of policies, and by new defaults', async () => {
    const { ask } = await server()
    const policies = '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolic'
    const mutations = [
      {
        patchType: 'JSONPatch',
        jsonPatch: { expression: '[JSONPatch{op: "add", path: "/data/patched", value: "x"}]' },
      },
      { patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{data: {"applied": "y"}}' } },
    ]
    const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }]
    const spec = { matchConstraints: { resourceRules }, reinvocationPolicy: 'Never', mutations }
    const [apiVersion, metadata] = ['admissionregistration.k8s.io/v1', { name: 'p' }]
    await ask('POST', `${policies}ies`, { apiVersion, kind: 'MutatingAdmissionPolicy', metadata, spec })
    const binding = { apiVersion, kind: 'MutatingAdmissionPolicyBinding', metadata, spec: { policyName: 'p' } }
    await ask('POST', `${policies}ybindings`, binding)
    const members = Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`key-${i}`, 'v']))
    let made = await ask('POST', '/api/v1/namespaces/default/configmaps', map(members, { name: 'm-0' }))
    // A policy counts a moment later.
    for (let i = 1; i < 100 && made.json.data.applied === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      made = await ask('POST', '/api/v1/namespaces/default/configmaps', map(members, { name: `m-${i}` }))
    }
    assert.deepEqual(made.json.data, { ...members, patched: 'x', applied: 'y' })

    const definition = structuredClone(DEFINITION) as Any
    definition.metadata.name = 'wides.example.com'
    definition.spec.names = { plural: 'wides', kind: 'Wide' }
    const schemas = definition.spec.versions.map((version: Any) => version.schema.openAPIV3Schema.properties.spec)
    for (const schema of schemas) schema['x-kubernetes-preserve-unknown-fields'] = true
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
    await ask('POST', definitions, definition)
    const wide = { ...thing(members), kind: 'Wide' }
    let stored = await ask('POST', '/apis/example.com/v1/namespaces/default/wides', wide)
    for (let i = 0; i < 100 && stored.status === 404; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      stored = await ask('POST', '/apis/example.com/v1/namespaces/default/wides', wide)
    }
    assert.deepEqual(stored.json.spec, { ...members, size: 3 })
    const now = (await ask('GET', `${definitions}/wides.example.com`)).json
    for (const { schema } of now.spec.versions)
      schema.openAPIV3Schema.properties.spec.properties.later = { type: 'string', default: 'z' }
    assert.equal((await ask('PUT', `${definitions}/wides.example.com`, now)).status, 200)
    let shown = stored.json
    for (let i = 0; i < 100 && shown.spec.later === undefined; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      shown = (await ask('GET', '/apis/example.com/v1/namespaces/default/wides/t')).json
    }
    assert.deepEqual(shown.spec, { ...members, size: 3, later: 'z' })
  })
})
