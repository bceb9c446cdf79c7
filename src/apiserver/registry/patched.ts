/** What comes out of a patch is decoded as strictly as what comes over the wire. */
import type { Call, PatchType, Target } from '../contract.ts'
import { DecodeError } from '../../machinery/codec/error.ts'
import { setOwn } from '../../machinery/codec/exact.ts'
import { type Emptied, normalize, type Kept } from '../../machinery/codec/normalize.ts'
import { invalid } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { parseApiVersion } from '../../machinery/object.ts'
import { goText } from '../../machinery/patch/value.ts'
import { errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { warn } from './core.ts'
import { patchedText } from './patched-text.ts'
import { copyJson } from './json.ts'

/** A write of the status cannot change the spec: what the patch left alone stays the stored one. */
const SPEC: ReadonlySet<string> = new Set(['spec'])

/**
 * A private copy of a patched object in canonical form; a spec that a write of the status left alone is shared with
 * `before`. `body`, the decoded patch, is shown in errors.
 * @throws StatusError 422 for values of a wrong type, 400 for unknown fields when the call wants them refused
 */
export function decodePatched(
  call: Call,
  target: Target,
  after: unknown,
  before: KubeObject | undefined,
  typeName: string | undefined,
  type: PatchType,
  body: unknown,
): { object: KubeObject; emptied: readonly Emptied[] | undefined } {
  if (after === null || typeof after !== 'object' || Array.isArray(after)) {
    throw errors.badRequest('the patched object is not an object')
  }
  const { object, unknown, emptied } =
    typeName === undefined
      ? custom(target, after as KubeObject)
      : builtin(
          after as KubeObject,
          typeName,
          type,
          body,
          before !== undefined && target.subresource === 'status' ? { from: before, names: SPEC } : undefined,
        )
  const { metadata } = object
  if (metadata === undefined || metadata === null || typeof metadata !== 'object') object.metadata = {}
  if (unknown.length === 0 || call.fieldValidation === 'Ignore') return { object, emptied }
  const texts = unknown.map((path) => `unknown field ${JSON.stringify(path)}`)
  if (call.fieldValidation === 'Strict') throw errors.badRequest(`strict decoding error: ${texts.join(', ')}`)
  for (const text of texts) warn(call, text)
  return { object, emptied }
}

interface Decoded {
  readonly object: KubeObject
  readonly unknown: readonly string[]
  readonly emptied?: readonly Emptied[] | undefined
}

function custom(target: Target, after: KubeObject): Decoded {
  const object = copyJson(after)
  return { object, unknown: target.resource.custom?.unknownFields(object) ?? [] }
}

/** What upstream keeps as the bytes that were sent has sorted members after it went through a map. */
const REVISION = 'io.k8s.api.apps.v1.ControllerRevision'

function sortedMembers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedMembers)
  if (value === null || typeof value !== 'object' || JSON.isRawJSON(value)) return value
  const out: Record<string, unknown> = {}
  for (const key of Object.keys(value).sort()) setOwn(out, key, sortedMembers((value as never)[key]))
  return out
}

function builtin(after: KubeObject, typeName: string, type: PatchType, body: unknown, kept: Kept | undefined): Decoded {
  const shown = () =>
    type === 'json' || type === 'merge' ? patchedText(after, type, body, typeTable.type(typeName)) : goText(body)
  if (type === 'json' || type === 'merge') checkKind(after, shown)
  try {
    const { object, unknown, emptied } = normalize(
      after,
      typeTable.type(typeName),
      kept,
      type === 'strategic' || type === 'apply',
    )
    if (typeName === REVISION && (type !== 'merge' || Object.hasOwn((body ?? {}) as object, 'data'))) {
      if (type !== 'json') object['data'] = sortedMembers(object['data'])
    }
    return { object: object as KubeObject, unknown, emptied }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    if (type === 'apply') throw inconvertible(after, error.message)
    throw unfit(shown(), error.message)
  }
}

/** Upstream has no reason for what apply cannot make an object of. */
function inconvertible({ apiVersion = '', kind = '', metadata }: KubeObject, why: string): Error {
  const gvk = `${apiVersion.includes('/') ? '' : '/'}${apiVersion}, Kind=${kind}`
  return errors.unknown(
    `failed to convert new object (/${metadata?.name ?? ''}; ${gvk}) to proper version: unable to convert unstructured object to ${gvk}: ${why}`,
  )
}

/** @throws StatusError 422 when the patched object says that it is of a kind that there is not */
function checkKind({ kind, apiVersion }: KubeObject, shown: () => string): void {
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return
  const gv = parseApiVersion(apiVersion)
  if (gv !== undefined && typeTable.kind(gv.group, gv.version, kind) !== undefined) return
  const text = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`
  throw unfit(shown(), text)
}

function unfit(shown: string, why: string): Error {
  return errors.invalid({ group: '', kind: '' }, '', [invalid('patch', shown, why)])
}
