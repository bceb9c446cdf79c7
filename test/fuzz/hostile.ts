/** Requests that nobody with good intentions sends. Each family is a generator of its own, so that a finding has a name. */
import { encodeBody } from '../../src/machinery/codec/protobuf-encode.ts'
import { typeTable } from '../../src/machinery/types/index.ts'
import type { Random } from './random.ts'

export interface Hostile {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

export type Family = (random: Random, i: number) => Hostile

const NAMESPACE = '/api/v1/namespaces/default'
const MB = 1 << 20

const json = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const post = (path: string, body: Buffer, type = 'application/json'): Hostile => ({
  method: 'POST',
  path,
  headers: { 'content-type': type },
  body,
})
const patch = (path: string, type: string, body: Buffer): Hostile => ({
  method: 'PATCH',
  path,
  headers: { 'content-type': `application/${type}` },
  body,
})

function pod(name: string) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels: { app: 'a' } },
    spec: { containers: [{ name: 'c', image: 'i', env: [{ name: 'A', value: 'b' }], ports: [{ containerPort: 80 }] }] },
  }
}

/** A core object as Go clients send it. */
function wire(kind: string, object: Record<string, unknown>): Buffer {
  return encodeBody({ ...object, apiVersion: 'v1', kind }, typeTable.kind('', 'v1', kind)!)
}

/** Some bytes changed, taken away, doubled. */
function mutated(random: Random, bytes: Buffer): Buffer {
  let out: Buffer = Buffer.from(bytes)
  for (let i = random.int(6); i >= 0; i--) {
    const at = random.int(out.length + 1)
    const length = random.int(12)
    const kind = random.int(4)
    if (kind === 0 && at < out.length) out[at] = random.int(256)
    else if (kind === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + length)])
    else if (kind === 2) out = Buffer.concat([out.subarray(0, at), random.bytes(length), out.subarray(at)])
    else out = Buffer.concat([out.subarray(0, at), out.subarray(random.int(out.length + 1)), out.subarray(at)])
    if (out.length === 0) out = random.bytes(4)
  }
  return out.subarray(0, 64 * 1024)
}

const ODD: readonly string[] = [
  '1e400', '-1e400', '123456789012345678901234567890', '-0', '1.0000000000000000000001', '9223372036854775808', 'null', '[]', '{}', '""', '"\\u0000"',
  '"\\ud800"', '{"__proto__":{"polluted":true}}', '{"constructor":{"prototype":{"polluted":1}}}', '[[[[[[[[]]]]]]]]', 'true', '"__proto__"',
] // prettier-ignore
const NAMES: readonly string[] = [
  '__proto__', 'constructor', 'toString', '..', '.', '%2e%2e', '%00', '%2F', 'a%2Fb', '%ff', 'x'.repeat(300), '🦊', '%F0%9F%A6%8A', 'A', '-', 'a..b', ' ',
] // prettier-ignore

/** A JSON text with one value replaced by an odd one. */
function odd(random: Random, value: unknown): Buffer {
  const text = JSON.stringify(value)
  const places = [...text.matchAll(/:("[^"]*"|\d+|\[|\{)/g)]
  const place = random.of(places)
  const [whole] = place
  const open = whole === ':[' || whole === ':{'
  const from = place.index + 1
  const until = open ? matching(text, from) : place.index + whole.length
  return Buffer.from(`${text.slice(0, from)}${random.of(ODD)}${text.slice(until)}`)
}

function matching(text: string, from: number): number {
  let depth = 0
  for (let i = from; i < text.length; i++) {
    if (text[i] === '[' || text[i] === '{') depth++
    else if ((text[i] === ']' || text[i] === '}') && --depth === 0) return i + 1
  }
  return text.length
}

const nested = (open: string, close: string, depth: number, inside = '1'): string =>
  open.repeat(depth) + inside + close.repeat(depth)

const deployment = (name: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: 'a' } },
    template: { metadata: { labels: { app: 'a' } }, spec: pod('x').spec },
  },
})

let serial = 0
/** A definition with one property's schema; a new name each time. */
function definition(schema: unknown, rules?: unknown): Buffer {
  const plural = `things${serial++}`
  return json({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.fuzz.example.com` },
    spec: {
      group: 'fuzz.example.com',
      scope: 'Namespaced',
      names: { plural, kind: `Thing${serial}` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: { spec: schema },
              ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
            },
          },
        },
      ],
    },
  })
}
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

const PATTERNS: readonly string[] = [
  '(a+)+$', '(a|a)*b', '^(([a-z])+.)+[A-Z]([a-z])+$', '(.*a){25}', 'x{1000}{1000}', '[', '(?<!a)b', '\\1', '(?P<n>a)(?P<n>b)', '.*.*.*.*.*=.*', `(${'a?'.repeat(200)})${'a'.repeat(200)}`,
] // prettier-ignore
const EXPRESSIONS: readonly string[] = [
  '[1,2,3].all(a, [1,2,3].all(b, [1,2,3].all(c, [1,2,3].all(d, a+b+c+d > 0))))', '"aaaaaaaaaaaaaaaaaaaaaaaa".matches("(a+)+$")', nested('(', ')', 2000), nested('[', ']', 500),
  `${'1+'.repeat(5000)}1`, `${'!'.repeat(3000)}true`, '"a".replace("", "aaaaaaaaaa").replace("", "aaaaaaaaaa").replace("", "aaaaaaaaaa").size() > 0', 'self.x.x.x.x.x', 'self.map(x, self.map(y, self)) == []',
  '9223372036854775807 + 1 > 0', '1 / 0 == 0', 'b"\\xff" == b""', '"\\U0010FFFF" == ""', 'has(self)', '???', '', ' ', 'true', '"x" + 1', '__proto__ == 1', 'self.__proto__ == 1',
  '[0,1,2,3,4,5,6,7,8,9].map(a,[0,1,2,3,4,5,6,7,8,9].map(b,[0,1,2,3,4,5,6,7,8,9].map(c,[0,1,2,3,4,5,6,7,8,9].map(d,[0,1,2,3,4,5,6,7,8,9].map(e,[0,1,2,3,4,5,6,7,8,9].map(f,"x"*10)))))).size() > 0',
  'duration("99999999999h") > duration("1s")', 'timestamp("9999-12-31T23:59:59Z") + duration("1h") > timestamp("0001-01-01T00:00:00Z")', 'quantity("1e999999").isGreaterThan(quantity("1"))', 'url("http://[::1").getHost() == ""',
] // prettier-ignore

const SELECTORS: readonly string[] = [
  'a in (', 'a notin ()', '!', '!!a', ',,,', 'a=b=c', 'a>1,b<x', `a in (${'x,'.repeat(3000)}x)`, 'a='.repeat(2000), '\u0000', 'x'.repeat(5000), 'a in (b),'.repeat(500), '__proto__=a', 'a==b,a!=b,!a,a', '(', ')', 'a>99999999999999999999',
] // prettier-ignore
const QUERIES: readonly string[] = [
  'limit=-1', 'limit=99999999999999999999', 'limit=1e9', 'limit=abc', 'continue=!!!', 'continue=', 'resourceVersion=-1', 'resourceVersion=abc', 'resourceVersion=1&resourceVersionMatch=Exact', 'resourceVersionMatch=What', 'timeoutSeconds=-5',
  'timeoutSeconds=1e99', 'sendInitialEvents=true', 'dryRun=Some', 'fieldManager=' + 'x'.repeat(300), 'fieldValidation=Maybe', 'pretty=%', '%=%', '&&&&', '='.repeat(500), 'a;b', 'force=yes', 'propagationPolicy=x', 'gracePeriodSeconds=-9', 'timeout=5x', 'timeout=-1s', '__proto__=1',
] // prettier-ignore

/** A kind with lists and maps of all sorts. */
const BIGS = '/apis/huge.example.com/v1/namespaces/default/bigs'
const HUGE_MAP = `${NAMESPACE}/configmaps/huge`
const list = (more: object): object => ({ type: 'array', ...more })
const item = { type: 'object', required: ['a'], properties: { a: { type: 'string' }, b: { type: 'integer' } } }
export const DEFINITION: Buffer = json({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'bigs.huge.example.com' },
  spec: {
    group: 'huge.example.com',
    scope: 'Namespaced',
    names: { plural: 'bigs', kind: 'Big' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              texts: list({ items: { type: 'string' } }),
              objects: list({ items: { type: 'object', properties: { a: { type: 'string', default: 'x' } } } }),
              set: list({ 'x-kubernetes-list-type': 'set', items: { type: 'string' } }),
              keyed: list({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['a'], items: item }),
              map: { type: 'object', additionalProperties: { type: 'string' } },
              free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
})
const times = <T>(count: number, make: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => make(n))
const members = (count: number, value = '') => Object.fromEntries(times(count, (n) => [`k${n}`, value]))
const hugeMap = (name: string, data: object, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
  ...more,
})
const big = (name: string, fields: object) => ({ apiVersion: 'huge.example.com/v1', kind: 'Big', metadata: { name }, ...fields }) // prettier-ignore
/** Fields of a Big, each of the most members that a body holds or nearly so. */
const FIELDS: readonly (() => object)[] = [
  () => ({ texts: times(300_000, () => 'a') }), () => ({ objects: times(200_000, () => ({})) }), () => ({ set: times(80_000, (n) => `s${n}`) }), () => ({ keyed: times(60_000, (n) => ({ a: `s${n}` })) }), () => ({ keyed: times(60_000, () => ({ a: 's' })) }), () => ({ map: members(120_000) }),
  () => ({ free: { a: times(500_000, () => ({})) } }), () => ({ free: { a: times(300, () => JSON.parse(nested('{"a":', '}', 900, '{}'))) } }), () => ({ texts: times(200_000, () => 1) }), () => members(120_000), () => ({ metadata: { name: 'b', labels: members(60_000), annotations: members(60_000) } }), () => ({ free: Object.fromEntries(times(60_000, (n) => [`f${n}`, { [`g${n}`]: {} }])) }),
] // prettier-ignore
/** Objects that huge requests are about, by where they are made. */
export const HUGE: readonly (readonly [string, Buffer])[] = [
  [`${NAMESPACE}/configmaps`, json(hugeMap('huge', members(60_000)))],
  [BIGS, json(big('huge', { keyed: times(15_000, (n) => ({ a: `s${n}` })), free: { a: times(100_000, () => ({})) } }))],
]
/** Most leave nothing behind: what is kept of each is megabytes. */
const dry = (i: number): string => (i % 8 === 0 ? '' : 'dryRun=All')
const yamlMembers = (name: string, count: number): Buffer =>
  Buffer.from(
    `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata:\n${times(count, (n) => `  k${n}: ""\n`).join('')}`,
  )

/** Each is too dear to be left to chance. */
const inTurn = <T>(i: number, list: readonly T[]): T => list[i % list.length]!

/** Families of requests that take a second or two of the processor each. */
export const huge: ReadonlySet<string> = new Set([
  'huge bodies',
  'huge custom resources',
  'huge patches',
  'huge applies',
  'huge answers',
])

export const families: Readonly<Record<string, Family>> = {
  'huge bodies': (_random, i) => post(...inTurn<() => [string, Buffer, string?]>(i, [
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, json(hugeMap(`h${i}`, members(100_000)))],
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, json(hugeMap(`h${i}`, {}, members(120_000)))],
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, Buffer.from(JSON.stringify(hugeMap(`h${i}`, members(100_000))).replaceAll(/"k\d{2}(\d+)"/g, '"k$1"'))],
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, Buffer.concat([json(hugeMap(`h${i}`, members(100_000))), Buffer.from('}')])],
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, yamlMembers(`h${i}`, 100_000), 'application/yaml'],
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, Buffer.from(`a: &a [${'x,'.repeat(400)}x]\nb: [${times(900, () => '*a').join()}]\nc: [${'y,'.repeat(5000)}]\n`), 'application/yaml'],
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, wire('ConfigMap', hugeMap(`h${i}`, members(100_000))), 'application/vnd.kubernetes.protobuf'],
    () => [`${NAMESPACE}/pods?${dry(i)}`, json({ ...pod(`h${i}`), spec: { containers: [{ name: 'c', image: 'i', args: times(500_000, () => null) }] } })],
    () => [`${NAMESPACE}/pods?${dry(i)}`, json({ ...pod(`h${i}`), spec: { containers: times(i % 2 === 0 ? 20_000 : 60_000, () => ({})) } })],
    () => [`${NAMESPACE}/pods?${dry(i)}`, json({ ...pod(`h${i}`), spec: { containers: [{ name: 'c', image: 'i', env: times(60_000, (n) => ({ name: `A${n}` })) }] } })],
    () => [`${NAMESPACE}/configmaps?${dry(i)}`, json({ ...hugeMap(`h${i}`, {}), metadata: { name: `h${i}`, managedFields: [{ manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:data': Object.fromEntries(times(100_000, (n) => [`f:k${n}`, {}])) } }] } })],
  ])()),
  'huge custom resources': (_random, i) => post(`${BIGS}?${dry(i)}`, json(big(`h${i}`, inTurn(i, FIELDS)()))),
  'huge patches': (_random, i) => inTurn<() => Hostile>(i, [
    () => patch(`${HUGE_MAP}?${dry(i)}`, 'json-patch+json', json([{ op: 'add', path: '/data/z', value: `${i}` }])),
    () => patch(`${HUGE_MAP}?${dry(i)}`, 'json-patch+json', json(times(10_000, (n) => ({ op: 'add', path: `/data/z${n}`, value: `${i}` })))),
    () => patch(`${HUGE_MAP}?${dry(i)}`, 'merge-patch+json', json({ data: members(60_000, `${i}`) })),
    () => patch(`${HUGE_MAP}?${dry(i)}`, 'strategic-merge-patch+json', json({ data: members(60_000, `${i}`) })),
    () => patch(`${HUGE_MAP}?${dry(i)}`, 'merge-patch+json', json({ data: { z: i } })),
    () => ({ ...post(`${HUGE_MAP}?${dry(i)}`, json(hugeMap('huge', members(60_000, 'x')))), method: 'PUT' }),
    () => patch(`${BIGS}/huge?${dry(i)}`, 'json-patch+json', json(times(30, (n) => ({ op: 'copy', from: '/free/a', path: `/free/b${n}` })))),
    () => patch(`${BIGS}/huge?${dry(i)}`, 'json-patch+json', json(times(1000, () => ({ op: 'test', path: '/free', value: { a: [] } })))),
    () => patch(`${BIGS}/huge?${dry(i)}`, 'merge-patch+json', json({ texts: [`${i}`] })),
    () => patch(`${BIGS}/huge?${dry(i)}`, 'merge-patch+json', json({ free: { a: times(300_000, () => [])} })),
    () => patch(`${BIGS}/huge/status?${dry(i)}`, 'merge-patch+json', json({ status: members(60_000) })),
    () => ({ method: 'DELETE', path: `${HUGE_MAP}?dryRun=All` }),
  ])(),
  'huge applies': (_random, i) => inTurn<() => Hostile>(i, [
    () => patch(`${HUGE_MAP}?fieldManager=f&force=true&${dry(i)}`, 'apply-patch+yaml', json(hugeMap('huge', members(60_000, `${i}`)))),
    () => patch(`${HUGE_MAP}?fieldManager=g&${dry(i)}`, 'apply-patch+yaml', json(hugeMap('huge', members(60_000, `${i}`)))),
    () => patch(`${HUGE_MAP}?fieldManager=f&force=true&${dry(i)}`, 'apply-patch+yaml', yamlMembers('huge', 60_000)),
    () => patch(`${HUGE_MAP}?fieldManager=h&force=true&${dry(i)}`, 'apply-patch+yaml', json(hugeMap('huge', { a: 'b' }))),
    () => patch(`${NAMESPACE}/configmaps/a${i}?fieldManager=f&${dry(i)}`, 'apply-patch+yaml', json(hugeMap(`a${i}`, members(60_000)))),
    () => patch(`${BIGS}/huge?fieldManager=f&force=true&${dry(i)}`, 'apply-patch+yaml', json(big('huge', { keyed: times(15_000, (n) => ({ a: `s${n}`, b: i })) }))),
    () => patch(`${BIGS}/huge?fieldManager=g&force=true&${dry(i)}`, 'apply-patch+yaml', json(big('huge', { set: times(30_000, (n) => `s${n}`) }))),
  ])(),
  'huge answers': (random) => ({ method: 'GET', path: `${random.of([HUGE_MAP, `${BIGS}/huge`, `${NAMESPACE}/configmaps`, BIGS])}${random.of(['', '?pretty=true', '?labelSelector=a%3Db'])}`, headers: { accept: random.of(['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf,application/json', 'application/vnd.kubernetes.protobuf', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io']) } }),
  'mutated JSON': (random, i) => post(`${NAMESPACE}/pods`, mutated(random, json(pod(`m${i}`)))),
  'odd values': (random, i) => post(`${NAMESPACE}/pods`, odd(random, pod(`o${i}`))),
  'odd values of a deployment': (random, i) => post('/apis/apps/v1/namespaces/default/deployments', odd(random, deployment(`o${i}`))),
  'odd values of a definition': (random) => post(DEFINITIONS, odd(random, JSON.parse(definition({ type: 'object', properties: { a: { type: 'string', maxLength: 5, default: 'x', enum: ['x'] } } }).toString()))),
  'mutated YAML': (random, i) => post(`${NAMESPACE}/configmaps`, mutated(random, Buffer.from(`apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y${i}\ndata:\n  a: "b"\n  c: |\n    d\n`)), 'application/yaml'),
  'YAML bombs': (random, i) => post(`${NAMESPACE}/configmaps`, Buffer.from(random.of([
    `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghijk'.split('').map((c, n) => `${c}: &${c} [${`*${n === 0 ? 'a' : 'abcdefghijk'[n]},`.repeat(9).slice(0, -1)}]`).join('\n')}\n`,
    nested('[', ']', 20_000), nested('{a: ', '}', 10_000), '- '.repeat(20_000), `a: !!js/function "x"`, `? ? ? ? ? a`, '&a *a', 'a: &a\n  b: *a\n', '--- \n---\n'.repeat(5000), `<<: ${nested('[', ']', 100)}`, '%YAML 9.9\n---\na', `"${'\\x'.repeat(10_000)}`, `a: ${'1'.repeat(100_000)}`, ' '.repeat(100_000) + 'a: b', `x: ${'k: '.repeat(2000)}`,
  ]).replaceAll('INDEX', String(i))), 'application/yaml'),
  'mutated protobuf': (random, i) => post(`${NAMESPACE}/configmaps`, mutated(random, wire('ConfigMap', { metadata: { name: `p${i}` }, data: { a: 'b', c: 'd' } })), 'application/vnd.kubernetes.protobuf'),
  'mutated protobuf pods': (random, i) => post(`${NAMESPACE}/pods`, mutated(random, wire('Pod', pod(`q${i}`))), 'application/vnd.kubernetes.protobuf'),
  'deep nesting': (random) => post(random.of([`${NAMESPACE}/pods`, `${NAMESPACE}/configmaps`, DEFINITIONS]), Buffer.from(random.of([nested('[', ']', 200_000), nested('{"a":', '}', 100_000), `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":${nested('{"a":', '}', 9000)}}}`, definition({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true, description: 'x'.repeat(1000) }).toString(), `{"spec":${nested('[', ']', 9_990)}}`]))),
  'large bodies': (random, i) => post(`${NAMESPACE}/configmaps`, json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `l${i}` }, data: { a: 'x'.repeat(random.of([MB, 3 * MB - 200, 3 * MB, 4 * MB])) } })),
  'many members': (random, i) => post(`${NAMESPACE}/configmaps`, json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `k${i}`, labels: random.int(2) === 0 ? Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`k${n}`, 'v'])) : {} }, data: Object.fromEntries(Array.from({ length: random.of([5_000, 20_000]) }, (_, n) => [`k${n}`, 'v'])) })),
  'many items': (random, i) => post(`${NAMESPACE}/pods`, json({ ...pod(`i${i}`), spec: { containers: Array.from({ length: random.of([500, 4000]) }, (_, n) => ({ name: `c${random.int(2) * n}`, image: 'i', env: Array.from({ length: 5 }, () => ({ name: 'A' })) })) } })),
  'JSON patches': (random) => patch(`${NAMESPACE}/configmaps/target`, 'json-patch+json', random.of<() => Buffer>([
    () => json(Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/a', value: 'b' }))),
    () => json(Array.from({ length: 300 }, (_, n) => ({ op: 'copy', from: n === 0 ? '/data' : '/data/x', path: n === 0 ? '/data/x' : `/data/x/x${n}` }))),
    () => json([{ op: 'add', path: `/${'a/'.repeat(5000)}`, value: 1 }]),
    () => json([{ op: 'add', path: '/__proto__/polluted', value: 1 }, { op: 'add', path: '/constructor', value: 1 }]),
    () => json([{ op: 'move', from: '/metadata', path: '/metadata/a' }]),
    () => json([{ op: 'remove', path: '' }]),
    () => json([{ op: 'replace', path: '', value: random.int(5) }]),
    () => json([{ op: random.of(['add', 'what', 1, null]), path: random.of(['/data/~2', '/data/~', 'data', null, '/metadata/-', '/data/-']), value: {} }]),
    () => mutated(random, json([{ op: 'add', path: '/data/a', value: 'c' }])),
  ])()),
  'merge patches': (random) => patch(`${NAMESPACE}/configmaps/target`, 'merge-patch+json', random.of<() => Buffer>([
    () => Buffer.from(nested('{"data":', '}', 5000)), () => Buffer.from('{"__proto__":{"a":1},"data":{"__proto__":"x"}}'), () => Buffer.from('[]'), () => Buffer.from('null'), () => Buffer.from('{"metadata":null}'), () => Buffer.from('{"kind":"Pod"}'), () => odd(random, { data: { a: 'b' }, metadata: { labels: { a: 'b' } } }),
  ])()),
  'strategic patches': (random) => patch(`${NAMESPACE}/pods/target`, 'strategic-merge-patch+json', random.of<() => Buffer>([
    () => json({ spec: { containers: [{ $patch: 'delete' }] } }), () => json({ spec: { containers: Array.from({ length: 3000 }, (_, n) => ({ name: `c${n}`, image: 'i' })) } }), () => json({ $patch: 'replace' }), () => json({ spec: { '$setElementOrder/containers': 1 } }),
    () => json({ spec: { '$setElementOrder/containers': Array.from({ length: 3000 }, (_, n) => ({ name: `c${n}` })), containers: [] } }), () => json({ spec: { '$retainKeys': ['a', 1, null] } }), () => json({ '$deleteFromPrimitiveList/finalizers': 5 }), () => odd(random, pod('target')), () => Buffer.from(nested('{"spec":', '}', 5000)),
  ])()),
  'applied configurations': (random, i) => patch(`${NAMESPACE}/pods/a${i}?fieldManager=f&force=true`, 'apply-patch+yaml', random.of<() => Buffer>([() => odd(random, pod(`a${i}`)), () => mutated(random, json(pod(`a${i}`))), () => json({ ...pod(`a${i}`), metadata: { managedFields: [{ manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'k:{"a":1}': {} } } }] } }), () => Buffer.from(`apiVersion: v1\nkind: Pod\nmetadata: {name: a${i}}\nspec: ${nested('{a: ', '}', 2000)}`)])()),
  'managed fields': (random, i) => post(`${NAMESPACE}/configmaps`, json({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `f${i}`, managedFields: Array.from({ length: random.of([1, 500]) }, (_, n) => ({ manager: `m${n}`, operation: random.of(['Apply', 'Update', 'x']), apiVersion: random.of(['v1', '', 'x/y/z']), fieldsType: random.of(['FieldsV1', 'x']), fieldsV1: random.of<unknown>([{ 'f:data': { 'f:a': {} } }, { 'x:': 1 }, null, { 'k:{': {} }, { 'v:[': {} }, JSON.parse(nested('{"f:a":', '}', 3000, '{}'))]) })) } })),
  selectors: (random) => ({ method: 'GET', path: `${NAMESPACE}/${random.of(['pods', 'configmaps', 'nodes'])}?${random.of(['labelSelector', 'fieldSelector'])}=${encodeURIComponent(random.of(SELECTORS))}` }),
  queries: (random) => ({ method: random.of(['GET', 'DELETE', 'POST', 'PUT', 'PATCH']), path: `${NAMESPACE}/configmaps${random.of(['', '/target', '/none'])}?${[1, 2, 3].map(() => random.of(QUERIES)).join('&')}`, headers: { 'content-type': random.of(['application/json', 'application/merge-patch+json', 'text/plain', '']) }, body: Buffer.from(random.of(['{}', '', '[]', '{"kind":"DeleteOptions"}'])) }),
  'continue tokens': (random) => ({ method: 'GET', path: `${NAMESPACE}/configmaps?limit=2&continue=${encodeURIComponent(random.of([random.bytes(30).toString('base64url'), ...[{ v: 'meta.k8s.io/v1', rv: -5, start: 'x' }, { v: 'meta.k8s.io/v1', rv: 1, start: '../../../secrets/' }, { v: 'x' }, { v: 'meta.k8s.io/v1', rv: 1e300, start: '\u0000' }, { v: 'meta.k8s.io/v1', rv: '1', start: 5 }, { __proto__: 1 }].map((token) => Buffer.from(JSON.stringify(token)).toString('base64url'))]))}` }),
  paths: (random) => ({ method: random.of(['GET', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'HEAD', 'BREW']), path: `/${random.of(['api/v1', 'apis', 'apis/apps/v1', 'api/v1/namespaces', 'openapi/v3', 'openid', 'debug', 'logs', 'api/v1/watch'])}/${Array.from({ length: random.int(5) }, () => random.of(NAMES)).join('/')}` }),
  headers: (random) => ({ method: 'GET', path: `${NAMESPACE}/pods`, headers: { accept: random.of(['*/*;q=x', 'application/json;as=Table;v=v9;g=x', ','.repeat(3000), 'application/yaml;q=0.1,text/html', 'application/json;stream=watch', 'x/y', 'application/vnd.kubernetes.protobuf', '\u00ff']), authorization: random.of(['Bearer x', 'Bearer ' + 'a.b.c', 'Basic !!!', 'Bearer ' + 'x'.repeat(8000), 'Bearer eyJhbGciOiJub25lIn0.e30.']), 'impersonate-user': random.of(['', 'a', 'system:serviceaccount:a:b:c', 'x'.repeat(2000)]) } }),
  patterns: (random) => post(DEFINITIONS, definition({ type: 'string', pattern: random.of(PATTERNS) })),
  schemas: (random) => post(DEFINITIONS, definition(random.of<unknown>([
    JSON.parse(nested('{"type":"object","properties":{"a":', '}}', 1000, '{"type":"string"}')), JSON.parse(nested('{"type":"array","items":', '}', 500, '{"type":"string"}')), { type: 'string', enum: Array.from({ length: 20_000 }, (_, n) => `v${n}`) },
    { type: 'object', properties: Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`p${n}`, { type: 'string', pattern: `^${'a'.repeat(n % 50)}(b|c)*$`, default: 'a' }])) }, { type: 'object', properties: { ['__proto__']: { type: 'string' }, constructor: { type: 'integer' } } }, { $ref: '#/definitions/x' }, { allOf: Array.from({ length: 2000 }, () => ({ type: 'string' })) }, { type: 'object', 'x-kubernetes-validations': Array.from({ length: 1000 }, () => ({ rule: 'true' })) }, { type: ['string', 'null'] }, { type: 'integer', minimum: 'x', maximum: -1 },
  ]))),
  expressions: (random) => post(DEFINITIONS, definition({ type: 'object', 'x-kubernetes-preserve-unknown-fields': true }, [{ rule: random.of(EXPRESSIONS), messageExpression: random.of(EXPRESSIONS) }])),
  policies: (random, i) => post('/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', json({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name: `p${i}` }, spec: { matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] }] }, variables: [{ name: 'v', expression: random.of(EXPRESSIONS) }], validations: [{ expression: random.of(EXPRESSIONS) }] } })),
  reviews: (random) => post(random.of(['/apis/authorization.k8s.io/v1/subjectaccessreviews', '/apis/authentication.k8s.io/v1/tokenreviews', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', `${NAMESPACE}/serviceaccounts/default/token`, `${NAMESPACE}/pods/target/eviction`, `${NAMESPACE}/pods/target/binding`, `${NAMESPACE}/bindings`]), odd(random, { spec: { token: 'a.b.c', user: 'x', resourceAttributes: { verb: 'get', resource: 'pods' }, audiences: ['a'], expirationSeconds: 5 }, target: { name: 'n' }, metadata: { name: 'target' } })),
} // prettier-ignore
