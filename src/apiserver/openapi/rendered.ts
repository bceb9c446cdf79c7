/**
 * OpenAPI documents with their hashes. Those of built-in group versions are rendered once for the whole process. What
 * custom resources publish is rendered piece by piece when it is asked for; its hash needs no text.
 */
import { createHash } from 'node:crypto'
import {
  HEAD_V2,
  HEAD_V3,
  customParts,
  documentV3,
  encodeMembersV2,
  encodeV2,
  encodeV3,
  partsV2,
} from '../../machinery/openapi/index.ts'
import type { CustomParts, Published } from '../../machinery/openapi/index.ts'
import type { SchemaProps } from '../../machinery/schema/index.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { ServedResource } from '../contract.ts'

export interface Rendered {
  /** Upper-case hex. */
  readonly hash: string
  body(): Buffer | Iterable<Buffer>
  /** The same in protobuf. */
  protobuf(): Buffer | Iterable<Buffer>
}

const hashOf = (...parts: readonly (Buffer | string)[]): string => {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').toUpperCase()
}

function published(resource: ServedResource): Published {
  const { info, custom } = resource
  const schema = custom?.schema as SchemaProps | undefined
  const selectable = custom?.selectableFields ?? []
  return { info, ...(schema === undefined ? {} : { schema }), ...(selectable.length === 0 ? {} : { selectable }) }
}

/** Documents by the first resource of their group version: shared where the resources are. */
const rendered = new WeakMap<ServedResource, { resources: readonly ServedResource[]; document: Rendered }>()

/** The version 3 document of one group version. */
export function renderV3(resources: readonly ServedResource[]): Rendered {
  const first = resources[0]!
  const known = rendered.get(first)
  if (known !== undefined && sameList(known.resources, resources)) return known.document
  const document = first.custom === undefined ? builtinV3(resources) : customV3(resources)
  rendered.set(first, { resources, document })
  return document
}

function builtinV3(resources: readonly ServedResource[]): Rendered {
  const body = Buffer.from(JSON.stringify(documentV3(typeTable, resources.map(published))))
  let protobuf: Buffer | undefined
  return {
    hash: hashOf(body),
    body: () => body,
    protobuf: () => (protobuf ??= encodeV3(JSON.parse(body.toString()) as object)),
  }
}

function customV3(resources: readonly ServedResource[]): Rendered {
  const hash = hashOf('3', ...resources.map((resource) => resource.custom!.fingerprint))
  return { hash, body: () => piecesV3(resources), protobuf: () => encodedV3(resources) }
}

/** Messages one behind the other are one. */
function* encodedV3(resources: readonly ServedResource[]): Generator<Buffer> {
  const all = resources.map(published)
  const parts = customParts(typeTable, all, 3)
  yield encodeV3({ ...HEAD_V3, components: { schemas: parts.common } })
  for (const resource of all)
    yield encodeV3({ paths: parts.paths(resource), components: { schemas: parts.schemas(resource) } })
}

function* piecesV3(resources: readonly ServedResource[]): Generator<Buffer> {
  const all = resources.map(published)
  const parts = customParts(typeTable, all, 3)
  yield Buffer.from(`${JSON.stringify(HEAD_V3).slice(0, -1)},"paths":{`)
  yield* joined(all, (resource) => members(parts.paths(resource)))
  yield Buffer.from(`},"components":{"schemas":{${members(parts.common)}`)
  for (const resource of all) yield Buffer.from(`,${members(parts.schemas(resource))}`)
  yield Buffer.from('}}}')
}

function* joined(all: readonly Published[], text: (resource: Published) => string): Generator<Buffer> {
  let separator = ''
  for (const resource of all) {
    yield Buffer.from(separator + text(resource))
    separator = ','
  }
}

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

interface PiecesV2 {
  /** The members of `definitions` and `paths`, without braces. */
  readonly definitions: Buffer
  readonly paths: Buffer
  readonly names: ReadonlySet<string>
  readonly hash: string
  /** The whole in protobuf, in pieces; they are kept. */
  protobuf(): Iterable<Buffer>
}

function members(record: Readonly<Record<string, unknown>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join(',')
}

function pieces(resources: readonly ServedResource[]): PiecesV2 {
  const { schemas, paths } = partsV2(typeTable, resources.map(published))
  const definitions = Buffer.from(members(schemas))
  const routes = Buffer.from(members(paths))
  let protobuf: readonly Buffer[] | undefined
  return {
    definitions,
    paths: routes,
    names: new Set(Object.keys(schemas)),
    hash: hashOf(definitions, routes),
    // The objects are not kept for it: the text has all.
    *protobuf() {
      if (protobuf !== undefined) return yield* protobuf
      const made: Buffer[] = []
      for (const message of messagesV2(routes, definitions)) {
        made.push(message)
        yield message
      }
      protobuf = made
    },
  }
}

/** Members of one message. */
const STEP = 40

/** Messages one behind the other are one: others may have their turn in between. */
function* messagesV2(routes: Buffer, definitions: Buffer): Generator<Buffer> {
  yield encodeV2(HEAD_V2, [], [])
  for (const paths of portions(parsed(routes))) yield messageV2({}, paths, {})
  for (const schemas of portions(parsed(definitions))) yield messageV2({}, {}, schemas)
}

function* portions(record: object): Generator<object> {
  const entries = Object.entries(record)
  for (let i = 0; i < entries.length; i += STEP) yield Object.fromEntries(entries.slice(i, i + STEP))
}

const parsed = (text: Buffer): object => JSON.parse(`{${text.toString()}}`) as object

function messageV2(head: object, paths: object, definitions: object): Buffer {
  return encodeV2(head, [encodeMembersV2('Paths', paths)], [encodeMembersV2('Definitions', definitions)])
}

let builtins: { resources: readonly ServedResource[]; pieces: PiecesV2 } | undefined

function builtinPieces(resources: readonly ServedResource[]): PiecesV2 {
  if (builtins === undefined || !sameList(builtins.resources, resources)) {
    builtins = { resources, pieces: pieces(resources) }
  }
  return builtins.pieces
}

/** Members of `paths` and `definitions` from elsewhere, without braces. */
export interface MoreV2 {
  readonly paths: string
  readonly definitions: string
}

const NOTHING: MoreV2 = { paths: '', definitions: '' }

/** The version 2 document of a cluster: built-ins are rendered once for all clusters, custom resources are spliced in. */
export class DocumentV2 {
  readonly hash: string
  readonly #builtin: PiecesV2
  readonly #custom: readonly ServedResource[]
  #names: Set<string> | undefined

  constructor(all: readonly ServedResource[]) {
    this.#custom = all.filter((r) => r.custom !== undefined)
    this.#builtin = builtinPieces(this.#custom.length === 0 ? all : all.filter((r) => r.custom === undefined))
    const prints = this.#custom.map((resource) => resource.custom!.fingerprint)
    this.hash = prints.length === 0 ? this.#builtin.hash : hashOf(this.#builtin.hash, ...prints)
  }

  has(name: string): boolean {
    if (this.#builtin.names.has(name)) return true
    if (this.#custom.length === 0) return false
    const parts = customParts(typeTable, [], 2)
    this.#names ??= new Set(this.#custom.flatMap(({ info }) => parts.names(info)))
    return this.#names.has(name)
  }

  /** The whole text, made as it is read: it is too large to be kept for each cluster. */
  *body(more: MoreV2 = NOTHING): Generator<Buffer> {
    const all = this.#custom.map(published)
    const parts: CustomParts | undefined = all.length === 0 ? undefined : customParts(typeTable, all, 2)
    const separated = (text: string): Buffer => Buffer.from(text === '' ? '' : `,${text}`)
    yield Buffer.from(`${JSON.stringify(HEAD_V2).slice(0, -1)},"paths":{`)
    yield this.#builtin.paths
    for (const resource of all) yield separated(members(parts!.paths(resource)))
    yield separated(more.paths)
    yield Buffer.from('},"definitions":{')
    yield this.#builtin.definitions
    if (parts !== undefined) {
      const { names } = this.#builtin
      const missing = Object.entries(parts.common).filter(([name]) => !names.has(name))
      yield separated(members(Object.fromEntries(missing)))
      for (const resource of all) yield separated(members(parts.schemas(resource)))
    }
    yield separated(more.definitions)
    yield Buffer.from('}}')
  }

  /** The whole in protobuf: messages one behind the other are one. */
  *protobuf(): Generator<Buffer> {
    yield* this.#builtin.protobuf()
    if (this.#custom.length === 0) return
    const all = this.#custom.map(published)
    const parts = customParts(typeTable, all, 2)
    for (const resource of all) yield messageV2({}, parts.paths(resource), parts.schemas(resource))
  }
}
