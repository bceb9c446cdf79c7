/** CustomResourceDefinitions. */
import { child, forbidden, index, invalid, key as keyed, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../names.ts'
import { defaultErrors } from '../../schema/support.ts'
import { finish } from '../../schema/steps.ts'
import type { Steps } from '../../schema/steps.ts'
import { immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entry, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { conversion } from './conversion.ts'
import { printerColumn, scale, selectableFields } from './paths.ts'
import { schemaLeeway, unsupported, validateSchema } from './schema.ts'
import type { SchemaLeeway } from './schema.ts'
import { shownColumns, shownFields, shownSchema, shownSubresources } from './shown.ts'
import { validateStructural } from './structural.ts'
import { definitionWarnings } from './warnings.ts'

const APPROVED = 'api-approved.kubernetes.io'

function defaults(crd: Json): void {
  const spec: Json = (crd.spec ??= {})
  const names: Json = (spec.names ??= {})
  if (!names.singular && names.kind) names.singular = String(names.kind).toLowerCase()
  if (!names.listKind && names.kind) names.listKind = `${String(names.kind)}List`
  if (!isSet(spec.conversion)) spec.conversion = { strategy: 'None' }
  const service: Json = spec.conversion.webhook?.clientConfig?.service
  if (isSet(service) && !isSet(service.port)) service.port = 443
  if (listOf(crd.status?.storedVersions).length > 0) return
  const storage: Json = storageVersion(crd)
  if (storage !== undefined) crd.status = { ...crd.status, storedVersions: [storage.name] }
}

function storageVersion(crd: Json): Json {
  return listOf(crd.spec?.versions).find((version) => version.storage === true)
}

/** The storage version is always among the stored ones. */
function withStored(crd: Json): void {
  const storage: Json = storageVersion(crd)
  const stored: readonly string[] = listOf(crd.status?.storedVersions)
  if (storage === undefined || stored.includes(storage.name)) return
  crd.status = { ...crd.status, storedVersions: [...stored, storage.name] }
}

const EMPTY_STATUS = { conditions: null, acceptedNames: { plural: '', kind: '' }, storedVersions: [] as string[] }

function isTrue(crd: Json, type: string): boolean {
  return listOf(crd?.status?.conditions).some((c) => c.type === type && c.status === 'True')
}

function* validate(crd: Json, old?: Json): Steps<FieldError[]> {
  const out: Errors = []
  const spec: Json = crd.spec ?? {}
  const names: Json = spec.names ?? {}
  const wanted = `${String(names.plural ?? '')}.${String(spec.group ?? '')}`
  if (old === undefined && crd.metadata.name && crd.metadata.name !== wanted) {
    out.push(invalid('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group'))
  }
  group(spec.group ?? '', out)
  const scope: string = spec.scope ?? ''
  if (scope === '') out.push(required('spec.scope'))
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    out.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']))
  }
  const leave = leeway(crd, old)
  yield* versions(spec, leave, out)
  // Upstream keeps the first version's name in the spec, too.
  const first: Json = listOf(spec.versions)[0]?.name
  const named = first ? isDns1035Label(first) : []
  if (named.length > 0) out.push(invalid('spec.version', first, named.join(',')))
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    if (!names[field]) out.push(required(`spec.names.${field}`))
  }
  validateNames(names, 'spec.names', out)
  yield* hoisted(spec, leave, out)
  conversion(spec.conversion, old?.spec?.conversion, old === undefined || !isTrue(old, 'Established'), out)
  if (old !== undefined) updated(spec, old, out)
  validateNames(crd.status?.acceptedNames ?? {}, 'status.acceptedNames', out)
  storedVersions(crd, out)
  approval(crd, old, out)
  if (spec.preserveUnknownFields === true && old?.spec?.preserveUnknownFields !== true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'
    out.push(invalid('spec.preserveUnknownFields', true, detail))
  }
  return out
}

function group(name: string, out: Errors): void {
  const messages = isDns1123Subdomain(name)
  if (name === '') out.push(required('spec.group'))
  else if (messages.length > 0) out.push(invalid('spec.group', name, messages.join(',')))
  else if (!name.includes('.')) out.push(invalid('spec.group', name, 'should be a domain with at least one dot'))
}

/** Parts that are the same in all versions are reported as parts of the spec: upstream keeps them there. */
const SHARED: readonly (readonly [string, string])[] = [
  ['schema', 'validation'],
  ['subresources', 'subresources'],
  ['additionalPrinterColumns', 'additionalPrinterColumns'],
  ['selectableFields', 'selectableFields'],
]

function isShared(spec: Json, field: string): boolean {
  const list = listOf(spec.versions)
  return list.every((version) => same(version[field], list[0][field]))
}

function* versions(spec: Json, leave: Leeway, out: Errors): Steps<void> {
  const list = listOf(spec.versions)
  list.forEach((version, i) => {
    if (!isSet(version.schema?.openAPIV3Schema)) {
      out.push(required(`spec.versions[${i}].schema.openAPIV3Schema`))
    }
  })
  const seen = new Set<string>()
  let storage = 0
  let twice = false
  for (const [i, version] of list.entries()) {
    const at = index('spec.versions', i)
    if (version.storage) storage++
    twice ||= seen.has(version.name)
    seen.add(version.name)
    const messages = isDns1035Label(version.name ?? '')
    if (messages.length > 0) out.push(invalid(child(at, 'name'), version.name ?? '', messages.join(',')))
    deprecation(version, child(at, 'deprecationWarning'), out)
    for (const [field] of SHARED) {
      if (!isShared(spec, field)) yield* part(field, version, leave, child(at, field), out)
    }
  }
  if (twice) out.push(shownVersions(spec, 'must contain unique version names'))
  if (storage !== 1) out.push(shownVersions(spec, 'must have exactly one version marked as storage version'))
}

/** The versions as upstream prints them, after what they share moved to the spec. */
function shownVersions(spec: Json, detail: string): FieldError {
  const moved = (version: Json, field: string): Json => (isShared(spec, field) ? null : (version[field] ?? null))
  const shown = listOf(spec.versions).map((version) => ({
    Name: version.name ?? '',
    Served: version.served === true,
    Storage: version.storage === true,
    Deprecated: version.deprecated === true,
    DeprecationWarning: version.deprecationWarning ?? null,
    Schema: shownOf(moved(version, 'schema')),
    Subresources: shownSubresources(moved(version, 'subresources')),
    AdditionalPrinterColumns: shownColumns(moved(version, 'additionalPrinterColumns')),
    SelectableFields: shownFields(moved(version, 'selectableFields')),
  }))
  return invalid('spec.versions', shown.length === 0 ? null : shown, detail)
}

const shownOf = (schema: Json): Json =>
  isSet(schema?.openAPIV3Schema) ? { OpenAPIV3Schema: shownSchema(schema.openAPIV3Schema) } : (schema ?? null)

function* hoisted(spec: Json, leave: Leeway, out: Errors): Steps<void> {
  const first: Json = listOf(spec.versions)[0]
  if (first === undefined) return
  for (const [field, shown] of SHARED) {
    if (isShared(spec, field)) yield* part(field, first, leave, child('spec', shown), out)
  }
}

/** What an update lets through because it was there before. */
interface Leeway extends SchemaLeeway {
  /** The versions of the stored definition. */
  readonly old: readonly Json[]
}

const STRICT: Leeway = { old: [], anyType: false, anySet: false, anyKeys: false, unpruned: false }

function leeway(crd: Json, old: Json): Leeway {
  const before: readonly Json[] = listOf(old?.spec?.versions)
  // Most updates leave the schemas alone; then nothing is asked.
  if (before.length === 0 || JSON.stringify(before) === JSON.stringify(crd.spec?.versions))
    return { ...STRICT, old: before }
  return { old: before, ...schemaLeeway(before.map((version) => version.schema?.openAPIV3Schema)) }
}

const OWN = '`version.schema.openAPIV3Schema` is not included'
const SHARED_SCHEMA = 'validations.schema is included'

function* part(field: string, version: Json, leave: Leeway, path: string, out: Errors): Steps<void> {
  const value: Json = version[field]
  if (!isSet(value)) return
  const before: Json = leave.old.find((v) => v.name === version.name)
  const unchanged = isSet(before?.[field]) && JSON.stringify(before[field]) === JSON.stringify(value)
  if (field === 'schema') {
    const sameStatus = isSet(before?.subresources?.status) === isSet(version.subresources?.status)
    if (unchanged && sameStatus) return
    yield* schema(version, leave, unchanged, path, out)
    return
  }
  if (unchanged && field !== 'selectableFields') return
  if (field === 'subresources') scale(value.scale, child(path, 'scale'), out)
  else if (field === 'additionalPrinterColumns') {
    listOf(value).forEach((column, i) => printerColumn(column, index(path, i), out))
  } else if (listOf(value).length > 0) {
    const root: Json = version.schema?.openAPIV3Schema
    if (isSet(root)) selectableFields(value, root, unchanged, path, out)
    else out.push(invalid(path, '', `may only be set when ${path.startsWith('spec.versions') ? OWN : SHARED_SCHEMA}`))
  }
}

const ROOT_WITH_STATUS = [
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]
const ROOT_SHOWN =
  '[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]'

function* schema(version: Json, leave: Leeway, unchanged: boolean, path: string, out: Errors): Steps<void> {
  const root: Json = version.schema.openAPIV3Schema
  const at = child(path, 'openAPIV3Schema')
  if (!isSet(root)) return
  if (isSet(version.subresources?.status)) {
    const why = 'at the root of the schema if the status subresource is enabled'
    if (root.type && root.type !== 'object') {
      out.push(invalid(`${at}.type`, root.type, `only "object" is allowed as the type ${why}`))
    } else if (Object.keys(root as object).some((field) => isSet(root[field]) && !ROOT_WITH_STATUS.includes(field))) {
      out.push(invalid(at, shownSchema(root), `only ${ROOT_SHOWN} fields are allowed ${why}`))
    }
  }
  if (root.nullable) out.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'))
  // A schema that upstream cannot even read is told of when nothing else is wrong with it.
  const unread = unsupported(root)
  const before = out.length
  const structural = unread === undefined ? yield* validateStructural(root, at) : []
  out.push(...structural)
  let sound = unread === undefined && structural.length === 0
  if (sound) {
    const defaults = yield* defaultErrors(root, at, leave.unpruned)
    out.push(...defaults)
    sound = defaults.length === 0
  }
  yield* validateSchema(root, at, { ...leave, rules: sound, costly: unchanged }, out)
  if (unread !== undefined && out.length === before) {
    out.push(invalid(at, '', `OpenAPIV3Schema '${unread}' is not supported`))
  }
}

function deprecation(version: Json, path: string, out: Errors): void {
  const warning: Json = version.deprecationWarning
  if (!isSet(warning)) return
  const refuse = (detail: string): unknown => out.push(invalid(path, warning, detail))
  if (version.deprecated !== true) {
    refuse('can only be set for deprecated versions')
    return
  }
  if (Buffer.byteLength(warning) > 256) refuse('must be <= 256 characters long')
  if (warning === '') refuse('must not be an empty string')
  const bad = String(warning).search(/[^\P{C}]|[^\P{Z} ]/u)
  if (bad >= 0) {
    const at = Buffer.byteLength(String(warning).slice(0, bad))
    refuse(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`)
  }
}

function validateNames(names: Json, path: string, out: Errors): void {
  for (const [field, mixed] of [
    ['plural', false],
    ['singular', false],
    ['kind', true],
    ['listKind', true],
  ] as const) {
    const name: string = names[field] ?? ''
    if (name === '') continue
    const messages = isDns1035Label(mixed ? name.toLowerCase() : name)
    if (messages.length === 0) continue
    const prefix = mixed ? 'may have mixed case, but should otherwise match: ' : ''
    out.push(invalid(child(path, field), name, prefix + messages.join(',')))
  }
  labelList(names.shortNames, child(path, 'shortNames'), out)
  if (names.kind && names.kind === names.listKind) {
    out.push(invalid(child(path, 'listKind'), names.listKind, 'kind and listKind may not be the same'))
  }
  labelList(names.categories, child(path, 'categories'), out)
}

function labelList(list: Json, path: string, out: Errors): void {
  listOf(list).forEach((name, i) => {
    const messages = isDns1035Label(String(name))
    if (messages.length > 0) out.push(invalid(index(path, i), name, messages.join(',')))
  })
}

function updated(spec: Json, old: Json, out: Errors): void {
  const before: Json = old.spec ?? {}
  if (isTrue(old, 'Established')) {
    immutable(spec.scope, before.scope, 'spec.scope', out, spec.scope ?? '')
    immutable(spec.names?.kind, before.names?.kind, 'spec.names.kind', out, spec.names?.kind ?? '')
  }
  immutable(spec.group, before.group, 'spec.group', out, spec.group ?? '')
  immutable(spec.names?.plural, before.names?.plural, 'spec.names.plural', out, spec.names?.plural ?? '')
}

function storedVersions(crd: Json, out: Errors): void {
  const path = 'status.storedVersions'
  const stored: readonly string[] = listOf(crd.status?.storedVersions)
  if (stored.length === 0) {
    out.push(invalid(path, null, 'must have at least one stored version'))
    return
  }
  const names = new Set(listOf(crd.spec?.versions).map((version) => version.name))
  // Of two versions with one name, the first one is the stored one.
  const left = new Set(stored)
  for (const { name, storage } of listOf(crd.spec?.versions)) {
    if (!left.delete(name) && storage) out.push(invalid(path, stored, `must have the storage version ${String(name)}`))
  }
  stored.forEach((name, i) => {
    if (names.has(name)) return
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`
    out.push(invalid(index(path, i), name, detail))
  })
}

type Approval = 'missing' | 'bypassed' | 'approved' | 'invalid'

function approvalOf(crd: Json): Approval {
  const text: string = entry(crd.metadata.annotations, APPROVED) ?? ''
  if (text === '') return 'missing'
  if (text.startsWith('unapproved')) return 'bypassed'
  return /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/]/.test(text) && URL.canParse(text) ? 'approved' : 'invalid'
}

/** Groups of the Kubernetes project need its approval, or the word that there is none. */
function approval(crd: Json, old: Json, out: Errors): void {
  const name = `.${String(crd.spec?.group ?? '')}`
  if (!name.endsWith('.k8s.io') && !name.endsWith('.kubernetes.io')) return
  const state = approvalOf(crd)
  if (old !== undefined && approvalOf(old) === state) return
  const path = keyed('metadata.annotations', APPROVED)
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111'
  const must = `protected groups must have approval annotation ${JSON.stringify(APPROVED)}`
  if (state === 'missing') out.push(required(path, `${must}, ${see}`))
  if (state === 'invalid') {
    const detail = `${must} with either a URL or a reason starting with "unapproved", ${see}`
    out.push(invalid(path, entry(crd.metadata.annotations, APPROVED), detail))
  }
}

export const customResourceDefinitionRules: KindRules = {
  legacyFinalizers: false,
  defaults,
  prepareCreate: (crd) => {
    crd['status'] = structuredClone(EMPTY_STATUS)
    withStored(crd)
  },
  prepareUpdate: (crd, old) => {
    crd['status'] = old['status']
    withStored(crd)
  },
  validate: (crd, old) => finish(validate(crd, old)),
  validateInSteps: validate,
  validateStatus: (crd) => {
    const out: Errors = []
    validateNames((crd['status'] as Json)?.acceptedNames ?? {}, 'status.acceptedNames', out)
    return out
  },
  generation: (crd) => crd['spec'] as unknown,
  warnings: definitionWarnings,
  unconditionalUpdate: false,
}
