/** Rendered OpenAPI documents with their hashes. Those of built-in group versions are shared by the whole process. */
import { createHash } from 'node:crypto'
import { HEAD_V2, documentV3, encodeMembersV2, encodeV2, encodeV3, partsV2 } from '../../machinery/openapi/index.ts'
import type { Published } from '../../machinery/openapi/index.ts'
import type { SchemaProps } from '../../machinery/schema/index.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { ServedResource } from '../contract.ts'

export interface Rendered {
  readonly body: Buffer
  /** The same in protobuf, made when it is first asked for. */
  protobuf(): Buffer
  /** Upper-case hex. */
  readonly hash: string
}

const hashOf = (...parts: readonly (Buffer | string)[]): string => {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').toUpperCase()
}

function published(resource: ServedResource): Published {
  const schema = resource.custom?.schema
  return schema === undefined ? { info: resource.info } : { info: resource.info, schema: schema as SchemaProps }
}

/** Documents by the first resource of their group version: shared where the resources are. */
const rendered = new WeakMap<ServedResource, { resources: readonly ServedResource[]; document: Rendered }>()

/** The version 3 document of one group version. */
export function renderV3(resources: readonly ServedResource[]): Rendered {
  const first = resources[0]!
  const known = rendered.get(first)
  if (known !== undefined && sameList(known.resources, resources)) return known.document
  const body = Buffer.from(JSON.stringify(documentV3(typeTable, resources.map(published))))
  let protobuf: Buffer | undefined
  const document = {
    body,
    protobuf: () => (protobuf ??= encodeV3(JSON.parse(body.toString()) as object)),
    hash: hashOf(body),
  }
  rendered.set(first, { resources, document })
  return document
}

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

interface PiecesV2 {
  /** The members of `definitions` and `paths`, without braces. */
  readonly definitions: Buffer
  readonly paths: Buffer
  readonly names: ReadonlySet<string>
  readonly hash: string
  /** Both in protobuf, made at each call. */
  encoded(): EncodedV2
}

interface EncodedV2 {
  readonly definitions: Buffer
  readonly paths: Buffer
}

function members(record: Readonly<Record<string, unknown>>, without: ReadonlySet<string>): string {
  return Object.entries(record)
    .filter(([name]) => !without.has(name))
    .map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
    .join(',')
}

function pieces(resources: readonly ServedResource[], without: ReadonlySet<string>): PiecesV2 {
  const { schemas, paths } = partsV2(typeTable, resources.map(published))
  const definitions = Buffer.from(members(schemas, without))
  const routes = Buffer.from(members(paths, new Set()))
  return {
    definitions,
    paths: routes,
    names: new Set(Object.keys(schemas)),
    hash: hashOf(definitions, routes),
    encoded: () => ({
      definitions: encodeMembersV2('Definitions', JSON.parse(`{${definitions.toString()}}`) as object),
      paths: encodeMembersV2('Paths', JSON.parse(`{${routes.toString()}}`) as object),
    }),
  }
}

let builtins: { resources: readonly ServedResource[]; pieces: PiecesV2 } | undefined

function builtinPieces(resources: readonly ServedResource[]): PiecesV2 {
  if (builtins === undefined || !sameList(builtins.resources, resources)) {
    const made = pieces(resources, new Set())
    let encoded: EncodedV2 | undefined
    builtins = { resources, pieces: { ...made, encoded: () => (encoded ??= made.encoded()) } }
  }
  return builtins.pieces
}

/** The version 2 document of a cluster: built-ins are rendered once for all clusters, custom resources are spliced in. */
export class DocumentV2 {
  readonly hash: string
  readonly #builtin: PiecesV2
  readonly #custom: PiecesV2 | undefined

  constructor(all: readonly ServedResource[]) {
    const custom = all.filter((r) => r.custom !== undefined)
    this.#builtin = builtinPieces(custom.length === 0 ? all : all.filter((r) => r.custom === undefined))
    this.#custom = custom.length === 0 ? undefined : pieces(custom, this.#builtin.names)
    this.hash = this.#custom === undefined ? this.#builtin.hash : hashOf(this.#builtin.hash, this.#custom.hash)
  }

  has(name: string): boolean {
    return this.#builtin.names.has(name) || this.#custom?.names.has(name) === true
  }

  /** The whole text. Put together at each call: it is too large to be kept for each cluster. */
  body(): Buffer {
    const head = JSON.stringify(HEAD_V2).slice(0, -1)
    const parts = [Buffer.from(`${head},"paths":{`), this.#builtin.paths]
    if (this.#custom !== undefined) parts.push(Buffer.from(','), this.#custom.paths)
    parts.push(Buffer.from('},"definitions":{'), this.#builtin.definitions)
    if (this.#custom !== undefined && this.#custom.definitions.length > 0)
      parts.push(Buffer.from(','), this.#custom.definitions)
    parts.push(Buffer.from('}}'))
    return Buffer.concat(parts)
  }

  /** The whole in protobuf. Built-ins are encoded once for all clusters. */
  protobuf(): Buffer {
    const parts = [this.#builtin.encoded()]
    if (this.#custom !== undefined) parts.push(this.#custom.encoded())
    return encodeV2(
      HEAD_V2,
      parts.map((one) => one.paths),
      parts.map((one) => one.definitions),
    )
  }
}
