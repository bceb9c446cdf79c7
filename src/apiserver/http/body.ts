/** Bodies of resource requests: objects, patches and delete options, with the field validation that was asked for. */
import { decodeBody, type ExpectedKind } from '../../machinery/codec/body.ts'
import { DecodeError } from '../../machinery/codec/error.ts'
import { type Decoded, decodeJsonBytes, jsonTypeOf } from '../../machinery/codec/json.ts'
import { decodeYaml } from '../../machinery/codec/yaml.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors, StatusError } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import { Unreadable } from '../contract.ts'
import type { Catalog, PatchType, Target } from '../contract.ts'
import { hasMany, mayHoldMany, noteShaped, parsed, placeOf } from '../large/many.ts'
import { onThread } from '../large/thread.ts'
import { type Sent, decodeObject, kindOf } from './object.ts'
import type { WriteOptions } from './parameters.ts'
import type { Reply } from './reply.ts'

/** Applies the field validation to what the decoder found. @throws StatusError 400 when strict */
function judge(
  problems: readonly string[],
  write: WriteOptions,
  reply: Reply,
  of?: { version: string; kind: string },
): void {
  if (problems.length === 0 || write.fieldValidation === 'Ignore') return
  if (write.fieldValidation === 'Strict') {
    const what = of === undefined ? '' : `${of.kind} in version "${of.version}" cannot be handled as a ${of.kind}: `
    throw errors.badRequest(`${what}strict decoding error: ${problems.join(', ')}`)
  }
  reply.warnings.push(...problems)
}

/** Bytes of a body from which on its verb gives way to others between its steps. */
const LARGE = 64 * 1024

async function bodyOf(reply: Reply, limit: number): Promise<Buffer> {
  const bytes = await reply.exchange.body(limit)
  reply.received = bytes.length
  if (bytes.length >= LARGE) {
    reply.large = true
    const turn = reply.seat?.turn()
    if (turn !== undefined) await turn
  }
  return bytes
}

/**
 * The object in the body of a create or update.
 * @param now milliseconds since the epoch
 * @throws StatusError 400, 413, 415
 */
export async function objectBody(
  reply: Reply,
  target: Target,
  write: WriteOptions,
  limit: number,
  now: number,
): Promise<KubeObject> {
  const bytes = await bodyOf(reply, limit)
  const mediaType = reply.exchange.headers['content-type'] ?? ''
  const unknown = write.fieldValidation !== 'Ignore'
  const sent = mayHoldMany(bytes, mediaType)
    ? await manyMembers(reply, bytes, mediaType, target, unknown, now)
    : decodeObject(bytes, mediaType, target, unknown)
  if (sent.emptied !== undefined) reply.emptied = sent.emptied
  judge(sent.problems, write, reply, kindOf(target))
  return sent.object
}

/** Decodes on the helper thread. */
async function manyMembers(
  reply: Reply,
  bytes: Buffer,
  mediaType: string,
  target: Target,
  unknown: boolean,
  now: number,
): Promise<Sent> {
  const input = { place: placeOf(target), bytes: new Uint8Array(bytes), mediaType, unknown, now }
  const { text, problems, emptied } = await onThread(reply.seat, 'decode', input)
  reply.large = reply.many = hasMany(text)
  const object = await parsed<KubeObject>(text, reply.seat)
  noteShaped(target, object)
  return { object, problems, emptied }
}

const PATCHES: ReadonlyMap<string, PatchType> = new Map([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
])

/** The type of a patch by its Content-Type. Custom resources have no strategic merge. @throws StatusError 415 */
export function patchType(contentType: string | undefined, target: Target): PatchType {
  const media = (contentType ?? '').split(';', 1)[0]!.trim().toLowerCase()
  const type = PATCHES.get(media)
  const custom = target.resource.custom !== undefined && target.subresource !== 'scale'
  if (type === undefined || (type === 'strategic' && custom)) {
    const supported = [...PATCHES.keys()].filter((name) => !custom || PATCHES.get(name) !== 'strategic')
    throw custom ? errors.unsupportedMediaType(supported) : errors.unroutable(415, 'Unsupported Media Type')
  }
  return type
}

const MAX_OPERATIONS = 10_000

/** The decoded body of a patch; {@link Unreadable} when it is none. @throws StatusError 400, 413 */
export async function patchBody(reply: Reply, type: PatchType, write: WriteOptions, limit: number): Promise<unknown> {
  const bytes = await bodyOf(reply, limit)
  try {
    return await patchOf(bytes, reply, type, write)
  } catch (error) {
    // An apply may make the object; the others are read once there is one.
    if (type !== 'apply' && error instanceof StatusError) return new Unreadable(error)
    throw error
  }
}

async function patchOf(bytes: Buffer, reply: Reply, type: PatchType, write: WriteOptions): Promise<unknown> {
  const { value, problems } = mayHoldMany(bytes, type === 'apply' ? 'application/yaml' : 'application/json')
    ? await patchOfMany(reply, bytes, type)
    : decodePatch(bytes, type)
  if (type === 'json') {
    if (!Array.isArray(value))
      throw errors.badRequest(
        'error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp',
      )
    if (value.length > MAX_OPERATIONS)
      throw errors.requestEntityTooLarge(
        `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${value.length}`,
      )
  } else if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const what = `json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type map[string]interface {}`
    throw errors.badRequest(
      type === 'strategic'
        ? what
        : `error decoding patch: ${type === 'apply' ? 'error unmarshaling JSON: while decoding JSON: ' : ''}${what}`,
    )
  }
  const found = type === 'apply' ? problems.map((text) => `error converting YAML to JSON: ${text}`) : problems
  if (write.fieldValidation === 'Strict' && found.length > 0) {
    const what = type === 'apply' ? '' : 'strict decoding error: '
    throw errors.badRequest(`error strict decoding patch: ${what}${found.join(', ')}`)
  }
  judge(found, write, reply)
  return value
}

async function patchOfMany(reply: Reply, bytes: Buffer, type: PatchType): Promise<Decoded> {
  const input = { bytes: new Uint8Array(bytes), type }
  const { text, problems } = await onThread(reply.seat, 'decodePatch', input)
  reply.large = reply.many = hasMany(text)
  return { value: await parsed<unknown>(text, reply.seat), problems }
}

/** @throws StatusError 400 */
export function decodePatch(bytes: Buffer, type: PatchType): Decoded {
  try {
    return type === 'apply' ? decodeYaml(bytes.toString('utf8')) : decodeJsonBytes(bytes)
  } catch (error) {
    if (error instanceof DecodeError) throw errors.badRequest(`error decoding patch: ${error.message}`)
    throw error
  }
}

/**
 * The DeleteOptions in a body, undefined when there is none. Clients write them in the group version of the object,
 * that of a custom resource too.
 *
 * @throws StatusError 400, 413, 415
 */
export async function optionsBody(
  reply: Reply,
  catalog: Pick<Catalog, 'hasGroupVersion'>,
  limit: number,
): Promise<Record<string, unknown> | undefined> {
  const bytes = await reply.exchange.body(limit)
  reply.received = bytes.length
  if (bytes.length === 0) return undefined
  const type = typeTable.kind('', 'v1', 'DeleteOptions')
  const expected: ExpectedKind = {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'DeleteOptions',
    options: true,
    also: (group, version) => catalog.hasGroupVersion(group, version),
  }
  return decodeBody(bytes, reply.exchange.headers['content-type'] ?? '', type, expected).object
}
