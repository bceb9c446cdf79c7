/** Patches of each type on a kind's fixture, and server-side apply of objects of their own. */
import { dump } from 'js-yaml'
import { hash, ownName, type Case, type Json, type JsonObject, type Step } from '../case.ts'
import { collection, instance, nameOf, type Seed } from '../seeds.ts'
import { mutationsOf, sitesOf } from './sites.ts'
import { typeOf } from './writes.ts'

const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const APPLY = 'application/apply-patch+yaml'

export function patches(seed: Seed, fixture: string, name: string): Case[] {
  const out: Case[] = []
  const path = `${collection(seed.resource)}/${name}`
  const add = (label: string, type: string, body: Json, query = '') =>
    out.push({
      id: `${seed.kind} patch ${label}`,
      kind: seed.kind,
      fixture,
      steps: [{ method: 'PATCH', path: `${path}?dryRun=All${query}`, type, body }],
    })
  const full = instance(seed.objects.get('full')!, name)
  const { apiVersion, kind } = full
  const both: [string, JsonObject][] = [
    ['nothing', {}],
    ['labels', { metadata: { labels: { patched: 'yes' } } }],
    ['label away', { metadata: { labels: null } }],
    ['bad label', { metadata: { labels: { 'a b': 'c' } } }],
    ['name', { metadata: { name: 'other' } }],
    ['uid', { metadata: { uid: '00000000-0000-0000-0000-000000000009' } }],
    ['stale version', { metadata: { resourceVersion: '1' } }],
    ['right version', { metadata: { resourceVersion: '$RV' } }],
    ['kind', { kind: 'Other' }],
    ['unknown field', { unknownField: 1 }],
    ['metadata away', { metadata: null }],
    ['wrong type', { metadata: { labels: 'x' } }],
    ['finalizers', { metadata: { finalizers: ['example.com/f'] } }],
    ['proto', { ['__proto__x']: 1 }],
  ]
  for (const [label, body] of both) {
    add(`merge ${label}`, MERGE, body)
    add(`strategic ${label}`, STRATEGIC, body)
  }
  add('merge a list', MERGE, [])
  add('strategic a list', STRATEGIC, [])
  add('strategic directive', STRATEGIC, { metadata: { labels: { $patch: 'replace', only: 'this' } } })
  add('strategic delete directive', STRATEGIC, { metadata: { annotations: { $patch: 'delete' } } })
  add('strategic bad directive', STRATEGIC, { metadata: { labels: { $patch: 'nope' } } })
  add('strategic retain keys', STRATEGIC, { metadata: { $retainKeys: ['name', 'labels'], labels: { a: 'b' } } })
  add('strategic delete primitive', STRATEGIC, {
    metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/f'] },
  })
  const operations: [string, Json][] = [
    ['nothing', []],
    ['label', [{ op: 'add', path: '/metadata/labels', value: { patched: 'yes' } }]],
    ['failing test', [{ op: 'test', path: '/metadata/name', value: 'other' }]],
    ['passing test', [{ op: 'test', path: '/metadata/name', value: name }]],
    ['remove what is not there', [{ op: 'remove', path: '/nothing/here' }]],
    ['replace what is not there', [{ op: 'replace', path: '/nothing', value: 1 }]],
    ['remove metadata', [{ op: 'remove', path: '/metadata' }]],
    ['move', [{ op: 'move', from: '/metadata/name', path: '/metadata/labels' }]],
    ['copy', [{ op: 'copy', from: '/metadata/name', path: '/metadata/generateName' }]],
    ['unknown operation', [{ op: 'nope', path: '/metadata' }]],
    ['no path', [{ op: 'add', value: 1 }]],
    ['bad path', [{ op: 'add', path: 'metadata', value: 1 }]],
    ['an object', { op: 'add', path: '/a', value: 1 }],
    ['kind', [{ op: 'replace', path: '/kind', value: 'Other' }]],
    ['unknown field', [{ op: 'add', path: '/unknownField', value: 1 }]],
  ]
  for (const [label, body] of operations) add(`json ${label}`, JSON_PATCH, body)
  add('of unknown type', 'text/plain', {})
  add('with no type', 'application/json', {})
  const sites = sitesOf(full, typeOf(seed))
  const mutations = mutationsOf(sites)
    .map((m) => [hash(`${seed.kind} patch ${m.label}`), m] as const)
    .sort(([a], [b]) => a - b)
    .slice(0, Math.ceil(seed.budget / 3))
    .map(([, m]) => m)
  for (const m of mutations) {
    const keys = m.path.filter((part) => typeof part === 'number').length === 0
    if (keys) {
      add(`merge ${m.label}`, MERGE, nested(m.path, m.value ?? null))
      add(`strategic ${m.label}`, STRATEGIC, nested(m.path, m.value ?? null))
    }
    const pointer = `/${m.path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`
    add(`json ${m.label}`, JSON_PATCH, [
      m.value === undefined ? { op: 'remove', path: pointer } : { op: 'add', path: pointer, value: m.value },
    ])
  }
  const elements = sites.filter(
    (s) => s.whole && s.field.patchMergeKey !== undefined && Array.isArray(s.value) && s.value.length > 0,
  )
  for (const site of elements.slice(0, 8)) {
    const key = site.field.patchMergeKey!
    const [first] = site.value as JsonObject[]
    if (site.path.some((part) => typeof part === 'number')) continue
    add(
      `strategic element away ${site.text}`,
      STRATEGIC,
      nested(site.path, [{ $patch: 'delete', [key]: first![key]! }]),
    )
    add(`strategic element same ${site.text}`, STRATEGIC, nested(site.path, [{ [key]: first![key]! }]))
    add(`strategic replace ${site.text}`, STRATEGIC, nested(site.path, [first!, { $patch: 'replace' }]))
    add(`strategic order ${site.text}`, STRATEGIC, nested([...site.path.slice(0, -1), `$setElementOrder/${String(site.path.at(-1))}`], [{ [key]: 'nope' }])) // prettier-ignore
    add(`strategic without key ${site.text}`, STRATEGIC, nested(site.path, [{ nothing: 1 }]))
  }
  const apply: [string, Json, string][] = [
    ['same', full, '&fieldManager=applier'],
    ['same by force', full, '&fieldManager=applier&force=true'],
    ['labels', { apiVersion: apiVersion!, kind: kind!, metadata: { name, labels: { applied: 'yes' } } }, '&fieldManager=applier'],
    ['without manager', full, ''],
    ['without kind', { metadata: { name } }, '&fieldManager=applier'],
    ['another kind', { apiVersion: 'v1', kind: 'Other', metadata: { name } }, '&fieldManager=applier'],
    ['another name', { ...full, metadata: { name: 'other' } }, '&fieldManager=applier'],
    ['managedFields', { apiVersion: apiVersion!, kind: kind!, metadata: { name, managedFields: [{ manager: 'm', operation: 'Apply', apiVersion: 'v1' }] } }, '&fieldManager=applier'],
    ['stale version', { apiVersion: apiVersion!, kind: kind!, metadata: { name, resourceVersion: '1' } }, '&fieldManager=applier'],
    ['unknown field', { apiVersion: apiVersion!, kind: kind!, metadata: { name }, unknownField: 1 }, '&fieldManager=applier'],
    ['unknown field strictly', { apiVersion: apiVersion!, kind: kind!, metadata: { name }, unknownField: 1 }, '&fieldManager=applier&fieldValidation=Strict'],
    ['unknown field ignored', { apiVersion: apiVersion!, kind: kind!, metadata: { name }, unknownField: 1 }, '&fieldManager=applier&fieldValidation=Ignore'],
    ['a list', [], '&fieldManager=applier'],
    ['long manager', full, `&fieldManager=${'m'.repeat(200)}`],
    ['bad force', full, '&fieldManager=applier&force=maybe'],
  ] // prettier-ignore
  for (const [label, body, query] of apply) add(`apply ${label}`, APPLY, body, query)
  for (const m of mutations.slice(0, Math.ceil(seed.budget / 8))) {
    if (m.path.some((part) => typeof part === 'number') || m.value === undefined) continue
    const body = {
      apiVersion: apiVersion!,
      kind: kind!,
      metadata: { name },
      ...(nested(m.path, m.value) as JsonObject),
    }
    add(`apply ${m.label}`, APPLY, body, '&fieldManager=applier')
    add(`apply by force ${m.label}`, APPLY, body, '&fieldManager=applier&force=true')
  }
  return out
}

/** Stories with objects of their own: created by apply, changed by others, taken over, let go. */
export function applies(seed: Seed): Case[] {
  const id = `${seed.kind} apply story`
  const own = ownName(id)
  const path = `${collection(seed.resource)}/${own}`
  const apply = (query: string, object: JsonObject): Step => ({
    method: 'PATCH',
    path: `${path}?${query}`,
    type: APPLY,
    text: dump(object),
  })
  const [minimal, full] = [instance(seed.objects.get('minimal')!, own), instance(seed.objects.get('full')!, own)]
  const name = nameOf(minimal)
  if (name !== own) return []
  return [
    {
      id,
      kind: seed.kind,
      steps: [
        apply('fieldManager=one', minimal),
        apply('fieldManager=one', minimal),
        apply('fieldManager=two', full),
        apply('fieldManager=two&force=true', full),
        { method: 'PATCH', path, type: MERGE, body: { metadata: { labels: { from: 'merge' } } } },
        apply('fieldManager=one', minimal),
        { method: 'PUT', path: `${path}?fieldManager=putter`, body: full },
        apply('fieldManager=two&force=true', minimal),
        { method: 'GET', path },
      ],
    },
  ]
}

/** `spec.a.b` → `{ spec: { a: { b: value } } }` */
function nested(path: readonly (string | number)[], value: Json): Json {
  return path.reduceRight<Json>((inner, part) => ({ [part]: inner }), value)
}
