/** OpenAPI of a cluster with remote group versions. */
import { createHash } from 'node:crypto'
import { encodeMembersV2, encodeV2 } from '../../machinery/openapi/index.ts'
import type { Document, Documents } from '../http/contract.ts'
import { Query } from '../http/query.ts'
import { answerV3, type OpenApiDocuments } from '../openapi/documents.ts'
import type { MoreV2, Rendered } from '../openapi/rendered.ts'
import type { RemoteService } from './apiservice.ts'
import type { SpecV2 } from './remote-openapi.ts'

export interface RemoteSpecs {
  readonly empty: boolean
  readonly generation: number
  all(): Iterable<RemoteService>
  url(remote: RemoteService): string | undefined
  /** The version 3 document of `apis/G/V`, where its server has none of its own. */
  converted(path: string): Rendered | undefined
  specs(): SpecV2[]
}

const V3 = '/openapi/v3/'
const APIS = `${V3}apis/`
const NONE = new Query('')
const JSON_ONLY = { accept: 'application/json' }

interface Merged {
  readonly generation: number
  readonly own: string
  readonly hash: string
  body(): Document['body']
  /** What is remote in protobuf, to be put behind what is here: messages one behind the other are one. */
  protobuf?(): Buffer
}

/** Documents of `inner`, as they are while there is nothing remote. */
export function mergedOpenApi(inner: OpenApiDocuments, remotes: RemoteSpecs): Documents {
  let index: Merged | undefined
  let spec: Merged | undefined

  const fresh = (merged: Merged | undefined, own: string): Merged | undefined =>
    merged?.generation === remotes.generation && merged.own === own ? merged : undefined

  function indexNow(): Merged {
    const own = inner.find('/openapi/v3', NONE, JSON_ONLY)!
    const tag = own.headers['etag'] ?? ''
    const known = fresh(index, tag)
    if (known !== undefined) return known
    const { paths } = JSON.parse((own.body as Buffer).toString()) as { paths: Record<string, object> }
    for (const remote of remotes.all()) {
      const url = remotes.url(remote)
      if (url !== undefined) paths[`apis/${remote.group}/${remote.version}`] = { serverRelativeURL: url }
    }
    const body = Buffer.from(JSON.stringify({ paths }))
    return (index = { generation: remotes.generation, own: tag, hash: hashOf(body), body: () => body })
  }

  function specNow(): Merged {
    // The version of what is here, without its text.
    const own = inner.find('/openapi/v2', NONE, JSON_ONLY)!.headers['etag'] ?? ''
    const known = fresh(spec, own)
    if (known !== undefined) return known
    const parts = mergeSpecs(remotes.specs(), (name) => inner.hasDefinition(name))
    const hash = hashOf(own, parts.paths, parts.definitions)
    const body = (): Iterable<Buffer> => inner.specV2(parts)
    const members = (text: string) => JSON.parse(`{${text}}`) as object
    const protobuf = (): Buffer =>
      encodeV2(
        {},
        [encodeMembersV2('Paths', members(parts.paths))],
        [encodeMembersV2('Definitions', members(parts.definitions))],
      )
    return (spec = { generation: remotes.generation, own, hash, body, protobuf })
  }

  function answer(merged: Merged, own: Document, headers: Readonly<Record<string, string>>): Document {
    const common = { etag: `"${merged.hash}"`, vary: 'Accept' }
    if (headers['if-none-match'] === common.etag) return { status: 304, headers: common, body: '' }
    const type = own.headers['content-type'] ?? JSON_ONLY.accept
    const body = type === JSON_ONLY.accept ? merged.body() : behind(own.body, merged.protobuf!())
    return { status: 200, headers: { ...common, 'content-type': type }, body }
  }

  return {
    find(path, query, headers): Document | undefined {
      if (!remotes.empty && path.startsWith(APIS)) {
        const name = path.slice(V3.length)
        const converted = remotes.converted(name)
        if (converted !== undefined) return answerV3(name, query, headers, converted)
      }
      const v3 = path === '/openapi/v3' || path === '/openapi/v3/'
      const merged = !remotes.empty && (v3 || path === '/openapi/v2')
      // What the client has is compared with the merged document.
      const own = inner.find(path, query, merged ? { ...headers, 'if-none-match': '' } : headers)
      if (!merged || own === undefined) return own
      return answer(v3 ? indexNow() : specNow(), own, headers)
    },
  }
}

const hashOf = (...parts: readonly (Buffer | string)[]): string => {
  const hash = createHash('sha512')
  for (const part of parts) hash.update(part)
  return hash.digest('hex').toUpperCase()
}

function* behind(own: Document['body'], more: Buffer): Generator<Buffer> {
  if (typeof own === 'string' || Buffer.isBuffer(own)) yield Buffer.from(own)
  else yield* own
  yield more
}

/**
 * Definitions of the same name: those that this server has too are its own types or custom resources. Kubernetes' own
 * are the same everywhere; another one gets a name of its own, in everything that refers to it.
 */
export function mergeSpecs(specs: readonly SpecV2[], isOwn: (name: string) => boolean): MoreV2 {
  const taken = new Map<string, string>()
  const paths: string[] = []
  const definitions: string[] = []
  for (const spec of specs) {
    const renamed = new Map<string, string>()
    const kept: [string, string][] = []
    for (const [name, text] of spec.definitions) {
      if (isOwn(name) && name.startsWith('io.k8s.')) continue
      const other = taken.get(name)
      if (other === text) continue
      if (!isOwn(name) && other === undefined) {
        taken.set(name, text)
        kept.push([name, text])
        continue
      }
      let next = 2
      while (isOwn(`${name}_v${next}`) || taken.has(`${name}_v${next}`)) next++
      renamed.set(name, `${name}_v${next}`)
      taken.set(`${name}_v${next}`, text)
      kept.push([`${name}_v${next}`, text])
    }
    const led = (text: string): string =>
      renamed.size === 0
        ? text
        : text.replaceAll(/"\$ref":"#\/definitions\/([^"]+)"/g, (whole, name: string) =>
            renamed.has(name) ? `"$ref":"#/definitions/${renamed.get(name)}"` : whole,
          )
    for (const [name, text] of kept) definitions.push(`${JSON.stringify(name)}:${led(text)}`)
    for (const [path, text] of spec.paths) paths.push(`${JSON.stringify(path)}:${led(text)}`)
  }
  return { paths: paths.join(','), definitions: definitions.join(',') }
}
