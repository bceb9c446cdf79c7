/** The AdmissionReview that a webhook answers: read with the types of Go's decoder, then checked as upstream does. */
import { DecodeError } from '../../../machinery/codec/error.ts'
import { jsonTypeOf } from '../../../machinery/codec/json.ts'
import { normalize } from '../../../machinery/codec/normalize.ts'
import { canonicalBase64 } from '../../../machinery/codec/scalars.ts'
import { isObject } from '../../../machinery/patch/value.ts'
import type { Status } from '../../../machinery/status.ts'
import { typeTable } from '../../../machinery/types/index.ts'

/** What counts of an answer. */
export interface Verdict {
  readonly allowed: boolean
  readonly status: Partial<Status> | undefined
  /** JSON patch as JSON text; empty: none. */
  readonly patch: Buffer
  readonly patchType: string
  readonly warnings: readonly string[]
  readonly annotations: ReadonlyMap<string, string>
}

type Json = Readonly<Record<string, unknown>>

const STATUS = 'io.k8s.apimachinery.pkg.apis.meta.v1.Status'
const NO_PATCH = Buffer.alloc(0)
/** Warnings and annotations that are taken, of each. */
const MAX_NOTES = 256

export interface Expected {
  readonly uid: string
  readonly version: 'v1' | 'v1beta1'
  readonly mutating: boolean
}

/** @throws DecodeError for values of wrong types; InvalidAnswer */
export function verdictOf(review: Json, { uid, version, mutating }: Expected): Verdict {
  const kind = text(review, 'kind', 'AdmissionReview.kind')
  const apiVersion = text(review, 'apiVersion', 'AdmissionReview.apiVersion')
  const other = version === 'v1' ? 'v1beta1' : 'v1'
  if (kind === 'AdmissionReview' && apiVersion === `admission.k8s.io/${other}`) {
    const [from, to] = [`${other}.AdmissionReview`, `${version}.AdmissionReview`]
    throw new DecodeError(`converting (${from}) to (${to}): unknown conversion`)
  }
  const response = member(review, 'response')
  if (response === undefined) throw new InvalidAnswer('webhook response was absent')
  if (!isObject(response)) throw wrongType(response, 'AdmissionReview.response', 'v1.AdmissionResponse')
  const read = decode(response)
  if (version === 'v1beta1') {
    const patch = mutating ? read.patch : NO_PATCH
    return { ...read, patch, patchType: patch.length > 0 ? 'JSONPatch' : '' }
  }
  if (read.uid !== uid) {
    throw new InvalidAnswer(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(read.uid)}`)
  }
  const got = `${apiVersion.includes('/') ? apiVersion : `/${apiVersion}`}, Kind=${kind}`
  const want = 'admission.k8s.io/v1, Kind=AdmissionReview'
  if (got !== want) throw new InvalidAnswer(`expected webhook response of ${want}, got ${got}`)
  checkPatch(read, mutating)
  return { ...read, patchType: read.patchType ?? '' }
}

/** It is well-formed and cannot be meant. */
export class InvalidAnswer extends Error {}

function checkPatch({ patch, patchType }: Read, mutating: boolean): void {
  if (!mutating) {
    if (patch.length > 0) throw new InvalidAnswer('validating webhook may not return response.patch')
    if (patchType !== undefined) throw new InvalidAnswer('validating webhook may not return response.patchType')
    return
  }
  if (patch.length > 0 && patchType === undefined) {
    throw new InvalidAnswer('webhook returned response.patch but not response.patchType')
  }
  if (patch.length === 0 && patchType !== undefined) {
    throw new InvalidAnswer('webhook returned response.patchType but not response.patch')
  }
  if (patchType === '') throw new InvalidAnswer('webhook returned invalid response.patchType of ""')
}

interface Read extends Omit<Verdict, 'patchType'> {
  readonly uid: string
  readonly patchType: string | undefined
}

const PATH = 'AdmissionResponse.response'

function decode(response: Json): Read {
  const allowed = member(response, 'allowed') ?? false
  if (typeof allowed !== 'boolean') throw wrongType(allowed, `${PATH}.allowed`, 'bool')
  const patchType = member(response, 'patchType')
  const patch = text(response, 'patch', `${PATH}.patch`, '[]uint8')
  return {
    uid: text(response, 'uid', `${PATH}.uid`, 'types.UID'),
    allowed,
    status: statusOf(member(response, 'status')),
    patch: patch === '' ? NO_PATCH : Buffer.from(canonicalBase64(patch), 'base64'),
    patchType: patchType === undefined ? undefined : text(response, 'patchType', `${PATH}.patchType`, 'v1.PatchType'),
    warnings: warningsOf(member(response, 'warnings')),
    annotations: annotationsOf(member(response, 'auditAnnotations')),
  }
}

function statusOf(value: unknown): Partial<Status> | undefined {
  if (value === undefined) return undefined
  if (!isObject(value)) throw wrongType(value, `${PATH}.status`, 'v1.Status')
  return normalize(value, typeTable.type(STATUS)).object as Partial<Status>
}

function warningsOf(value: unknown): string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw wrongType(value, `${PATH}.warnings`, '[]string')
  return value.slice(0, MAX_NOTES).map((each: unknown) => {
    if (typeof each !== 'string') throw wrongType(each, `${PATH}.warnings`, 'string')
    return each
  })
}

function annotationsOf(value: unknown): ReadonlyMap<string, string> {
  const out = new Map<string, string>()
  if (value === undefined) return out
  if (!isObject(value)) throw wrongType(value, `${PATH}.auditAnnotations`, 'map[string]string')
  for (const key of Object.keys(value)) {
    const each = value[key]
    if (typeof each !== 'string') throw wrongType(each, `${PATH}.auditAnnotations`, 'string')
    if (out.size < MAX_NOTES) out.set(key, each)
  }
  return out
}

/** Null is absent, as in Go. */
function member(object: Json, name: string): unknown {
  return Object.hasOwn(object, name) ? (object[name] ?? undefined) : undefined
}

function text(object: Json, name: string, path: string, type = 'string'): string {
  const value = member(object, name) ?? ''
  if (typeof value !== 'string') throw wrongType(value, path, type)
  return value
}

function wrongType(value: unknown, path: string, type: string): DecodeError {
  return new DecodeError(`json: cannot unmarshal ${jsonTypeOf(value)} into Go struct field ${path} of type ${type}`)
}
