/** Reads, lists, deletes and what the query may say, for a kind. */
import { ownName, type Case, type JsonObject, type Step } from '../case.ts'
import { collection, draft, instance, nameOf, namespaceOf, type Seed } from '../seeds.ts'

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const META = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io,application/json'
const META_LIST = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json'

export function reads(seed: Seed, fixture: string, name: string): Case[] {
  const out: Case[] = []
  const { resource } = seed
  const verbs = new Set(resource.verbs)
  const path = collection(resource)
  const own = `${path}/${name}`
  const add = (label: string, at: string, headers?: Record<string, string>, method: Step['method'] = 'GET') =>
    out.push({
      id: `${seed.kind} ${label}`,
      kind: seed.kind,
      fixture,
      steps: [{ method, path: at, ...(headers && { headers }) }],
    })
  if (verbs.has('get')) {
    add('get', own)
    add('get nothing', `${path}/absent`)
    add('get as table', own, { accept: TABLE })
    add('get as metadata', own, { accept: META })
    add('get as YAML', own, { accept: 'application/yaml' })
    add('get as nothing known', own, { accept: 'text/html' })
    add('get as anything', own, { accept: '*/*' })
    add('get pretty', `${own}?pretty=true`)
    add('get for a browser', own, { 'user-agent': 'Mozilla/5.0', accept: '*/*' })
    add('get at 0', `${own}?resourceVersion=0`)
    add('get at a bad version', `${own}?resourceVersion=abc`)
    add('get in the future', `${own}?resourceVersion=99999999999`)
    add('head', own, undefined, 'HEAD')
    add('post to an object', own, undefined, 'POST')
    add('table of one without objects', `${own}?includeObject=None`, { accept: TABLE })
  }
  if (verbs.has('list')) {
    const mine = resource.namespaced ? collection(resource, namespaceOf(resource, 'l')) : path
    const pick = resource.namespaced ? '' : `&labelSelector=parity%3D${namespaceOf(resource, 'listed')}`
    const list = (label: string, query: string, headers?: Record<string, string>) =>
      add(`list ${label}`, `${mine}?${query}${pick}`, headers)
    list('all', 'x=1')
    list('as table', 'x=1', { accept: TABLE })
    list('as table with objects', 'includeObject=Object', { accept: TABLE })
    list('as metadata', 'x=1', { accept: META_LIST })
    list('as YAML', 'x=1', { accept: 'application/yaml' })
    list('one', 'limit=1')
    list('negative limit', 'limit=-1')
    list('bad limit', 'limit=abc')
    list('bad continue', 'continue=nope')
    list('at 0', 'resourceVersion=0')
    list('at a bad version', 'resourceVersion=abc')
    list('in the future', 'resourceVersion=99999999999')
    list('exactly nothing', 'resourceVersionMatch=Exact')
    list('exactly 0', 'resourceVersion=0&resourceVersionMatch=Exact')
    list('not older', 'resourceVersion=1&resourceVersionMatch=NotOlderThan')
    list('unknown match', 'resourceVersion=1&resourceVersionMatch=Nope')
    list('bad timeout', 'timeoutSeconds=abc')
    list('bad field', 'fieldSelector=spec.nothing%3Dx')
    list('bad field selector', 'fieldSelector=%3D%3D')
    list('by name', 'fieldSelector=metadata.name%3Dlisted-1')
    list('by not name', 'fieldSelector=metadata.name!%3Dlisted-1')
    list('by namespace', 'fieldSelector=metadata.namespace%3Dnowhere')
    list('sendInitialEvents without watch', 'sendInitialEvents=true')
    if (resource.namespaced) {
      list('by label', 'labelSelector=n%3D1')
      list('bad label', 'labelSelector=a%3D%3D%3Db')
      add('list of no namespace', collection(resource, 'nowhere'))
      add(
        'list across namespaces',
        `${collection(resource).replace(/\/namespaces\/[^/]+/, '')}?labelSelector=parity%3D${namespaceOf(resource, 'listed')}`,
      )
    }
    add('watch of nothing', `${mine}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Dabsent`)
    add('watch bad timeout', `${mine}?watch=true&timeoutSeconds=abc`)
    add('watch initial events without match', `${mine}?watch=true&sendInitialEvents=true&timeoutSeconds=1`)
    add('watch old', `${mine}?watch=true&resourceVersion=abc&timeoutSeconds=1`)
    add('put to a collection', mine, undefined, 'PUT')
    add('patch of a collection', mine, undefined, 'PATCH')
  }
  return out
}

/** Objects that lists find. */
export function listed(seed: Seed): Step[] {
  const { resource } = seed
  if (!resource.verbs.includes('list') || !resource.verbs.includes('create')) return []
  const path = collection(resource, namespaceOf(resource, 'l'))
  return ['1', '2', '3'].map((n) => {
    const body = instance(seed.objects.get(n === '1' ? 'full' : 'minimal')!, `listed-${n}`)
    const metadata = body['metadata'] as JsonObject
    metadata['labels'] = { ...(metadata['labels'] as JsonObject), parity: namespaceOf(resource, 'listed'), n }
    return { method: 'POST', path, body }
  })
}

/** Options of writes, each on a create that stores nothing or on the fixture. */
export function options(seed: Seed, fixture: string, name: string): Case[] {
  const out: Case[] = []
  const path = collection(seed.resource)
  const body = draft(seed, seed.objects.get('minimal')!, 'x')
  const stored = instance(seed.objects.get('full')!, name)
  const dry = seed.resource.verbs.includes('update')
  const twice = JSON.stringify({ ...body, extraField: 1 }).replace(/^\{/, '{"kind":"Twice",')
  const queries: [string, string, object][] = [
    ['bad dryRun', 'dryRun=Some', { body }],
    ['pretty', 'dryRun=All&pretty=true', { body }],
    ['long manager', `dryRun=All&fieldManager=${'m'.repeat(200)}`, { body }],
    ['bad manager', 'dryRun=All&fieldManager=a%01b', { body }],
    ['manager', 'dryRun=All&fieldManager=me', { body }],
    ['unknown validation', 'dryRun=All&fieldValidation=Nope', { body }],
    ['strict', 'dryRun=All&fieldValidation=Strict', { text: twice }],
    ['warn', 'dryRun=All&fieldValidation=Warn', { text: twice }],
    ['ignore', 'dryRun=All&fieldValidation=Ignore', { text: twice }],
    ['strict YAML', 'dryRun=All&fieldValidation=Strict', { text: `kind: Twice\n${JSON.stringify({ ...body, extraField: 1 })}`, type: 'application/yaml' }],
    ['no body', 'dryRun=All', {}],
    ['empty body', 'dryRun=All', { text: '' }],
    ['cut JSON', 'dryRun=All', { text: JSON.stringify(body).slice(0, -3) }],
    ['bad YAML', 'dryRun=All', { text: 'a: [b', type: 'application/yaml' }],
    ['unknown type', 'dryRun=All', { text: 'x', type: 'text/plain' }],
    ['bad protobuf', 'dryRun=All', { base64: 'azhzAP8=', type: 'application/vnd.kubernetes.protobuf' }],
    ['table answer', 'dryRun=All', { body, headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } }],
    ['metadata answer', 'dryRun=All', { body, headers: { accept: META } }],
    ['YAML answer', 'dryRun=All', { body, headers: { accept: 'application/yaml' } }],
    ['timeout', 'dryRun=All&timeout=nope', { body }],
  ] // prettier-ignore
  for (const [label, query, content] of queries) {
    if (!dry && label === 'bad dryRun') continue
    const q = dry ? query : query.replace(/dryRun=All&?/, '')
    out.push({
      id: `${seed.kind} create with ${label}`,
      kind: seed.kind,
      steps: [{ method: 'POST', path: `${path}?${q}`, ...content }],
    })
  }
  if (!dry) return out
  const put = (label: string, query: string, content: object, method: Step['method'] = 'PUT') =>
    out.push({
      id: `${seed.kind} ${label}`,
      kind: seed.kind,
      fixture,
      steps: [{ method, path: `${path}/${name}?${query}`, ...content }],
    })
  put('update with bad dryRun', 'dryRun=Some', { body: stored })
  put('update with unknown validation', 'dryRun=All&fieldValidation=Nope', { body: stored })
  put('update strictly', 'dryRun=All&fieldValidation=Strict', { body: { ...stored, extraField: 1 } })
  put('update with warnings', 'dryRun=All', { body: { ...stored, extraField: 1 } })
  put('patch with force', 'dryRun=All&force=true', { body: {}, type: 'application/merge-patch+json' }, 'PATCH')
  put('delete dry', 'dryRun=All', {}, 'DELETE')
  put('delete with bad dryRun', 'dryRun=Some', {}, 'DELETE')
  put('delete with bad grace', 'dryRun=All&gracePeriodSeconds=abc', {}, 'DELETE')
  put('delete with negative grace', 'dryRun=All&gracePeriodSeconds=-1', {}, 'DELETE')
  put('delete with grace', 'dryRun=All&gracePeriodSeconds=7', {}, 'DELETE')
  put('delete with bad policy', 'dryRun=All&propagationPolicy=Nope', {}, 'DELETE')
  put('delete in foreground', 'dryRun=All&propagationPolicy=Foreground', {}, 'DELETE')
  put('delete with orphans', 'dryRun=All&propagationPolicy=Orphan', {}, 'DELETE')
  put(
    'delete with both',
    '',
    { body: { dryRun: ['All'], orphanDependents: true, propagationPolicy: 'Orphan' } },
    'DELETE',
  )
  put(
    'delete of another uid',
    '',
    { body: { dryRun: ['All'], preconditions: { uid: '00000000-0000-0000-0000-000000000009' } } },
    'DELETE',
  )
  put('delete of another version', '', { body: { dryRun: ['All'], preconditions: { resourceVersion: '1' } } }, 'DELETE')
  put(
    'delete of this one',
    '',
    { body: { dryRun: ['All'], preconditions: { uid: '$UID', resourceVersion: '$RV' } } },
    'DELETE',
  )
  put('delete with options of another kind', '', { body: { dryRun: ['All'], kind: 'Pod', apiVersion: 'v1' } }, 'DELETE')
  // A body takes the place of the query.
  put('delete with a bad body', 'dryRun=All', { text: '{' }, 'DELETE')
  put('delete with unknown field', '', { body: { dryRun: ['All'], nothing: 1 } }, 'DELETE')
  put('delete with bad body policy', '', { body: { dryRun: ['All'], propagationPolicy: 'Nope' } }, 'DELETE')
  return out
}

/** The whole life of an object. */
export function life(seed: Seed): Case[] {
  const id = `${seed.kind} life`
  const own = ownName(id)
  const path = collection(seed.resource)
  const full = instance(seed.objects.get('full')!, own)
  const at = `${path}/${nameOf(full)}`
  const changed = {
    ...full,
    metadata: { ...(full['metadata'] as JsonObject), resourceVersion: '$RV', annotations: { changed: 'yes' } },
  }
  const steps: Step[] = [
    { method: 'POST', path, body: full },
    { method: 'POST', path, body: full },
    { method: 'GET', path: at },
    { method: 'PUT', path: at, body: changed },
    { method: 'PUT', path: at, body: changed },
    { method: 'PATCH', path: at, type: 'application/merge-patch+json', body: { metadata: { finalizers: ['example.com/f'] } } },
    { method: 'DELETE', path: at, body: { propagationPolicy: 'Background', gracePeriodSeconds: 0 } },
    { method: 'PATCH', path: at, type: 'application/merge-patch+json', body: { metadata: { finalizers: ['example.com/f', 'example.com/g'] } } },
    { method: 'PATCH', path: at, type: 'application/merge-patch+json', body: { metadata: { finalizers: null } } },
    { method: 'GET', path: at },
    { method: 'DELETE', path: at },
  ] // prettier-ignore
  const generated: JsonObject = { ...full, metadata: { ...(full['metadata'] as JsonObject), generateName: `${own}-` } }
  delete (generated['metadata'] as JsonObject)['name']
  return [
    { id, kind: seed.kind, steps },
    { id: `${seed.kind} generated name`, kind: seed.kind, steps: [{ method: 'POST', path, body: generated }] },
  ]
}
