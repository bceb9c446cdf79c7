/**
 * Our rules against the answers of a real kube-apiserver, which `scripts/kinds-oracle.ts` recorded in `testdata/`:
 * the same defaults and server-set fields, and the same field errors with the same texts.
 */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { normalize } from '../codec/normalize.ts'
import type { FieldError } from '../field.ts'
import type { KubeObject } from '../object.ts'
import { parseApiVersion } from '../object.ts'
import { typeTable } from '../types/index.ts'
import {
  prepareEphemeralContainers,
  prepareResize,
  rulesFor,
  validateEphemeralContainers,
  validateMetadata,
  validateMetadataUpdate,
  validateResize,
} from './index.ts'
import { finish } from '../schema/steps.ts'
import type { KindRules } from './contract.ts'
import type { Json } from './json.ts'

interface Recorded {
  name: string
  subresource?: string
  object: KubeObject
  old?: KubeObject
  code: number
  answer: Json
}

const folder = join(import.meta.dirname, 'testdata')
const CLUSTER = new Set([
  'Namespace',
  'Node',
  'ClusterRole',
  'ClusterRoleBinding',
  'PriorityClass',
  'CustomResourceDefinition',
  'StorageClass',
  'PersistentVolume',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'CSINode',
])

function groupOf(object: KubeObject): string {
  return parseApiVersion(object.apiVersion ?? '')?.group ?? ''
}

/** What the registry does around the rules of a kind. */
function metadataErrors(object: KubeObject, old: KubeObject | undefined): FieldError[] {
  const rules = rulesFor(groupOf(object), object.kind ?? '')
  const { name: rule } = rules
  const nameRule = typeof rule === 'function' ? (name: string) => rule(name, object) : rule
  const meta = {
    namespaced: !CLUSTER.has(object.kind ?? ''),
    legacyFinalizers: rules.legacyFinalizers !== false,
    ...(nameRule === undefined ? {} : { nameRule }),
  }
  const out = validateMetadata(object.metadata, meta)
  if (old !== undefined) out.push(...validateMetadataUpdate(object.metadata, old.metadata, meta.legacyFinalizers))
  return out
}

function contentErrors(rules: KindRules, object: KubeObject, old?: KubeObject): FieldError[] {
  if (rules.validateInSteps !== undefined) return finish(rules.validateInSteps(object, old))
  return rules.validate?.(object, old) ?? []
}

function answerOf(recorded: Recorded): { object: KubeObject; errors: FieldError[] } {
  const object = normalized(recorded.object)
  const rules = rulesFor(groupOf(object), object.kind ?? '')
  if (!CLUSTER.has(object.kind ?? '')) object.metadata.namespace ??= 'default'
  if (!object.metadata.name && object.metadata.generateName)
    object.metadata.name = `${object.metadata.generateName}xxxxx`
  rules.defaults?.(object, () => '2026-01-01T00:00:00Z')
  if (recorded.old === undefined) {
    rules.prepareCreate?.(object)
    if (rules.generation !== false) object.metadata.generation = 1
    return { object, errors: [...metadataErrors(object, undefined), ...contentErrors(rules, object)] }
  }
  const old = normalized(recorded.old)
  old.metadata.resourceVersion = object.metadata.resourceVersion = '1'
  const before = JSON.stringify(old)
  const errors: FieldError[] = []
  switch (recorded.subresource) {
    case 'status':
      if (rules.prepareStatus === undefined) object['spec'] = old['spec']
      else rules.prepareStatus(object, old, () => '2026-01-01T00:00:00Z')
      errors.push(
        ...metadataErrors(object, old),
        ...(rules.validateStatus?.(object, old, () => '2026-01-01T00:00:00Z') ?? []),
      )
      break
    case 'ephemeralcontainers':
      prepareEphemeralContainers(object, old)
      errors.push(...metadataErrors(object, old), ...validateEphemeralContainers(object, old))
      break
    case 'resize':
      prepareResize(object, old)
      errors.push(...metadataErrors(object, old), ...validateResize(object, old))
      break
    default:
      rules.prepareUpdate?.(object, old, () => '2026-01-01T00:00:00Z')
      errors.push(...metadataErrors(object, old), ...contentErrors(rules, object, old))
      errors.push(...(rules.validateUpdate?.(object, old) ?? []))
  }
  assert.equal(JSON.stringify(old), before, 'the stored object was changed')
  if (rules.generation !== false && recorded.subresource !== 'status') {
    const part = rules.generation ?? (({ metadata: _metadata, status: _status, ...rest }) => rest)
    if (!isDeepStrictEqual(part(object), part(old))) object.metadata.generation = (old.metadata.generation ?? 0) + 1
  }
  return { object, errors }
}

/** As the codec hands objects in and out. */
function normalized(object: KubeObject): KubeObject {
  const { group, version } = parseApiVersion(object.apiVersion ?? '')!
  const type = typeTable.kind(group, version, object.kind ?? '')
  assert.ok(type !== undefined, `no type for ${String(object.kind)}`)
  return normalize(object, type).object as unknown as KubeObject
}

/** What other code or the clock fills in: IP allocation and times. */
function comparable(value: Json, service: boolean): Json {
  if (Array.isArray(value)) return value.map((item) => comparable(item, service))
  if (typeof value !== 'object' || value === null) return value
  const out: Json = {}
  for (const key of Object.keys(value as object).sort()) {
    if (['lastTransitionTime', 'lastPhaseTransitionTime', 'creationTimestamp'].includes(key)) continue
    if (service && ['ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort', 'nodePort'].includes(key)) continue
    out[key] = comparable(value[key], service)
  }
  return out
}

/** The texts of a recorded failure; pod updates' diffs differ in form. */
function expected(answer: Json): string[] {
  return (answer.details?.causes ?? []).map((cause: Json) => line(cause.field ?? '', cause.reason, cause.message))
}

function line(field: string, type: string, message: string): string {
  const generated = /^(Invalid value: "[^"]*-?)[a-z0-9]{5}"/
  const text = message.split('\n')[0]!
  return `${field} ${type} ${field === 'metadata.name' ? text.replace(generated, '$1"') : text}`
}

/** Cases with several errors below one map: Go walks maps in any order. */
const ANY_ORDER = new Set([
  'configmaps: keys',
  'crds: forbidden constructs',
  'crds: list and map types',
  'crds: types everywhere',
  'limitranges: names',
  'limitranges: order of values',
  'limitranges: ratio',
  'nodes: negative capacity',
  'pods: annotations of pods',
  'pods: metadata errors',
  'pods: node selector',
  'pods: pod level resource errors',
  'quotas: errors',
  'quotas: scopes',
])

/** Upstream checks metadata twice on some updates. */
function settle(name: string, lines: readonly string[]): string[] {
  const once = [...new Set(lines)]
  return ANY_ORDER.has(name) ? once.sort() : once
}

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const cases = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recorded[]
  for (const recorded of cases) {
    const name = `${file.replace('.json', '')}: ${recorded.name}`
    test(name, () => {
      const { object, errors } = answerOf(recorded)
      const lines = errors.map((e) => line(e.field === '' ? '<nil>' : e.field, e.type, e.message))
      if (recorded.code >= 400) {
        assert.equal(recorded.code, 422, recorded.answer.message)
        assert.deepEqual(settle(name, lines), settle(name, expected(recorded.answer)))
        return
      }
      assert.deepEqual(lines, [])
      const { resourceVersion: _version, ...metadata } = object.metadata
      const service = object.kind === 'Service'
      const ours = normalized({ ...object, metadata })
      assert.deepEqual(comparable(ours, service), comparable(normalized(recorded.answer), service))
      const once = structuredClone(object)
      rulesFor(groupOf(object), object.kind ?? '').defaults?.(once, () => '2026-01-01T00:00:00Z')
      assert.deepEqual(once, object, 'defaulting twice changes nothing')
    })
  }
}
