/**
 * Validation by the type table: required fields, enums, limits and name formats, in upstream's words. It is what
 * kinds without rules of their own get; `metadata` and `status` are not looked at.
 */
import { type FieldError, child, index, invalid, key, notSupported, required, tooLong, tooMany } from '../field.ts'
import { isDns1123Label, isDns1123Subdomain, isPathSegmentName, isQualifiedName } from '../names.ts'
import { typeTable } from './index.ts'
import type { FieldInfo, TypeInfo } from './table.ts'

type JsonObject = { readonly [key: string]: unknown }

/** Fields that the published schema calls required, but whose empty value upstream takes. */
const MAY_BE_EMPTY: ReadonlySet<string> = new Set([
  'io.k8s.api.certificates.v1.PodCertificateRequestSpec.stubPKCS10Request',
  'io.k8s.api.core.v1.HTTPHeader.value',
  'io.k8s.api.core.v1.LimitRangeSpec.limits',
  'io.k8s.api.core.v1.Sysctl.value',
  'io.k8s.api.storage.v1.CSINodeSpec.drivers',
  'io.k8s.api.storage.v1.TokenRequest.audience',
])
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** What is wrong with a normalised object of a built-in kind. */
export function validateByTable(object: JsonObject, typeName: string): FieldError[] {
  const out: FieldError[] = []
  const type = typeTable.type(typeName)
  for (const field of type.fields) {
    if (field.name !== 'status' && field.name !== 'metadata') checkField(object, type, field, '', out)
  }
  return out
}

function checkStruct(value: unknown, type: TypeInfo, path: string, out: FieldError[]): void {
  if (type.special !== undefined || type.name === OBJECT_META) return
  if (typeof value !== 'object' || value === null) return
  for (const field of type.fields) checkField(value as JsonObject, type, field, path, out)
}

function checkField(owner: JsonObject, type: TypeInfo, field: FieldInfo, parent: string, out: FieldError[]): void {
  const value = owner[field.name]
  const path = child(parent, field.name)
  if (isAbsent(value, field)) {
    if (field.required && mustBeSet(field) && !MAY_BE_EMPTY.has(`${type.name}.${field.name}`)) out.push(required(path))
    return
  }
  switch (field.container) {
    case 'none':
      checkValue(value, field, path, out)
      return
    case 'list':
      checkList(value as readonly unknown[], field, path, out)
      return
    default:
      for (const [name, item] of Object.entries(value as JsonObject)) checkElement(item, field, key(path, name), out)
  }
}

function isAbsent(value: unknown, field: FieldInfo): boolean {
  if (value === undefined || value === null) return true
  if (field.container === 'list') return (value as readonly unknown[]).length === 0
  return value === '' && !field.pointer
}

/** A zero number, bool or struct is as good as any other value; an empty text or list says that it was left out. */
function mustBeSet(field: FieldInfo): boolean {
  return field.pointer || field.container !== 'none' || field.kind === 'string' || field.kind === 'bytes'
}

function checkList(values: readonly unknown[], field: FieldInfo, path: string, out: FieldError[]): void {
  if (field.maxItems !== undefined && values.length > field.maxItems) {
    out.push(tooMany(path, values.length, field.maxItems))
    return
  }
  for (let i = 0; i < values.length; i++) checkElement(values[i], field, index(path, i), out)
}

/** Limits of a list or map field are about the list; its elements have an enum at most. */
function checkElement(value: unknown, field: FieldInfo, path: string, out: FieldError[]): void {
  if (field.kind === 'object') checkStruct(value, typeTable.type(field.type!), path, out)
  else if (field.enum !== undefined && !field.enum.includes(value as string)) {
    out.push(notSupported(path, value, field.enum))
  }
}

function checkValue(value: unknown, field: FieldInfo, path: string, out: FieldError[]): void {
  if (field.kind === 'object') checkStruct(value, typeTable.type(field.type!), path, out)
  else if (typeof value === 'string') checkText(value, field, path, out)
  else if (typeof value === 'number') {
    const { minimum, maximum } = field
    if (minimum !== undefined && value < minimum) {
      out.push(invalid(path, value, `must be greater than or equal to ${minimum}`))
    }
    if (maximum !== undefined && value > maximum) {
      out.push(invalid(path, value, `must be less than or equal to ${maximum}`))
    }
  }
}

function checkText(value: string, field: FieldInfo, path: string, out: FieldError[]): void {
  if (field.enum !== undefined && !field.enum.includes(value)) {
    out.push(notSupported(path, value, field.enum))
    return
  }
  if (field.maxLength !== undefined && Buffer.byteLength(value) > field.maxLength) {
    out.push(tooLong(path, field.maxLength))
    return
  }
  if (field.minLength !== undefined && value.length < field.minLength) {
    out.push(invalid(path, value, `must be at least ${field.minLength} characters`))
  }
  const rule = field.format === undefined ? undefined : FORMATS.get(field.format)
  for (const why of rule?.(value) ?? []) out.push(invalid(path, value, why))
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** `format` markers and their rules. */
const FORMATS: ReadonlyMap<string, (value: string) => readonly string[]> = new Map([
  ['k8s-short-name', isDns1123Label],
  ['k8s-long-name', isDns1123Subdomain],
  ['k8s-long-name-caseless', (value) => isDns1123Subdomain(value.toLowerCase())],
  ['k8s-label-key', isQualifiedName],
  ['k8s-prefixed-label-key', prefixed],
  ['k8s-resource-fully-qualified-name', prefixed],
  ['k8s-extended-resource-name', extendedResource],
  ['k8s-path-segment-name', (value) => isPathSegmentName(value)],
  ['k8s-resource-pool-name', poolName],
  ['k8s-uuid', (value) => (UUID.test(value) ? [] : ['must be a lowercase UUID in 8-4-4-4-12 format'])],
])

function prefixed(value: string): readonly string[] {
  return value.includes('/')
    ? isQualifiedName(value)
    : ["a name must be a domain-prefixed path, such as 'example.com/my-prop'"]
}

function extendedResource(value: string): readonly string[] {
  const out: string[] = []
  if (!value.includes('/')) out.push("a name must be a domain-prefixed path, such as 'example.com/my-prop'")
  else if (value.includes('kubernetes.io/')) out.push('must not have "kubernetes.io/" domain')
  if (value.startsWith('requests.')) out.push('must not have "requests." prefix')
  return [...out, ...isQualifiedName(`requests.${value}`)]
}

function poolName(value: string): readonly string[] {
  return value.split('/').flatMap((part, i) => {
    if (part === '') return [`segment ${i}: must not be empty`]
    return isDns1123Subdomain(part).map((why) => `segment ${i}: ${why}`)
  })
}
