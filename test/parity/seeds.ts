/** The objects that requests are made from: for each kind a minimal one, a full one, and some that differ in kind. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { typeTable } from '../../src/machinery/types/index.ts'
import type { ResourceInfo } from '../../src/machinery/types/table.ts'
import { hash, type Json, type JsonObject } from './case.ts'

export interface Seed {
  readonly resource: ResourceInfo
  /** `apps/v1/Deployment` */
  readonly kind: string
  /** By name: `minimal`, `full` and others. */
  readonly objects: ReadonlyMap<string, JsonObject>
  /** How many mutations are asked beside those that every field gets. */
  readonly budget: number
}

interface SeedText {
  minimal: JsonObject
  full: JsonObject
  /** Merge patches of `minimal`. */
  others?: Record<string, JsonObject>
  budget?: number
}

const DEFAULT_BUDGET = 80

/** All seeds, in the order of the type table. */
export function readSeeds(): Seed[] {
  const found = new Map<string, Seed>()
  for (const file of globSync('seeds/*.yaml', { cwd: import.meta.dirname }).sort()) {
    for (const text of load(readFileSync(join(import.meta.dirname, file), 'utf8')) as SeedText[]) {
      const { apiVersion, kind } = text.minimal
      const resource = typeTable.resources.find((r) => gvOf(r) === apiVersion && r.kind === kind)
      if (resource === undefined) throw new Error(`${file}: no resource for ${JSON.stringify([apiVersion, kind])}`)
      const objects = new Map([
        ['minimal', text.minimal],
        ['full', text.full],
        ...Object.entries(text.others ?? {}).map(
          ([name, patch]) => [name, merge(text.minimal, patch) as JsonObject] as const,
        ),
      ])
      found.set(kindOf(resource), { resource, kind: kindOf(resource), objects, budget: text.budget ?? DEFAULT_BUDGET })
    }
  }
  return typeTable.resources.flatMap((resource) => found.get(kindOf(resource)) ?? [])
}

/** `v1`, `apps/v1` */
export const gvOf = ({ group, version }: ResourceInfo): string => (group === '' ? version : `${group}/${version}`)

export const kindOf = (resource: ResourceInfo): string => `${gvOf(resource)}/${resource.kind}`

/** An object of the seed under a name: `{name}` stands for it, `{a}` and `{b}` for numbers below 250 that go with it. */
export function instance(object: JsonObject, name: string): JsonObject {
  const number = hash(name)
  const text = JSON.stringify(object)
    .replaceAll('{name}', name)
    .replaceAll('{a}', String(1 + (number % 249)))
    .replaceAll('{b}', String(1 + ((number >>> 8) % 249)))
  const out = JSON.parse(text) as JsonObject
  const metadata = (out['metadata'] ??= {}) as JsonObject
  metadata['name'] ??= name
  return out
}

/** As {@link instance}; what is no object but a question has no name. */
export function draft({ resource }: Seed, object: JsonObject, name: string): JsonObject {
  const out = instance(object, name)
  if (!resource.verbs.includes('get') && object['metadata'] === undefined) out['metadata'] = {}
  return out
}

export function nameOf(object: JsonObject): string {
  const { name } = object['metadata'] as { name: string }
  return name
}

/** The namespace that belongs to a resource. Events of both groups are the same objects, and must not meet. */
export function namespaceOf(resource: ResourceInfo, prefix = 'p'): string {
  return `${prefix}-${resource.group === 'events.k8s.io' ? 'new-' : ''}${resource.resource}`
}

/** Where objects of a resource are, in the namespace that belongs to it. */
export function collection(resource: ResourceInfo, namespace = namespaceOf(resource)): string {
  const root = resource.group === '' ? '/api/v1' : `/apis/${resource.group}/${resource.version}`
  return resource.namespaced ? `${root}/namespaces/${namespace}/${resource.resource}` : `${root}/${resource.resource}`
}

export function merge(target: Json | undefined, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const out: JsonObject = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = merge(out[key], value)
  }
  return out
}
