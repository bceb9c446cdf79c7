import { test } from 'node:test'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { normalize } from '../codec/normalize.ts'
import { decodeYaml } from '../codec/yaml.ts'
import type { KubeObject } from '../object.ts'
import { parseApiVersion } from '../object.ts'
import type { SchemaProps } from '../schema/index.ts'
import { StatusError } from '../status.ts'
import { typeTable } from '../types/index.ts'
import type { FieldFilter, Ignored, Managers, Schema, Tracking, Typed } from './index.ts'
import {
  ONE_VERSION,
  applyConfig,
  builtinSchema,
  customSchema,
  decodeManagers,
  encodeManagers,
  fieldSetOf,
  managersFor,
  updateManagers,
  without,
} from './index.ts'

/** Cases answered by the published Go libraries: see tools/oracle-apply. */

interface Step {
  apply?: string
  update?: string
  force?: boolean
  subresource?: string
  reset?: string[][]
  object: KubeObject
  repeat?: number
}

interface Case {
  name: string
  kind: string
  schema?: SchemaProps
  steps: Step[]
}

interface Answer {
  case: string
  step: number
  object?: KubeObject
  code?: number
  message?: string
  causes?: { message: string; field: string }[]
}

const read = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), 'utf8')
const cases = decodeYaml(read('cases.yaml')).value as Case[]
const answers = new Map<string, Answer[]>()
for (const line of read('answers.jsonl').trim().split('\n')) {
  const answer = JSON.parse(line) as Answer
  const list = answers.get(answer.case)
  if (list === undefined) answers.set(answer.case, [answer])
  else list.push(answer)
}

interface World {
  readonly apiVersion: string
  readonly kind: string
  readonly schema: Schema
  /** As the Go type has it. */
  canonical(object: KubeObject): KubeObject
}

function worldOf({ kind: title, schema }: Case): World {
  const [apiVersion, kind] = title.split(' ') as [string, string]
  const head = { apiVersion, kind }
  if (schema !== undefined) {
    return { apiVersion, kind, schema: customSchema(schema), canonical: (object) => ({ ...object, ...head }) }
  }
  const { group, version } = parseApiVersion(apiVersion)!
  const type = typeTable.kind(group, version, kind)!
  const canonical = (object: KubeObject): KubeObject =>
    normalize({ ...object, ...head }, type).object as unknown as KubeObject
  return { apiVersion, kind, schema: builtinSchema(type.name), canonical }
}

function filterOf({ reset }: Step): FieldFilter | undefined {
  return reset === undefined ? undefined : without(fieldSetOf(...reset))
}

function write(world: World, live: KubeObject, step: Step): KubeObject {
  const { apiVersion, kind, schema } = world
  const typed = (object: KubeObject): Typed => ({ object: bare(object), schema, apiVersion })
  const filter = filterOf(step)
  const ignored: Ignored = () => filter
  const tracking: Tracking = {
    manager: step.apply ?? step.update!,
    subresource: step.subresource ?? '',
    versions: ONE_VERSION,
    ignored,
    now: '2026-01-01T00:00:00Z',
  }
  if (step.apply !== undefined) {
    const config: KubeObject = { ...step.object }
    config.kind ??= kind
    config.apiVersion ??= apiVersion
    const managers = decodeManagers(live.metadata?.managedFields)
    const empty = typed(world.canonical({ metadata: {} }))
    const applied = applyConfig(typed(live), empty, config, managers, { ...tracking, force: step.force === true })
    return withManagers(world.canonical(applied.object), applied.managers)
  }
  const object = world.canonical(step.object)
  const managers = managersFor(live.metadata?.managedFields, object.metadata.managedFields, tracking.subresource!)
  if (managers.size === 0 && live.metadata?.uid !== undefined) return withManagers(object, managers)
  return withManagers(object, updateManagers(managers, typed(live), typed(object), tracking))
}

function bare(object: KubeObject): KubeObject {
  const { managedFields: _managed, ...metadata } = object.metadata ?? {}
  return object.metadata === undefined ? object : { ...object, metadata }
}

function withManagers(object: KubeObject, managers: Managers): KubeObject {
  const { managedFields: _managed, ...metadata } = object.metadata ?? {}
  const list = encodeManagers(managers)
  return { ...object, metadata: { ...metadata, uid: 'u', ...(list === undefined ? {} : { managedFields: [...list] }) } }
}

/** The object as the answers have it: times are T, fields are text. */
function shown(object: KubeObject, ordered: boolean): unknown {
  const out = JSON.parse(JSON.stringify(object)) as KubeObject
  for (const entry of (out.metadata.managedFields ?? []) as Record<string, unknown>[]) {
    if (entry['time'] !== undefined) entry['time'] = 'T'
    if (ordered) entry['fieldsV1'] = JSON.stringify(entry['fieldsV1'])
  }
  return out
}

/** Go escapes more in JSON text; the members stay as they stand. Those of custom resources have no order. */
function expected(object: KubeObject, ordered: boolean): unknown {
  for (const entry of (object.metadata.managedFields ?? []) as Record<string, unknown>[]) {
    const fields: unknown = JSON.parse(entry['fieldsV1'] as string)
    entry['fieldsV1'] = ordered ? JSON.stringify(fields) : fields
  }
  return object
}

for (const one of cases) {
  test(one.name, () => {
    const world = worldOf(one)
    const wanted = answers.get(one.name)!
    let live = world.canonical({} as KubeObject)
    let number = 0
    for (const step of one.steps) {
      for (let round = 0; round <= (step.repeat ?? 0); round++) {
        const now = JSON.parse(JSON.stringify(step).replaceAll('#', String(round))) as Step
        const want = wanted[number++]!
        const label = `step ${number}`
        try {
          live = write(world, live, now)
        } catch (error) {
          if (!(error instanceof StatusError)) throw error
          const { message, details } = error.status
          assert.deepEqual(
            { message, causes: details?.causes?.map((c) => ({ message: c.message, field: c.field })) },
            { message: want.message, causes: want.causes },
            label,
          )
          continue
        }
        assert.equal(undefined, want.message, `${label} fails upstream: ${want.message}`)
        const ordered = one.schema === undefined
        assert.deepEqual(shown(live, ordered), expected(want.object!, ordered), label)
      }
    }
    assert.equal(number, wanted.length)
  })
}
