/** CustomResourceDefinitions. */
import { child, forbidden, index, invalid, key as keyed, notSupported, required, tooMany } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1035Label, isDns1123Subdomain } from '../../names.ts'
import { each, immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entry, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { validateSchema } from './schema.ts'
import { validateStructural } from './structural.ts'

const APPROVED = 'api-approved.kubernetes.io'
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string']
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']
const REVIEW_VERSIONS = ['v1', 'v1beta1']

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

function validate(crd: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = crd.spec ?? {}
  const names: Json = spec.names ?? {}
  if (old === undefined && crd.metadata.name !== `${String(names.plural ?? '')}.${String(spec.group ?? '')}`) {
    out.push(invalid('metadata.name', crd.metadata.name ?? '', 'must be spec.names.plural+"."+spec.group'))
  }
  group(spec.group ?? '', out)
  const scope: string = spec.scope ?? ''
  if (scope === '') out.push(required('spec.scope'))
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    out.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']))
  }
  versions(spec, old?.spec, out)
  for (const field of ['plural', 'singular', 'kind', 'listKind']) {
    if (!names[field]) out.push(required(`spec.names.${field}`))
  }
  validateNames(names, 'spec.names', out)
  hoisted(spec, old?.spec, out)
  conversion(spec.conversion, old === undefined || !isTrue(old, 'Established'), out)
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

function versions(spec: Json, old: Json, out: Errors): void {
  const list = listOf(spec.versions)
  list.forEach((version, i) => {
    if (!isSet(version.schema?.openAPIV3Schema)) {
      out.push(required(`spec.versions[${i}].schema.openAPIV3Schema`))
    }
  })
  const seen = new Set<string>()
  let storage = 0
  let twice = false
  list.forEach((version, i) => {
    const at = index('spec.versions', i)
    if (version.storage) storage++
    twice ||= seen.has(version.name)
    seen.add(version.name)
    const messages = isDns1035Label(version.name ?? '')
    if (messages.length > 0) out.push(invalid(child(at, 'name'), version.name ?? '', messages.join(',')))
    deprecation(version, child(at, 'deprecationWarning'), out)
    for (const [field] of SHARED) {
      if (!isShared(spec, field)) part(field, version, listOf(old?.versions), child(at, field), out)
    }
  })
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
    Schema: moved(version, 'schema'),
    Subresources: moved(version, 'subresources'),
    AdditionalPrinterColumns: moved(version, 'additionalPrinterColumns'),
    SelectableFields: moved(version, 'selectableFields'),
  }))
  return invalid('spec.versions', shown.length === 0 ? null : shown, detail)
}

function hoisted(spec: Json, old: Json, out: Errors): void {
  const first: Json = listOf(spec.versions)[0]
  if (first === undefined) return
  for (const [field, shown] of SHARED) {
    if (isShared(spec, field)) part(field, first, listOf(old?.versions), child('spec', shown), out)
  }
}

function part(field: string, version: Json, old: readonly Json[], path: string, out: Errors): void {
  const value: Json = version[field]
  if (!isSet(value)) return
  const before: Json = old.find((v) => v.name === version.name)?.[field]
  if (isSet(before) && same(before, value)) return
  if (field === 'schema') schema(version, path, out)
  else if (field === 'subresources') scale(value.scale, child(path, 'scale'), out)
  else if (field === 'additionalPrinterColumns') {
    listOf(value).forEach((column, i) => printerColumn(column, index(path, i), out))
  } else selectableFields(value, version.schema?.openAPIV3Schema, path, out)
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

function schema(version: Json, path: string, out: Errors): void {
  const root: Json = version.schema.openAPIV3Schema
  const at = child(path, 'openAPIV3Schema')
  if (!isSet(root)) return
  if (isSet(version.subresources?.status)) {
    const why = 'at the root of the schema if the status subresource is enabled'
    if (root.type && root.type !== 'object') {
      out.push(invalid(`${at}.type`, root.type, `only "object" is allowed as the type ${why}`))
    } else if (Object.keys(root as object).some((field) => isSet(root[field]) && !ROOT_WITH_STATUS.includes(field))) {
      out.push(invalid(at, root, `only ${ROOT_SHOWN} fields are allowed ${why}`))
    }
  }
  if (root.nullable) out.push(forbidden(`${at}.nullable`, 'nullable cannot be true at the root'))
  out.push(...validateStructural(root, at))
  validateSchema(root, at, out)
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

function printerColumn(column: Json, path: string, out: Errors): void {
  if (!column.name) out.push(required(child(path, 'name')))
  const types = `must be one of ${COLUMN_TYPES.join(',')}`
  if (!column.type) out.push(required(child(path, 'type'), types))
  else if (!COLUMN_TYPES.includes(column.type)) out.push(invalid(child(path, 'type'), column.type, types))
  if (column.format && !COLUMN_FORMATS.includes(column.format)) {
    out.push(invalid(child(path, 'format'), column.format, `must be one of ${COLUMN_FORMATS.join(',')}`))
  }
  if (!column.jsonPath) out.push(required(child(path, 'JSONPath')))
  else simplePath(column.jsonPath, child(path, 'JSONPath'), out)
}

function simplePath(text: string, path: string, out: Errors): boolean {
  if (text.startsWith('.')) return true
  out.push(invalid(path, text, 'must be a simple json path starting with .'))
  return false
}

function scale(value: Json, path: string, out: Errors): void {
  if (!isSet(value)) return
  for (const [field, prefix] of [
    ['specReplicasPath', '.spec.'],
    ['statusReplicasPath', '.status.'],
  ] as const) {
    const text: string = value[field] ?? ''
    const at = child(path, field)
    if (text === '') out.push(required(at))
    else if (simplePath(text, at, out) && !text.startsWith(prefix)) {
      out.push(invalid(at, text, `should be a json path under ${prefix.slice(0, -1)}`))
    }
  }
  const selector: Json = value.labelSelectorPath
  if (!selector) return
  const at = child(path, 'labelSelectorPath')
  if (!simplePath(selector, at, out)) return
  if (!selector.startsWith('.spec.') && !selector.startsWith('.status.')) {
    out.push(invalid(at, selector, 'should be a json path under either .spec or .status'))
  }
}

const SCALARS = ['string', 'boolean', 'integer']
const STEP = /^\.([A-Za-z_][A-Za-z0-9_]*)/

function selectableFields(list: Json, root: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach((field, i) => {
    const text: string = field.jsonPath ?? ''
    const at = child(index(path, i), 'jsonPath')
    if (text === '') {
      out.push(required(at))
      return
    }
    const found = schemaAt(text, root)
    if (typeof found === 'string') {
      out.push(invalid(at, text, `is an invalid path: ${found}`))
      return
    }
    if (text.startsWith('.metadata')) out.push(invalid(at, text, 'must not point to fields in metadata'))
    if (!SCALARS.includes(found.type)) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'
      out.push(invalid(at, text, detail))
    }
    if (seen.has(text)) {
      out.push({ type: 'FieldValueDuplicate', field: at, message: `Duplicate value: ${JSON.stringify(text)}` })
    }
    seen.add(text)
  })
  if (seen.size > 8) out.push(tooMany(path, seen.size, 8))
}

/** The schema that a dotted path leads to, or why there is none. */
function schemaAt(text: string, root: Json): Json {
  let rest = text
  let current: Json = root
  while (rest !== '') {
    const step = STEP.exec(rest)
    if (step === null) return `expected a dotted path, but got ${JSON.stringify(rest)}`
    current = entry(current?.properties, step[1]!)
    if (current === undefined) return 'does not refer to a valid field'
    rest = rest.slice(step[0].length)
  }
  return current
}

function conversion(value: Json, anyBundle: boolean, out: Errors): void {
  if (!isSet(value)) return
  const path = 'spec.conversion'
  const config = child(path, 'webhookClientConfig')
  const reviews = child(path, 'conversionReviewVersions')
  const strategy: string = value.strategy ?? ''
  if (strategy === '') out.push(required(child(path, 'strategy')))
  else if (strategy !== 'None' && strategy !== 'Webhook') {
    out.push(notSupported(child(path, 'strategy'), strategy, ['None', 'Webhook']))
  }
  const webhook: Json = value.webhook
  const versionList: readonly string[] = listOf(webhook?.conversionReviewVersions)
  if (strategy !== 'Webhook') {
    const detail = 'should not be set when strategy is not set to Webhook'
    if (isSet(webhook?.clientConfig)) out.push(forbidden(config, detail))
    if (versionList.length > 0) out.push(forbidden(reviews, detail))
    return
  }
  clientConfig(webhook?.clientConfig, config, anyBundle, out)
  if (versionList.length === 0) {
    out.push(required(reviews))
    return
  }
  versionList.forEach((version, i) => {
    if (versionList.indexOf(version) < i) out.push(invalid(index(reviews, i), version, 'duplicate version'))
    else each(isDns1035Label(version), index(reviews, i), version, out)
  })
  if (!versionList.some((version) => REVIEW_VERSIONS.includes(version))) {
    out.push(invalid(reviews, versionList, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`))
  }
}

function clientConfig(config: Json, path: string, anyBundle: boolean, out: Errors): void {
  if (!isSet(config)) {
    out.push(required(path, 'required when strategy is set to Webhook'))
    return
  }
  const { url, service, caBundle } = config
  if (isSet(url) === isSet(service)) out.push(required(path, 'exactly one of url or service is required'))
  else if (isSet(url)) webhookUrl(url, child(path, 'url'), out)
  else {
    const at = child(path, 'service')
    if (!service.name) out.push(required(child(at, 'name'), 'service name is required'))
    if (!service.namespace) out.push(required(child(at, 'namespace'), 'service namespace is required'))
    if ((service.port ?? 443) < 1 || (service.port ?? 443) > 65535) {
      const detail = 'port is not valid: must be between 1 and 65535, inclusive'
      out.push(invalid(child(at, 'port'), service.port, detail))
    }
  }
  if (!caBundle || anyBundle) return
  if (!Buffer.from(String(caBundle), 'base64').toString('latin1').includes('-----BEGIN CERTIFICATE-----')) {
    const detail = 'unable to load root certificates: unable to parse bytes as PEM block'
    out.push(invalid(child(path, 'caBundle'), caBundle, detail))
  }
}

function webhookUrl(text: string, path: string, out: Errors): void {
  const form = '; desired format: https://host[/path]'
  if (!URL.canParse(text)) {
    out.push(required(path, `url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI${form}`))
    return
  }
  const url = new URL(text)
  if (url.protocol !== 'https:') {
    out.push(invalid(path, url.protocol.slice(0, -1), `'https' is the only allowed URL scheme${form}`))
  }
  if (url.host === '') out.push(invalid(path, url.host, `host must be specified${form}`))
  if (url.username !== '' || url.password !== '') {
    out.push(invalid(path, url.username, 'user information is not permitted in the URL'))
  }
  if (url.hash !== '') out.push(invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'))
  if (url.search !== '') {
    out.push(invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'))
  }
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
  for (const version of listOf(crd.spec?.versions)) {
    if (version.storage && !stored.includes(version.name)) {
      out.push(invalid(path, stored, `must have the storage version ${String(version.name)}`))
    }
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
  validate,
  validateStatus: (crd) => {
    const out: Errors = []
    validateNames((crd['status'] as Json)?.acceptedNames ?? {}, 'status.acceptedNames', out)
    return out
  },
  generation: (crd) => crd['spec'] as unknown,
  unconditionalUpdate: false,
}
