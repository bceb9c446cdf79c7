/** Request bodies: from bytes to an object of the expected kind, with upstream's errors. */
import { invalid } from '../field.ts'
import type { KubeObject } from '../object.ts'
import { parseApiVersion } from '../object.ts'
import { type StatusError, errors } from '../status.ts'
import { typeTable } from '../types/index.ts'
import type { TypeInfo } from '../types/table.ts'
import { DecodeError, unknownField } from './error.ts'
import { type Decoded, decodeJsonBytes, jsonTypeOf, strictProblems } from './json.ts'
import { BODY_MEDIA_TYPES, type BodyFormat, CUSTOM_BODY_MEDIA_TYPES, formatOf } from './media.ts'
import { type Emptied, type JsonObject, normalize } from './normalize.ts'
import { decodeEnvelope, decodeMessage } from './protobuf.ts'
import { decodeYaml } from './yaml.ts'

/** What a request must hold. */
export interface ExpectedKind {
  readonly apiVersion: string
  readonly kind: string
  /** Whether another version's group holds the same type too: that of options stands in every group. @default no */
  also?(group: string, version: string): boolean
  /** Options, for which a verb knows no other kind; errors do not say what was decoded. @default no */
  readonly options?: true
}

/** A decoded body. */
export interface DecodedBody {
  /** With `apiVersion` and `kind`; nobody else has it. */
  readonly object: KubeObject
  /**
   * What strict decoding says, in upstream's order: keys that stood more than once, fields that a built-in kind does
   * not have. The latter are not in `object`.
   */
  readonly problems: readonly string[]
  /** Of a custom resource: paths of fields that `metadata` does not have; upstream tells them last. */
  readonly unknownMetadata: readonly string[]
  /** See {@link Normalized}. */
  readonly emptied?: readonly Emptied[]
}

const NONE: readonly string[] = []
const SCHEME = 'pkg/runtime/scheme.go:111'

/**
 * Decodes the body of a create or update.
 *
 * @param mediaType the Content-Type header's value; empty means JSON.
 * @param type the kind's type; without one (a custom resource) only `metadata` is normalised.
 * @throws StatusError 415 for a media type that is not supported, 400 for everything else.
 */
export function decodeBody(
  bytes: Buffer,
  mediaType: string,
  type: TypeInfo | undefined,
  expected: ExpectedKind,
): DecodedBody {
  const format = formatOf(mediaType)
  if (format === undefined || (format === 'protobuf' && type === undefined)) {
    throw errors.unsupportedMediaType(format === 'protobuf' ? CUSTOM_BODY_MEDIA_TYPES : BODY_MEDIA_TYPES)
  }
  return new BodyDecoder(bytes, format, type, expected).decode()
}

class BodyDecoder {
  private readonly bytes: Buffer
  private readonly format: BodyFormat
  private readonly type: TypeInfo | undefined
  private readonly expected: ExpectedKind
  /** The kind that the body says, once known; errors name it. */
  private actual: ExpectedKind | undefined

  constructor(bytes: Buffer, format: BodyFormat, type: TypeInfo | undefined, expected: ExpectedKind) {
    this.bytes = bytes
    this.format = format
    this.type = type
    this.expected = expected
  }

  decode(): DecodedBody {
    try {
      return this.format === 'protobuf' ? this.fromProtobuf(this.type!) : this.fromText()
    } catch (error) {
      if (error instanceof DecodeError) throw this.refuse(error.message)
      throw error
    }
  }

  private fromText(): DecodedBody {
    const { value, problems } = this.read()
    const said = this.typeMeta(value)
    if (this.type === undefined) return this.custom(value, said, problems)
    this.accept(said)
    const input = (value ?? {}) as JsonObject
    // Set before, so that they stand in the order of the type.
    input['apiVersion'] = this.expected.apiVersion
    input['kind'] = this.expected.kind
    const { object, unknown, emptied } = normalize(input, this.type)
    const decoded = { object: withMetadata(object), problems: this.problems(problems, unknown), unknownMetadata: NONE }
    return emptied === undefined ? decoded : { ...decoded, emptied }
  }

  private problems(duplicates: readonly string[], unknown: readonly string[]): readonly string[] {
    if (unknown.length === 0) return duplicates
    const several = duplicates.length + unknown.length > 1
    if (several && this.format === 'json') return strictProblems(this.bytes.toString('utf8'), unknown)
    return [...duplicates, ...unknown.map(unknownField)]
  }

  private fromProtobuf(type: TypeInfo): DecodedBody {
    const envelope = decodeEnvelope(this.bytes)
    this.accept(envelope)
    const { apiVersion, kind } = this.expected
    const object = { kind, apiVersion, ...decodeMessage(envelope.raw, type) }
    return { object: withMetadata(object), problems: NONE, unknownMetadata: NONE }
  }

  private read(): Decoded {
    if (this.format === 'yaml') return decodeYaml(this.bytes.toString('utf8'))
    try {
      return decodeJsonBytes(this.bytes)
    } catch (error) {
      // Upstream looks for the kind first and fails there.
      if (error instanceof DecodeError) throw new DecodeError(`${NO_KIND}${error.message}`)
      throw error
    }
  }

  /** apiVersion and kind as the body says them; empty where it does not. */
  private typeMeta(value: unknown): { apiVersion: string; kind: string } {
    if (value === null) return { apiVersion: '', kind: '' }
    if (typeof value !== 'object' || Array.isArray(value) || JSON.isRawJSON(value)) {
      throw new DecodeError(`${NO_KIND}json: cannot unmarshal ${jsonTypeOf(value)} into Go value of type ${TYPE_META}`)
    }
    const { apiVersion, kind } = value as JsonObject
    return { apiVersion: metaText(apiVersion, 'apiVersion'), kind: metaText(kind, 'kind') }
  }

  /** @throws StatusError when the kind is another than the expected one. */
  private accept(said: { apiVersion: string; kind: string }): void {
    const kind = said.kind === '' ? this.expected.kind : said.kind
    const apiVersion = said.apiVersion === '' ? this.expected.apiVersion : said.apiVersion
    const gv = parseApiVersion(apiVersion)
    if (gv === undefined) throw new DecodeError(`unexpected GroupVersion string: ${apiVersion}`)
    this.actual = { apiVersion, kind }
    if (kind === this.expected.kind) {
      if (apiVersion === this.expected.apiVersion || this.expected.also?.(gv.group, gv.version) === true) return
    }
    const known = this.expected.options === undefined ? typeTable.kind(gv.group, gv.version, kind) : undefined
    if (known === undefined) {
      throw new DecodeError(`no kind "${kind}" is registered for version "${apiVersion}" in scheme "${SCHEME}"`)
    }
    // The options of every group version are one and the same type.
    if (known === this.type) return
    const group = parseApiVersion(this.expected.apiVersion)!.group
    if (kind === this.expected.kind && gv.group === group) throw this.wrongVersion(apiVersion)
    const internal = `${packageOf(group)}.${this.expected.kind}`
    throw new DecodeError(`converting (${gv.version}.${kind}) to (${internal}): unknown conversion`)
  }

  private wrongVersion(apiVersion: string): StatusError {
    return errors.badRequest(
      `the API version in the data (${apiVersion}) does not match the expected API version (${this.expected.apiVersion})`,
    )
  }

  /** A custom resource: upstream knows no type but that of `metadata`, and wants it to say what it is. */
  private custom(value: unknown, said: ExpectedKind, problems: readonly string[]): DecodedBody {
    if (said.kind === '') throw new DecodeError(`Object 'Kind' is missing in '${this.bytes.toString('utf8')}'`)
    this.actual = said
    const object = value as JsonObject
    const metadata = normalize(object['metadata'] ?? null, typeTable.type(OBJECT_META))
    object['metadata'] = metadata.object
    if (said.apiVersion !== this.expected.apiVersion) throw this.wrongVersion(said.apiVersion)
    if (said.kind !== this.expected.kind) {
      const group = parseApiVersion(said.apiVersion)!.group
      const why = invalid('kind', said.kind, `must be ${this.expected.kind}`)
      throw errors.invalid({ group, kind: said.kind }, textOf(metadata.object['name']), [why])
    }
    const unknownMetadata = metadata.unknown.map((path) => `metadata.${path}`)
    const decoded = { object: object as KubeObject, problems, unknownMetadata }
    if (metadata.emptied === undefined) return decoded
    return { ...decoded, emptied: metadata.emptied.map((e) => ({ ...e, path: ['metadata', ...e.path] })) }
  }

  private refuse(why: string): StatusError {
    if (this.expected.options !== undefined) return errors.badRequest(why)
    if (this.actual !== undefined) {
      const version = this.actual.apiVersion.split('/').at(-1)!
      return errors.badRequest(
        `${this.actual.kind} in version "${version}" cannot be handled as a ${this.expected.kind}: ${why}`,
      )
    }
    const summary = summarize(this.bytes)
    return errors.badRequest(
      `the object provided is unrecognized (must be of type ${this.expected.kind}): ${why} (${summary})`,
    )
  }
}

const NO_KIND = "couldn't get version/kind; json parse error: "
const OBJECT_META = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
const TYPE_META =
  'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'

function metaText(value: unknown, name: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  throw new DecodeError(
    `${NO_KIND}json: cannot unmarshal ${jsonTypeOf(value)} into Go struct field .${name} of type string`,
  )
}

/** Options have no metadata of their own; every object here has it. */
function withMetadata(object: JsonObject): KubeObject {
  object['metadata'] ??= {}
  return object as KubeObject
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** The name of upstream's internal package of a group. */
function packageOf(group: string): string {
  return group === '' ? 'core' : group.split('.')[0]!
}

const SUMMARY_LENGTH = 30

function summarize(bytes: Buffer): string {
  if (bytes.length === 0) return '<empty>'
  const tail = bytes.length > SUMMARY_LENGTH ? ' ...' : ''
  return bytes.toString(bytes[0] === 0x7b ? 'utf8' : 'hex', 0, SUMMARY_LENGTH) + tail
}
