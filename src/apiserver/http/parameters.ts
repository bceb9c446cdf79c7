/** Options of verbs, read from the query or the body and validated with upstream's texts. */
import { forbidden, invalid, notSupported, required, tooLong } from '../../machinery/field.ts'
import type { FieldError } from '../../machinery/field.ts'
import { errors } from '../../machinery/status.ts'
import type { DeleteOptions, ListCall, WatchCall } from '../contract.ts'
import type { Query } from './query.ts'

function check(kind: string, list: readonly FieldError[]): void {
  if (list.length > 0) throw errors.invalid({ group: 'meta.k8s.io', kind }, '', list)
}

function selection(query: Query): ListCall {
  const limit = query.integer('limit')
  const names = ['labelSelector', 'fieldSelector', 'continue', 'resourceVersion', 'resourceVersionMatch'] as const
  const call: { -readonly [K in keyof ListCall]: ListCall[K] } = {}
  for (const name of names) {
    const value = query.get(name)
    if (value !== undefined && value !== '') call[name] = value
  }
  if (limit !== undefined && limit > 0) call.limit = limit
  return call
}

/** Options of a list or deletecollection; the registry validates them. @throws StatusError 400 */
export function listOptions(query: Query): ListCall {
  const call: ListCall & { sendInitialEvents?: boolean } = selection(query)
  const initial = query.flag('sendInitialEvents')
  if (initial !== undefined) call.sendInitialEvents = initial
  // A list has no time-out of its own, but the number must be one.
  query.integer('timeoutSeconds')
  return call
}

/** Options of a watch; the registry validates them. @throws StatusError 400 */
export function watchOptions(query: Query): WatchCall {
  const call: { -readonly [K in keyof WatchCall]: WatchCall[K] } = selection(query)
  const initial = query.flag('sendInitialEvents')
  const bookmarks = query.flag('allowWatchBookmarks')
  const timeout = query.integer('timeoutSeconds')
  if (initial !== undefined) call.sendInitialEvents = initial
  if (bookmarks !== undefined) call.allowWatchBookmarks = bookmarks
  if (timeout !== undefined && timeout > 0) call.timeoutSeconds = timeout
  return call
}

export interface WriteOptions {
  readonly dryRun: boolean
  readonly fieldManager?: string
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict'
  readonly force?: boolean
  /** What of these the client said itself. */
  readonly given: Readonly<Record<string, string>>
}

function dryRunErrors(values: readonly string[]): FieldError[] {
  return values.every((v) => v === 'All') ? [] : [notSupported('dryRun', values, ['All'])]
}

function managerErrors(manager: string): FieldError[] {
  const found: FieldError[] = []
  if (Buffer.byteLength(manager) > 128) found.push(tooLong('fieldManager', 128))
  let position = 0
  for (const rune of manager) {
    if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(rune)) {
      const code = `U+${rune.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
      found.push(invalid('fieldManager', manager, `invalid character ${code} (at position ${position})`))
    }
    position += Buffer.byteLength(rune)
  }
  return found
}

/** `kubectl/v1.37.1 (linux/amd64) …` → `kubectl`, as upstream names a manager that does not name itself. */
export function managerOf(userAgent: string | undefined): string | undefined {
  if (userAgent === undefined) return undefined
  const slash = userAgent.indexOf('/')
  const prefix = slash < 0 ? userAgent : userAgent.slice(0, slash)
  if (prefix.length <= 128 && /^[ -~]+$/.test(prefix)) return prefix
  let text = ''
  for (const rune of prefix) {
    if (/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(rune)) continue
    if (text.length + rune.length > 128) break
    text += rune
  }
  return text === '' ? undefined : text
}

/** Options of create, update and patch. @throws StatusError 422 */
export function writeOptions(
  query: Query,
  kind: 'CreateOptions' | 'UpdateOptions' | 'PatchOptions',
  userAgent: string | undefined,
  apply = false,
): WriteOptions {
  const named = query.get('fieldManager') ?? ''
  const force = query.flag('force')
  const dryRun = query.all('dryRun').filter((v) => v !== '')
  const validation = query.get('fieldValidation') ?? ''
  const found: FieldError[] = []
  if (kind === 'PatchOptions') {
    if (apply && named === '') found.push(required('fieldManager', 'is required for apply patch'))
    if (!apply && force !== undefined) found.push(forbidden('force', 'may not be specified for non-apply patch'))
  }
  found.push(...managerErrors(named), ...dryRunErrors(dryRun))
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation))
    found.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']))
  check(kind, found)
  const manager = named === '' ? managerOf(userAgent) : named
  return {
    dryRun: dryRun.length > 0,
    given: {
      ...(named === '' ? {} : { fieldManager: named }),
      ...(validation === '' ? {} : { fieldValidation: validation }),
    },
    fieldValidation: validation === '' ? 'Warn' : (validation as WriteOptions['fieldValidation']),
    ...(manager === undefined ? {} : { fieldManager: manager }),
    ...(force === undefined ? {} : { force }),
  }
}

export interface DeleteRequest extends DeleteOptions {
  readonly dryRun: boolean
  /** The deprecated `orphanDependents: false` asks for 202 while the object is pending. */
  readonly orphanDependents?: boolean
}

const POLICIES = ['Foreground', 'Background', 'Orphan']

function wrongType(field: string, want: string): never {
  throw errors.badRequest(`json: cannot unmarshal into Go struct field DeleteOptions.${field} of type ${want}`)
}

function optionalString(from: object, field: string): string | undefined {
  const value: unknown = Object.hasOwn(from, field) ? (from as Record<string, unknown>)[field] : undefined
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'string') wrongType(field, 'string')
  return value
}

function fromBody(body: Record<string, unknown>): DeleteFields {
  const fields: DeleteFields = {}
  const own = (name: string): unknown => (Object.hasOwn(body, name) ? (body[name] ?? undefined) : undefined)
  const grace = own('gracePeriodSeconds')
  if (grace !== undefined) {
    if (typeof grace === 'bigint') fields.gracePeriodSeconds = Number(grace)
    else if (typeof grace === 'number' && Number.isInteger(grace)) fields.gracePeriodSeconds = grace
    else wrongType('gracePeriodSeconds', 'int64')
  }
  const policy = optionalString(body, 'propagationPolicy')
  if (policy !== undefined) fields.propagationPolicy = policy
  const orphan = own('orphanDependents')
  if (orphan !== undefined) {
    if (typeof orphan !== 'boolean') wrongType('orphanDependents', 'bool')
    fields.orphanDependents = orphan
  }
  const preconditions = own('preconditions')
  if (preconditions !== undefined) {
    if (typeof preconditions !== 'object' || Array.isArray(preconditions))
      wrongType('preconditions', 'v1.Preconditions')
    const uid = optionalString(preconditions as object, 'uid')
    const resourceVersion = optionalString(preconditions as object, 'resourceVersion')
    fields.preconditions = {
      ...(uid === undefined ? {} : { uid }),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    }
  }
  const dryRun = own('dryRun')
  if (dryRun !== undefined) {
    if (!Array.isArray(dryRun) || !dryRun.every((v) => typeof v === 'string')) wrongType('dryRun', '[]string')
    fields.dryRun = dryRun as string[]
  }
  return fields
}

interface DeleteFields {
  gracePeriodSeconds?: number
  propagationPolicy?: string
  orphanDependents?: boolean
  preconditions?: { uid?: string; resourceVersion?: string }
  dryRun?: readonly string[]
}

function fromQuery(query: Query): DeleteFields {
  const fields: DeleteFields = { dryRun: query.all('dryRun').filter((v) => v !== '') }
  const grace = query.integer('gracePeriodSeconds')
  const policy = query.get('propagationPolicy')
  const orphan = query.flag('orphanDependents')
  const uid = query.get('uid')
  const resourceVersion = query.get('resourceVersion')
  if (grace !== undefined) fields.gracePeriodSeconds = grace
  if (policy !== undefined && policy !== '') fields.propagationPolicy = policy
  if (orphan !== undefined) fields.orphanDependents = orphan
  if (uid !== undefined) fields.preconditions = { uid }
  if (resourceVersion !== undefined) fields.preconditions = { ...fields.preconditions, resourceVersion }
  return fields
}

/**
 * Options of a delete: the body's when there is one, else the query's.
 * @throws StatusError 400, 422
 */
export function deleteOptions(query: Query, body: Record<string, unknown> | undefined): DeleteRequest {
  const fields = body === undefined ? fromQuery(query) : fromBody(body)
  const found: FieldError[] = []
  const { propagationPolicy: policy, orphanDependents: orphan, dryRun = [] } = fields
  if (orphan !== undefined && policy !== undefined) {
    const why = 'orphanDependents and deletionPropagation cannot be both set'
    found.push(invalid('propagationPolicy', policy, why))
  }
  if (policy !== undefined && !POLICIES.includes(policy))
    found.push(notSupported('propagationPolicy', policy, [...POLICIES, 'nil']))
  found.push(...dryRunErrors(dryRun))
  check('DeleteOptions', found)
  const chosen = policy ?? (orphan === undefined ? undefined : orphan ? 'Orphan' : 'Background')
  return {
    dryRun: dryRun.length > 0,
    ...(fields.gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds: fields.gracePeriodSeconds }),
    ...(chosen === undefined ? {} : { propagationPolicy: chosen as 'Orphan' | 'Background' | 'Foreground' }),
    ...(fields.preconditions === undefined ? {} : { preconditions: fields.preconditions }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
  }
}
