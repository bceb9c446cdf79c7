/** Creates and updates of a kind, with each of its fields in every wrong way. */
import { normalize } from '../../../src/machinery/codec/normalize.ts'
import { encodeBody } from '../../../src/machinery/codec/protobuf-encode.ts'
import { typeTable } from '../../../src/machinery/types/index.ts'
import type { TypeInfo } from '../../../src/machinery/types/table.ts'
import { dump } from 'js-yaml'
import { hash, ownName, type Case, type Json, type JsonObject } from '../case.ts'
import { collection, draft, instance, type Seed } from '../seeds.ts'
import { mutate, mutationsOf, sitesOf, type Mutation } from './sites.ts'

/** What every object under test is called where nothing is stored. */
const NAME = 'x'
/** Mutations of each object beside the full one. */
const OF_OTHERS = 15

export const typeOf = ({ resource }: Seed): TypeInfo => typeTable.type(resource.type!)

/** Creates that store nothing. */
export function creates(seed: Seed): Case[] {
  const out: Case[] = []
  const path = collection(seed.resource)
  const query = seed.resource.verbs.includes('update') ? '?dryRun=All' : ''
  const add = (label: string, body: Json) =>
    out.push({
      id: `${seed.kind} create ${label}`,
      kind: seed.kind,
      steps: [{ method: 'POST', path: path + query, body }],
    })
  for (const [name, object] of seed.objects) {
    const body = draft(seed, object, NAME)
    add(name, body)
    const budget = name === 'full' ? seed.budget : OF_OTHERS
    for (const m of chosen(seed, name, mutationsOf(sitesOf(body, typeOf(seed))), budget, name === 'full'))
      add(`${name} ${m.label}`, mutate(body, m.path, m.value))
  }
  for (const [label, metadata] of METADATA) {
    const body = draft(seed, seed.objects.get('minimal')!, NAME)
    add(`metadata ${label}`, { ...body, metadata: { ...(body['metadata'] as JsonObject), ...metadata } })
  }
  const minimal = draft(seed, seed.objects.get('minimal')!, NAME)
  const { metadata: _metadata, ...bare } = minimal
  add('without metadata', bare)
  add('without kind', { ...minimal, kind: '' })
  add('without version', { ...minimal, apiVersion: '' })
  add('of another kind', { ...minimal, kind: 'Other' })
  add('of another version', { ...minimal, apiVersion: 'example.com/v1' })
  add('unknown field', { ...minimal, unknownField: 1 })
  add('metadata of wrong type', { ...minimal, metadata: 'x' })
  add('a list', [minimal])
  add('a text', 'x')
  return out
}

/** Those that are asked of every field, and others up to the budget: always the same ones. */
function chosen(seed: Seed, name: string, all: readonly Mutation[], budget: number, whole: boolean): Mutation[] {
  const must = (m: Mutation) => whole && m.always && !inTemplate(m)
  const rest = all
    .filter((m) => !must(m))
    .map((m) => [hash(`${seed.kind} ${name} ${m.label}`), m] as const)
    .sort(([a], [b]) => a - b)
    .slice(0, budget)
  const picked = new Set([...all.filter(must), ...rest.map(([, m]) => m)])
  return all.filter((m) => picked.has(m))
}

/** Pods in templates are the pods that Pod has been asked of: a sample of them is enough. */
function inTemplate({ path }: Mutation): boolean {
  const at = path.indexOf('template')
  return at >= 0 && path.length > at + 3
}

/** The same object in each encoding, stored under a name of its own. */
export function bodies(seed: Seed): Case[] {
  const out: Case[] = []
  const path = collection(seed.resource)
  const ways: [string, (body: JsonObject) => object][] = [
    ['JSON', (body) => ({ body })],
    ['YAML', (body) => ({ text: dump(body), type: 'application/yaml' })],
    [
      'protobuf',
      (body) => ({
        base64: encodeBody(normalize(body, typeOf(seed)).object, typeOf(seed)).toString('base64'),
        type: 'application/vnd.kubernetes.protobuf',
      }),
    ],
  ]
  for (const [name, object] of seed.objects) {
    for (const [way, content] of ways) {
      const id = `${seed.kind} store ${name} as ${way}`
      out.push({ id, kind: seed.kind, steps: [{ method: 'POST', path, ...content(instance(object, ownName(id))) }] })
    }
  }
  return out
}

/** PUT on the fixture in dry runs. */
export function updates(seed: Seed, fixture: string, name: string): Case[] {
  const out: Case[] = []
  const path = `${collection(seed.resource)}/${name}`
  const stored = withVersion(instance(seed.objects.get('full')!, name))
  const put = (label: string, body: Json, at = path) =>
    out.push({
      id: `${seed.kind} update ${label}`,
      kind: seed.kind,
      fixture,
      steps: [{ method: 'PUT', path: `${at}?dryRun=All`, body }],
    })
  put('nothing', stored)
  const meta = (change: JsonObject): JsonObject => ({
    ...stored,
    metadata: { ...(stored['metadata'] as JsonObject), ...change },
  })
  put('without version', instance(seed.objects.get('full')!, name))
  put('stale version', meta({ resourceVersion: '1' }))
  put('bad version', meta({ resourceVersion: 'abc' }))
  put('right uid', meta({ uid: '$UID' }))
  put('wrong uid', meta({ uid: '00000000-0000-0000-0000-000000000009' }))
  put('other name', meta({ name: 'other' }))
  put('no name', meta({ name: '' }))
  put('other namespace', meta({ namespace: 'other' }))
  put('of nothing', instance(seed.objects.get('full')!, 'absent'), `${collection(seed.resource)}/absent`)
  put('of nothing with a version', { ...meta({ name: 'absent' }) }, `${collection(seed.resource)}/absent`)
  put('generation', meta({ generation: 7 }))
  put('creationTimestamp', meta({ creationTimestamp: '2020-01-01T00:00:00Z' }))
  put('deletionTimestamp', meta({ deletionTimestamp: '2020-01-01T00:00:00Z' }))
  put('labels', meta({ labels: { a: 'b' }, annotations: { c: 'd' }, finalizers: ['example.com/f'] }))
  put('bad labels', meta({ labels: { 'a b': 'c' }, annotations: { 'x y': 'z' }, finalizers: ['nope'] }))
  put('managedFields', meta({ managedFields: [] }))
  put('to minimal', withVersion(instance(seed.objects.get('minimal')!, name)))
  const mutations = mutationsOf(sitesOf(stored, typeOf(seed)))
  const picked = chosen(seed, 'update', mutations, seed.budget / 3, true).filter((m) => {
    return m.label.startsWith('drop') || hash(`update ${m.label}`) % 3 === 0
  })
  for (const m of picked) put(m.label, mutate(stored, m.path, m.value))
  return out
}

export function withVersion(object: JsonObject): JsonObject {
  return { ...object, metadata: { ...(object['metadata'] as JsonObject), resourceVersion: '$RV' } }
}

export function fixtureObject(seed: Seed, name: string): JsonObject {
  return instance(seed.objects.get('full')!, name)
}

const long = (length: number) => 'x'.repeat(length)
const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'o', uid: '00000000-0000-0000-0000-000000000001' }

/** Metadata that every kind is asked about. */
const METADATA: readonly [string, JsonObject][] = [
  ['no name', { name: '' }],
  ['upper case name', { name: 'Upper' }],
  ['name with a slash', { name: 'a/b' }],
  ['name with dots', { name: 'a.b.c' }],
  ['name with underscore', { name: 'a_b' }],
  ['name with colon', { name: 'a:b' }],
  ['name of 64', { name: long(64) }],
  ['name of 253', { name: long(253) }],
  ['name of 254', { name: long(254) }],
  ['name of dots', { name: '..' }],
  ['name with percent', { name: 'a%b' }],
  ['name starts with digit', { name: '1a' }],
  ['name ends with dash', { name: 'a-' }],
  ['other namespace', { namespace: 'other' }],
  ['bad generateName', { name: '', generateName: 'Bad_' }],
  ['labels', { labels: { a: 'b', 'example.com/c': 'D_1' } }],
  ['bad label key', { labels: { 'a b': 'c' } }],
  ['bad label value', { labels: { a: 'b c' } }],
  ['long label value', { labels: { a: long(64) } }],
  ['label of wrong type', { labels: { a: 1 } }],
  ['annotations', { annotations: { a: 'any text!', 'Example.com/B': '' } }],
  ['bad annotation key', { annotations: { 'a b': 'c' } }],
  ['large annotations', { annotations: { a: long(263_000) } }],
  ['finalizers', { finalizers: ['example.com/f', 'foregroundDeletion'] }],
  ['bad finalizers', { finalizers: ['f', 'a b/c'] }],
  ['both finalizers', { finalizers: ['foregroundDeletion', 'orphan'] }],
  ['owner', { ownerReferences: [owner] }],
  ['empty owner', { ownerReferences: [{}] }],
  ['two controllers', { ownerReferences: [{ ...owner, controller: true }, { ...owner, uid: '00000000-0000-0000-0000-000000000002', controller: true }] }], // prettier-ignore
  ['same owner twice', { ownerReferences: [owner, owner] }],
  ['owner is an event', { ownerReferences: [{ ...owner, kind: 'Event' }] }],
  ['owner of a bad version', { ownerReferences: [{ ...owner, apiVersion: 'a/b/c' }] }],
  ['version', { resourceVersion: '5' }],
  ['uid', { uid: '00000000-0000-0000-0000-000000000003' }],
  ['server fields', { selfLink: '/x', generation: 9, creationTimestamp: '2020-01-01T00:00:00Z', deletionTimestamp: '2020-01-01T00:00:00Z', deletionGracePeriodSeconds: 5 }], // prettier-ignore
  ['bad managedFields', { managedFields: [{ operation: 'Nope', manager: 'm', apiVersion: 'v1' }] }],
  ['unknown field', { unknown: 1 }],
] // prettier-ignore
