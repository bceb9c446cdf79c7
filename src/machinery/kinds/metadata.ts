/** What every object's `metadata` must be: `k8s.io/apimachinery/pkg/api/validation`'s rules and texts. */
import { DecodeError } from '../codec/error.ts'
import { normalize } from '../codec/normalize.ts'
import { child, forbidden, index, invalid, notSupported, required, tooLong } from '../field.ts'
import type { FieldError } from '../field.ts'
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLongName,
  isPathSegmentName,
  isQualifiedName,
} from '../names.ts'
import type { KubeObject, ObjectMeta, OwnerReference } from '../object.ts'
import { parseApiVersion } from '../object.ts'
import { typeTable } from '../types/index.ts'
import { each, immutable, nonNegative } from './checks.ts'
import type { Errors } from './checks.ts'
import type { NameRule } from './contract.ts'
import { entriesOf, listOf } from './json.ts'
import type { Json } from './json.ts'
import { labels } from './labels.ts'

/** What is asked of an object's metadata. */
export interface MetadataRules {
  readonly namespaced: boolean
  /** @default 'dns1123subdomain' */
  readonly nameRule?: NameRule | ((name: string) => string[])
  /**
   * Whether finalizers without a domain must be one of Kubernetes' own: true for the core, apps and rbac groups and
   * others whose upstream strategies ask for it. Custom resources and CustomResourceDefinitions do not.
   * @default true
   */
  readonly legacyFinalizers?: boolean
}

/** 256 KiB over all keys and values. */
const ANNOTATIONS_LIMIT = 256 * 1024
const STANDARD_FINALIZERS = ['kubernetes', 'orphan', 'foregroundDeletion']

const NAME_CHECKS: Readonly<Record<NameRule, (name: string) => string[]>> = {
  dns1123subdomain: isDns1123Subdomain,
  longname: isLongName,
  dns1123label: isDns1123Label,
  dns1035label: isDns1035Label,
  path: isPathSegmentName,
}

/** A generateName is checked as a name whose last dash stands for the suffix to come. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
}

/** Everything wrong with the metadata of a new object; the name has been generated already where it was asked for. */
export function validateMetadata(meta: ObjectMeta, rules: MetadataRules): FieldError[] {
  const out: Errors = []
  const rule = rules.nameRule ?? 'dns1123subdomain'
  const check = typeof rule === 'function' ? rule : NAME_CHECKS[rule]
  if (meta.generateName && rule !== 'longname') {
    const shown = meta.generateName
    each(check(rule === 'path' ? shown : maskTrailingDash(shown)), 'metadata.generateName', shown, out)
  }
  if (!meta.name) out.push(required('metadata.name', 'name or generateName is required'))
  else each(check(meta.name), 'metadata.name', meta.name, out)
  if (!rules.namespaced) {
    if (meta.namespace) out.push(forbidden('metadata.namespace', 'not allowed on this type'))
  } else if (!meta.namespace) out.push(required('metadata.namespace'))
  else each(isDns1123Label(meta.namespace), 'metadata.namespace', meta.namespace, out)
  nonNegative(meta.generation, 'metadata.generation', out)
  labels(meta.labels, 'metadata.labels', out)
  annotations(meta.annotations, 'metadata.annotations', out)
  ownerReferences(meta.ownerReferences ?? [], 'metadata.ownerReferences', out)
  finalizers(meta.finalizers ?? [], out)
  managedFields(meta.managedFields ?? [], out)
  if (rules.legacyFinalizers !== false) kubeFinalizers(meta.finalizers ?? [], out)
  return out
}

/** What an update may not do to metadata, and the parts that are checked again. */
export function validateMetadataUpdate(meta: ObjectMeta, old: ObjectMeta, legacyFinalizers = true): FieldError[] {
  const out: Errors = []
  if (old.deletionTimestamp !== undefined) noNewFinalizers(meta.finalizers ?? [], old.finalizers ?? [], out)
  if (!meta.resourceVersion) {
    out.push(invalid('metadata.resourceVersion', meta.resourceVersion ?? '', 'must be specified for an update'))
  }
  nonNegative(meta.generation, 'metadata.generation', out)
  if ((meta.generation ?? 0) < (old.generation ?? 0)) {
    out.push(invalid('metadata.generation', meta.generation ?? 0, 'must not be decremented'))
  }
  immutable(meta.name, old.name, 'metadata.name', out, meta.name ?? '')
  immutable(meta.namespace, old.namespace, 'metadata.namespace', out, meta.namespace ?? '')
  immutable(meta.uid, old.uid, 'metadata.uid', out, meta.uid ?? '')
  immutable(meta.creationTimestamp, old.creationTimestamp, 'metadata.creationTimestamp', out)
  immutable(meta.deletionTimestamp, old.deletionTimestamp, 'metadata.deletionTimestamp', out)
  const grace = 'metadata.deletionGracePeriodSeconds'
  immutable(meta.deletionGracePeriodSeconds, old.deletionGracePeriodSeconds, grace, out)
  labels(meta.labels, 'metadata.labels', out)
  annotations(meta.annotations, 'metadata.annotations', out)
  ownerReferences(meta.ownerReferences ?? [], 'metadata.ownerReferences', out)
  managedFields(meta.managedFields ?? [], out)
  if (legacyFinalizers) kubeFinalizers(meta.finalizers ?? [], out)
  return out
}

const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Everything wrong with the metadata of an object inside another one, which may be of any shape. */
export function validateEmbeddedMetadata(value: unknown, path: string): FieldError[] {
  let meta: ObjectMeta
  try {
    meta = normalize(value, typeTable.type(OBJECT_META)).object as ObjectMeta
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return [invalid(path, value, error.message)]
  }
  const rules = { namespaced: (meta.namespace ?? '') !== '', nameRule: 'path', legacyFinalizers: false } as const
  const found = validateMetadata({ ...meta, name: meta.name || 'fakename' }, rules)
  return found.map((error) => ({ ...error, field: path + error.field.slice('metadata'.length) }))
}

/** Everything wrong with a map of labels. */
export function validateLabelMap(map: Readonly<Record<string, string>>, path: string): FieldError[] {
  const out: Errors = []
  labels(map, path, out)
  return out
}

/** Everything wrong with a map of annotations. */
export function validateAnnotationMap(map: Readonly<Record<string, string>>, path: string): FieldError[] {
  const out: Errors = []
  annotations(map, path, out)
  return out
}

/** Keys are qualified names in any case; all together hold at most 256 KiB. */
export function annotations(map: Json, path: string, out: Errors): void {
  let size = 0
  for (const [name, value] of entriesOf(map)) {
    each(isQualifiedName(name.toLowerCase()), path, name, out)
    size += Buffer.byteLength(name) + Buffer.byteLength(String(value))
  }
  if (size > ANNOTATIONS_LIMIT) out.push(tooLong(path, ANNOTATIONS_LIMIT))
}

function ownerReferences(list: readonly OwnerReference[], path: string, out: Errors): void {
  let first = ''
  list.forEach((reference, i) => {
    const at = index(path, i)
    const gv = parseApiVersion(reference.apiVersion ?? '')
    if (!reference.apiVersion) out.push(required(child(at, 'apiVersion'), 'must not be empty'))
    else if (gv === undefined) {
      out.push(invalid(child(at, 'apiVersion'), reference.apiVersion, 'must be <group>/<version> or <version>'))
    }
    if (!reference.kind) out.push(required(child(at, 'kind'), 'must not be empty'))
    if (!reference.name) out.push(required(child(at, 'name'), 'must not be empty'))
    if (!reference.uid) out.push(required(child(at, 'uid'), 'must not be empty'))
    if (reference.apiVersion === 'v1' && reference.kind === 'Event') {
      out.push(invalid(at, shownReference(reference), '/v1, Kind=Event is disallowed from being an owner'))
    }
    if (reference.controller !== true) return
    const current = `${reference.kind}/${reference.name}`
    if (first === '') first = current
    else {
      const detail = `Only one reference can have Controller set to true. Found "true" in references for ${first} and ${current}`
      out.push(invalid(path, list.map(shownReference), detail))
    }
  })
}

/** In the field order that Go writes. */
function shownReference(reference: OwnerReference): OwnerReference {
  const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = reference
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(controller === undefined ? {} : { controller }),
    ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
  }
}

function finalizers(list: readonly string[], out: Errors): void {
  for (const finalizer of list) each(isQualifiedName(finalizer), 'metadata.finalizers', finalizer, out)
  if (list.includes('orphan') && list.includes('foregroundDeletion')) {
    const detail = 'finalizer orphan and foregroundDeletion cannot be both set'
    out.push(invalid('metadata.finalizers', list, detail))
  }
}

function kubeFinalizers(list: readonly string[], out: Errors): void {
  list.forEach((finalizer, i) => kubeFinalizer(finalizer, index('metadata.finalizers', i), out))
}

/** Takes what a write of the `status` subresource may not change of metadata from the stored object. */
export function keepMetadata(object: KubeObject, old: KubeObject): void {
  for (const field of ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const) {
    delete object.metadata[field]
    if (old.metadata[field] !== undefined) Object.assign(object.metadata, { [field]: old.metadata[field] })
  }
}

/** A finalizer without a domain must be one of Kubernetes' own. */
export function kubeFinalizer(finalizer: string, path: string, out: Errors): void {
  if (finalizer.includes('/') || STANDARD_FINALIZERS.includes(finalizer)) return
  out.push(invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'))
}

/** What is told of new finalizers of custom resources, sorted. */
export function finalizerWarnings(
  list: readonly string[] | undefined,
  old: readonly string[] | undefined,
): readonly string[] {
  if (list === undefined) return []
  const out: string[] = []
  for (const name of [...new Set(list)].filter((finalizer) => old?.includes(finalizer) !== true).toSorted()) {
    const of = `metadata.finalizers: ${JSON.stringify(name)}:`
    for (const message of isQualifiedName(name)) out.push(`${of} ${message}`)
    if (name.includes('/') || STANDARD_FINALIZERS.includes(name)) continue
    const path = name.includes('.') ? ' including a path (/)' : ''
    const why = 'to avoid accidental conflicts with other finalizer writers'
    out.push(`${of} prefer a domain-qualified finalizer name${path} ${why}`)
  }
  return out
}

function noNewFinalizers(list: readonly string[], old: readonly string[], out: Errors): void {
  const extra = [...new Set(list)].filter((finalizer) => !old.includes(finalizer)).sort()
  if (extra.length === 0) return
  const shown = `[]string{${extra.map((f) => JSON.stringify(f)).join(', ')}}`
  const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${shown}`
  out.push(forbidden('metadata.finalizers', detail))
}

function managedFields(list: Json, out: Errors): void {
  listOf(list).forEach((fields, i) => {
    const at = index('metadata.managedFields', i)
    if (!fields.operation) out.push(required(child(at, 'operation'), 'must not be empty'))
    else if (fields.operation !== 'Apply' && fields.operation !== 'Update') {
      out.push(notSupported(child(at, 'operation'), fields.operation, ['Apply', 'Update']))
    }
    if (fields.fieldsType && fields.fieldsType !== 'FieldsV1') {
      out.push(invalid(child(at, 'fieldsType'), fields.fieldsType, 'must be `FieldsV1`'))
    }
    if (Buffer.byteLength(String(fields.manager ?? '')) > 128) out.push(tooLong(child(at, 'manager'), 128))
    if (Buffer.byteLength(String(fields.subresource ?? '')) > 256) out.push(tooLong(child(at, 'subresource'), 256))
  })
}
