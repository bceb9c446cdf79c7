/** The subresources of a kind: the generic ones by the table, others by hand in the corpus. */
import { hash, ownName, type Case, type Json, type JsonObject } from '../case.ts'
import { collection, instance, nameOf, type Seed } from '../seeds.ts'
import { mutate, mutationsOf, sitesOf } from './sites.ts'
import { typeOf, withVersion } from './writes.ts'

const MERGE = 'application/merge-patch+json'

export function subresources(seed: Seed, fixture: string, name: string): Case[] {
  const out: Case[] = []
  const has = (sub: string) => seed.resource.subresources.some((s) => s.name === sub)
  const path = `${collection(seed.resource)}/${name}`
  const full = withVersion(instance(seed.objects.get('full')!, name))
  const add = (
    label: string,
    method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE',
    sub: string,
    body?: Json,
    type?: string,
    query = '',
  ) =>
    out.push({
      id: `${seed.kind} ${label}`,
      kind: seed.kind,
      fixture,
      steps: [
        {
          method,
          path: `${path}/${sub}?dryRun=All${query}`,
          ...(body !== undefined && { body }),
          ...(type !== undefined && { type }),
        },
      ],
    })
  add('unknown subresource', 'GET', 'nothing')
  if (has('status')) {
    add('status get', 'GET', 'status')
    add('status post', 'POST', 'status', full)
    add('status delete', 'DELETE', 'status')
    add('status put', 'PUT', 'status', full)
    add('status put without version', 'PUT', 'status', instance(seed.objects.get('full')!, name))
    add('status put metadata', 'PUT', 'status', { ...full, metadata: { ...(full['metadata'] as JsonObject), labels: { new: 'l' }, annotations: { new: 'a' }, finalizers: ['example.com/f'], ownerReferences: [] } }) // prettier-ignore
    add('status put without status', 'PUT', 'status', { ...full, status: {} })
    add('status merge spec', 'PATCH', 'status', { spec: null, metadata: { labels: { a: 'b' } } }, MERGE)
    add('status merge unknown', 'PATCH', 'status', { status: { nothing: 1 } }, MERGE)
    add('status apply', 'PATCH', 'status', { apiVersion: full['apiVersion']!, kind: full['kind']!, metadata: { name }, status: full['status'] ?? {} }, 'application/apply-patch+yaml', '&fieldManager=status-applier') // prettier-ignore
    const sites = sitesOf(full, typeOf(seed)).filter((s) => s.path[0] === 'status')
    const all = mutationsOf(sites)
    const picked = all.filter((m) => m.always || hash(`${seed.kind} status ${m.label}`) % 4 === 0)
    for (const m of picked.slice(0, 250)) add(`status put ${m.label}`, 'PUT', 'status', mutate(full, m.path, m.value))
    for (const m of picked.slice(0, 20)) {
      const key = m.path.every((part) => typeof part === 'string')
      if (key && m.path.length === 2)
        add(`status merge ${m.label}`, 'PATCH', 'status', { status: { [m.path[1]!]: m.value ?? null } }, MERGE)
    }
  }
  if (has('scale')) {
    const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name, namespace: `p-${seed.resource.resource}` } }
    add('scale get', 'GET', 'scale')
    add('scale put', 'PUT', 'scale', { ...scale, spec: { replicas: 7 } })
    add('scale put nothing', 'PUT', 'scale', scale)
    add('scale put stale', 'PUT', 'scale', { ...scale, metadata: { ...scale.metadata, resourceVersion: '1' }, spec: { replicas: 2 } })
    add('scale put right version', 'PUT', 'scale', { ...scale, metadata: { ...scale.metadata, resourceVersion: '$RV' }, spec: { replicas: 2 } })
    add('scale put other name', 'PUT', 'scale', { ...scale, metadata: { name: 'other' }, spec: { replicas: 2 } })
    add('scale put other uid', 'PUT', 'scale', { ...scale, metadata: { ...scale.metadata, uid: '00000000-0000-0000-0000-000000000009' }, spec: { replicas: 2 } })
    add('scale put negative', 'PUT', 'scale', { ...scale, spec: { replicas: -1 } })
    add('scale put text', 'PUT', 'scale', { ...scale, spec: { replicas: 'x' } })
    add('scale put of the kind itself', 'PUT', 'scale', full)
    add('scale put with a namespace', 'PUT', 'scale', { ...scale, metadata: { name, namespace: 'other' }, spec: { replicas: 2 } })
    add('scale merge', 'PATCH', 'scale', { spec: { replicas: 9 } }, MERGE)
    add('scale merge status', 'PATCH', 'scale', { status: { replicas: 9 } }, MERGE)
    add('scale strategic', 'PATCH', 'scale', { spec: { replicas: 9 } }, 'application/strategic-merge-patch+json')
    add('scale json', 'PATCH', 'scale', [{ op: 'replace', path: '/spec/replicas', value: 4 }], 'application/json-patch+json')
    add('scale apply', 'PATCH', 'scale', { ...scale, spec: { replicas: 5 } }, 'application/apply-patch+yaml', '&fieldManager=scaler')
    add('scale apply by force', 'PATCH', 'scale', { ...scale, spec: { replicas: 5 } }, 'application/apply-patch+yaml', '&fieldManager=scaler&force=true')
    add('scale post', 'POST', 'scale', scale)
  } // prettier-ignore
  if (has('status')) {
    const id = `${seed.kind} status story`
    const own = ownName(id)
    const body = instance(seed.objects.get('full')!, own)
    const at = `${collection(seed.resource)}/${nameOf(body)}`
    out.push({
      id,
      kind: seed.kind,
      steps: [
        { method: 'POST', path: collection(seed.resource), body },
        { method: 'PUT', path: `${at}/status`, body },
        { method: 'PUT', path: at, body: { ...body, status: {} } },
        { method: 'GET', path: at },
        { method: 'PATCH', path: `${at}/status`, type: MERGE, body: { status: null } },
        { method: 'GET', path: at },
      ],
    })
  }
  return out
}
