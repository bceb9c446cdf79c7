/**
 * The codec against the real libraries: objects that tools/generate/fixtures encoded. To make them anew:
 *
 *     cd tools/generate && go run ./fixtures Pod Deployment Service DeleteOptions ClusterRole ClusterRoleBinding \
 *       CustomResourceDefinition Secret Lease Event NetworkPolicy ControllerRevision Eviction \
 *       > ../../src/machinery/codec/testdata/fixtures.jsonl
 *
 * Without names it writes every kind; FIXTURES=file makes this test read that instead.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseApiVersion } from '../object.ts'
import { typeTable } from '../types/index.ts'
import { decodeBody } from './body.ts'
import { decodeJson } from './json.ts'
import { type JsonObject, normalize } from './normalize.ts'
import { planOf } from './plan.ts'
import { decodeEnvelope, decodeMessage } from './protobuf.ts'
import { encodeBody } from './protobuf-encode.ts'

interface Fixture {
  apiVersion: string
  kind: string
  style: string
  protobuf: string
  /** What Go's JSON encoder writes. */
  json: JsonObject
  /** The same after upstream's storage. */
  stored: JsonObject
}

const file = process.env['FIXTURES'] ?? new URL('testdata/fixtures.jsonl', import.meta.url)
const fixtures = readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Fixture)

assert.ok(fixtures.length >= 39)

for (const { apiVersion, kind, style, protobuf, json, stored } of fixtures) {
  test(`${apiVersion} ${kind}, ${style}: protobuf and JSON are read and written as Go does`, () => {
    const { group, version } = parseApiVersion(apiVersion)!
    const type = typeTable.kind(group, version, kind)
    assert.ok(type)
    const bytes = Buffer.from(protobuf, 'base64')
    const envelope = decodeEnvelope(bytes)
    assert.deepEqual({ apiVersion: envelope.apiVersion, kind: envelope.kind }, { apiVersion, kind })
    const fromProtobuf = { kind, apiVersion, ...decodeMessage(envelope.raw, type) }
    // As text, so that the order of the fields counts.
    assert.equal(JSON.stringify(fromProtobuf), JSON.stringify(stored))

    const fromJson = normalize(decodeJson(JSON.stringify(json)).value, type)
    assert.deepEqual(fromJson.unknown, [])
    const expected = planOf(type).keepsEmpty ? json : stored
    assert.equal(JSON.stringify(fromJson.object), JSON.stringify(expected))
    assert.deepEqual(encodeBody(fromJson.object, type), bytes)

    const body = decodeBody(bytes, 'application/vnd.kubernetes.protobuf', type, { apiVersion, kind })
    assert.deepEqual(body, { object: { metadata: {}, ...stored }, problems: [], unknownMetadata: [] })
  })
}
