import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../status.ts'
import { typeTable } from '../types/index.ts'
import { type DecodedBody, type ExpectedKind, decodeBody } from './body.ts'

const POD: ExpectedKind = { apiVersion: 'v1', kind: 'Pod' }
const FOO: ExpectedKind = { apiVersion: 'x.io/v1', kind: 'Foo' }

function decode(text: string, mediaType = 'application/json', expected: ExpectedKind = POD): DecodedBody {
  const [version, group] = expected.apiVersion.split('/').reverse() as [string, string?]
  return decodeBody(Buffer.from(text), mediaType, typeTable.kind(group ?? '', version, expected.kind), expected)
}

function refusal(text: string, mediaType?: string, expected?: ExpectedKind): string {
  try {
    decode(text, mediaType, expected)
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    return `${error.code} ${error.reason}: ${error.message}`
  }
  throw new Error(`accepted: ${text}`)
}

const UNKNOWN = '400 BadRequest: the object provided is unrecognized (must be of type Pod): '
const NO_KIND = `${UNKNOWN}couldn't get version/kind; json parse error: `
const META =
  'Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
const CANNOT = '400 BadRequest: Pod in version "v1" cannot be handled as a Pod: '
const FIELD = `${CANNOT}json: cannot unmarshal `

/** Body of a POST to pods → what kube-apiserver 1.37 answered. */
const REFUSED: readonly (readonly [string, string])[] = [
  [
    '{"kind":"Pod","metadata":{"name":1}}',
    `${FIELD}number into Go struct field ObjectMeta.metadata.name of type string`,
  ],
  ['{"spec":{"containers":"x"}}', `${FIELD}string into Go struct field PodSpec.spec.containers of type []v1.Container`],
  ['{"spec":{"containers":["x"]}}', `${FIELD}string into Go struct field PodSpec.spec.containers of type v1.Container`],
  [
    '{"spec":{"containers":[{"image":1}]}}',
    `${FIELD}number into Go struct field Container.spec.containers.image of type string`,
  ],
  ['{"metadata":{"labels":{"a":1}}}', `${FIELD}number into Go struct field ObjectMeta.metadata.labels of type string`],
  [
    '{"metadata":{"creationTimestamp":1}}',
    `${FIELD}number into Go struct field ObjectMeta.metadata.creationTimestamp of type string`,
  ],
  [
    '{"metadata":{"creationTimestamp":"x"}}',
    `${CANNOT}parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006"`,
  ],
  [
    '{"spec":{"priority":3000000000}}',
    `${FIELD}number 3000000000 into Go struct field PodSpec.spec.priority of type int32`,
  ],
  ['{"spec":{"priority":1.5}}', `${FIELD}number 1.5 into Go struct field PodSpec.spec.priority of type int32`],
  [
    '{"spec":{"overhead":{"cpu":"x"}}}',
    `${CANNOT}quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
  ],
  ['{"spec":{"hostNetwork":"x"}}', `${FIELD}string into Go struct field PodSpec.spec.hostNetwork of type bool`],
  ['{"spec":{"hostNetwork":{}}}', `${FIELD}object into Go struct field PodSpec.spec.hostNetwork of type bool`],
  ['[1]', `${NO_KIND}json: cannot unmarshal array into ${META} (5b315d)`],
  ['1', `${NO_KIND}json: cannot unmarshal number into ${META} (31)`],
  ['', `${NO_KIND}unexpected end of JSON input (<empty>)`],
  ['{"kind":"Pod",', `${NO_KIND}unexpected end of JSON input ({"kind":"Pod",)`],
  [
    '{"kind":"Pod","apiVersion":"v1","metadata":{',
    `${NO_KIND}unexpected end of JSON input ({"kind":"Pod","apiVersion":"v1 ...)`,
  ],
  ['{"kind":1}', `${NO_KIND}json: cannot unmarshal number into Go struct field .kind of type string ({"kind":1})`],
  [
    '{"kind":"Service","apiVersion":"v1"}',
    '400 BadRequest: Service in version "v1" cannot be handled as a Pod: converting (v1.Service) to (core.Pod): unknown conversion',
  ],
  [
    '{"kind":"Deployment","apiVersion":"apps/v1"}',
    '400 BadRequest: Deployment in version "v1" cannot be handled as a Pod: converting (v1.Deployment) to (core.Pod): unknown conversion',
  ],
  [
    '{"kind":"Foo","apiVersion":"v1"}',
    '400 BadRequest: Foo in version "v1" cannot be handled as a Pod: no kind "Foo" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
  ],
  [
    '{"apiVersion":"apps/v1"}',
    `${CANNOT}no kind "Pod" is registered for version "apps/v1" in scheme "pkg/runtime/scheme.go:111"`,
  ],
  [
    '{"kind":"Pod","apiVersion":"a/b/c"}',
    `${UNKNOWN}unexpected GroupVersion string: a/b/c ({"kind":"Pod","apiVersion":"a/ ...)`,
  ],
]

test('what upstream refuses is refused in its words', () => {
  for (const [text, message] of REFUSED) assert.equal(refusal(text), message)
})

test('another version of the same kind is named as such', () => {
  assert.equal(
    refusal('{"kind":"HorizontalPodAutoscaler","apiVersion":"autoscaling/v1"}', undefined, {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
    }),
    '400 BadRequest: the API version in the data (autoscaling/v1) does not match the expected API version (autoscaling/v2)',
  )
})

test('media types', () => {
  const list = 'application/json, application/yaml, application/vnd.kubernetes.protobuf'
  const text = `415 UnsupportedMediaType: the body of the request was in an unknown format - accepted media types include: ${list}`
  assert.equal(refusal('x', 'application/cbor'), text)
  assert.equal(refusal('x', 'text/plain'), text)
  assert.match(refusal('x', 'application/vnd.kubernetes.protobuf', FOO), /^415 /)
  for (const type of ['', 'application/json; charset=utf-8', 'Application/JSON', 'application/yaml;x=y']) {
    assert.equal(decode('{"metadata":{"name":"a"}}', type).object.metadata.name, 'a', type)
  }
  assert.equal(
    refusal('x', 'application/vnd.kubernetes.protobuf'),
    `${UNKNOWN}provided data does not appear to be a protobuf message, expected prefix [107 56 115 0] (78)`,
  )
  assert.equal(decode('metadata:\n  name: a\n', 'application/yaml').object.metadata.name, 'a')
  assert.equal(
    refusal('metadata:\n  name: yes\n', 'application/yaml'),
    `${FIELD}bool into Go struct field ObjectMeta.metadata.name of type string`,
  )
})

test('secrets hold base64', () => {
  const secret = { apiVersion: 'v1', kind: 'Secret' }
  const cannot = '400 BadRequest: Secret in version "v1" cannot be handled as a Secret: '
  assert.equal(refusal('{"data":{"a":"x*"}}', undefined, secret), `${cannot}illegal base64 data at input byte 1`)
  assert.equal(refusal('{"data":{"a":"eA"}}', undefined, secret), `${cannot}illegal base64 data at input byte 0`)
  assert.equal(
    refusal('{"data":{"a":1}}', undefined, secret),
    `${cannot}json: cannot unmarshal number into Go struct field Secret.data of type []uint8`,
  )
  assert.deepEqual(decode('{"data":{"a":"eR=="}}', undefined, secret).object['data'], { a: 'eQ==' })
})

test('a body may leave out what the path says', () => {
  const { object } = decode('null')
  assert.equal(
    JSON.stringify(object),
    '{"kind":"Pod","apiVersion":"v1","metadata":{},"spec":{"containers":null},"status":{}}',
  )
  const options = { apiVersion: 'v1', kind: 'DeleteOptions' }
  const said = decode('{"kind":"DeleteOptions","apiVersion":"apps/v1","orphanDependents":false}', undefined, options)
  assert.equal(said.object['orphanDependents'], false)
})

test('unknown and duplicate fields are reported', () => {
  const text = '{"metadata":{"name":"q","foo":1,"name":"r"},"x":{"y":1},"spec":{"containers":[{"bar":1}]}}'
  const { object, problems } = decode(text)
  assert.deepEqual(problems, [
    'unknown field "metadata.foo"',
    'duplicate field "metadata.name"',
    'unknown field "x"',
    'unknown field "spec.containers[0].bar"',
  ])
  assert.ok(!('x' in object))
  assert.deepEqual(decode('{"x":{"y":1,"y":2}}').problems, ['unknown field "x"'])
  assert.deepEqual(decode('{"x":1}').problems, ['unknown field "x"'])
  const yaml = decode('x: 1\nmetadata:\n  name: a\n  name: b\n', 'application/yaml')
  assert.deepEqual(yaml.problems, [
    'yaml: unmarshal errors:\n  line 4: key "name" already set in map',
    'unknown field "x"',
  ])
})

test('custom resources are taken as they are, but for their metadata', () => {
  const foo = (text: string): DecodedBody => decode(text, undefined, FOO)
  const fine = foo(
    '{"kind":"Foo","apiVersion":"x.io/v1","metadata":{"name":"c","foo":1,"labels":null},"a":null,"b":9007199254740993}',
  )
  assert.deepEqual(fine.unknownMetadata, ['metadata.foo'])
  assert.equal(
    JSON.stringify(fine.object),
    '{"kind":"Foo","apiVersion":"x.io/v1","metadata":{"name":"c"},"a":null,"b":9007199254740993}',
  )
  const no = (text: string): string => refusal(text, undefined, FOO)
  assert.equal(
    no('{"kind":"Bar","apiVersion":"x.io/v1","metadata":{"name":"a"}}'),
    '422 Invalid: Bar.x.io "a" is invalid: kind: Invalid value: "Bar": must be Foo',
  )
  const version = (said: string): string =>
    `400 BadRequest: the API version in the data (${said}) does not match the expected API version (x.io/v1)`
  assert.equal(no('{"kind":"Foo","apiVersion":"x.io/v2"}'), version('x.io/v2'))
  assert.equal(no('{"kind":"Foo"}'), version(''))
  assert.equal(
    no('{"metadata":{"name":"a"}}'),
    `400 BadRequest: the object provided is unrecognized (must be of type Foo): Object 'Kind' is missing in '{"metadata":{"name":"a"}}' ({"metadata":{"name":"a"}})`,
  )
  const cannot = '400 BadRequest: Foo in version "v1" cannot be handled as a Foo: json: cannot unmarshal '
  assert.equal(
    no('{"kind":"Foo","apiVersion":"x.io/v1","metadata":{"name":1}}'),
    `${cannot}number into Go struct field ObjectMeta.name of type string`,
  )
  assert.equal(
    no('{"kind":"Foo","apiVersion":"x.io/v1","metadata":1}'),
    `${cannot}number into Go value of type v1.ObjectMeta`,
  )
})

test('options are refused without the sentence about their kind', () => {
  const options: ExpectedKind = { apiVersion: 'meta.k8s.io/v1', kind: 'DeleteOptions', options: true, also: () => true }
  const no = (text: string): string => {
    try {
      decodeBody(Buffer.from(text), '', typeTable.kind('', 'v1', 'DeleteOptions'), options)
    } catch (error) {
      return (error as Error).message
    }
    return 'accepted'
  }
  assert.equal(no('{"kind":"DeleteOptions","apiVersion":"apps/v1"}'), 'accepted')
  assert.equal(
    no('{"dryRun":["All"],"kind":"Pod","apiVersion":"v1"}'),
    'no kind "Pod" is registered for version "v1" in scheme "pkg/runtime/scheme.go:111"',
  )
  assert.equal(no('{'), "couldn't get version/kind; json parse error: unexpected end of JSON input")
})
