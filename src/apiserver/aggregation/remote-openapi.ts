/**
 * The OpenAPI documents of the servers behind remote APIServices, kept by their ETags. For a server that has version 2
 * alone its document becomes one of version 3, which all of its group versions share, as upstream.
 */
import { createHash } from 'node:crypto'
import { urlOf } from '../openapi/documents.ts'
import { drive } from '../registry/steps.ts'
import type { RemoteService } from './apiservice.ts'
import { serviceKey } from './apiservice.ts'
import type { Backends } from './backend.ts'
import { convertedSpec, type ConvertedSpec } from './converted.ts'

const TIMEOUT = 10_000
/** Bytes of one document. */
const MAX_ANSWER = 2 * 1024 * 1024
/** Bytes of the version 3 document that is made of one. */
const MAX_CONVERTED = 4 * MAX_ANSWER
/** Bytes of documents that one cluster keeps. */
const MAX_KEPT = 16 * 1024 * 1024

/** Version 2 of what remote group versions of one service publish: members as JSON text. */
export interface SpecV2 {
  readonly paths: ReadonlyMap<string, string>
  readonly definitions: ReadonlyMap<string, string>
  readonly hash: string
}

interface Kept {
  indexTag: string | undefined
  /** Version 3: `apis/G/V` → URL. */
  index: ReadonlyMap<string, string>
  /** It has no version 3. */
  legacy: boolean
  specTag: string | undefined
  spec: SpecV2 | undefined
  converted: ConvertedSpec | undefined
  /** Of the answer that `spec` was cut out of. */
  answered: string
  /** What `spec` was cut out for, and whether it was to be converted. */
  wanted: string
  size: number
}

export class RemoteOpenApi {
  readonly #backends: Backends
  readonly #kept = new Map<string, Kept>()

  constructor(backends: Backends) {
    this.#backends = backends
  }

  /** The URL of a group version's document, as its server tells it, or here if it is made here. */
  url(remote: RemoteService): string | undefined {
    const kept = this.#kept.get(serviceKey(remote))
    const path = `apis/${remote.group}/${remote.version}`
    return kept?.converted === undefined ? kept?.index.get(path) : urlOf(path, kept.converted.hash)
  }

  /** The version 3 document of a group version whose server has version 2 alone. */
  converted(remote: RemoteService): ConvertedSpec | undefined {
    return this.#kept.get(serviceKey(remote))?.converted
  }

  specs(): SpecV2[] {
    return [...this.#kept.values()].flatMap(({ spec }) => (spec === undefined ? [] : [spec]))
  }

  /** Forgets services that none of these use. */
  keep(remotes: Iterable<RemoteService>): void {
    const used = new Set([...remotes].map(serviceKey))
    for (const key of this.#kept.keys()) if (!used.has(key)) this.#kept.delete(key)
  }

  /**
   * Asks one service, which serves all of `remotes`. True when what is published has changed. What it published last
   * stays while it does not answer.
   */
  async refresh(remotes: readonly RemoteService[]): Promise<boolean> {
    const [remote] = remotes
    if (remote === undefined || !remote.available) return false
    const key = serviceKey(remote)
    const before = this.#kept.get(key)
    const now: Kept = before === undefined ? empty() : { ...before }
    await settled(this.#index(remote, now))
    await settled(this.#spec(remote, remotes, now))
    const total = [...this.#kept].reduce((sum, [name, { size }]) => (name === key ? sum : sum + size), now.size)
    if (total > MAX_KEPT) {
      this.#kept.delete(key)
      return before !== undefined
    }
    this.#kept.set(key, now)
    if (before?.spec?.hash !== now.spec?.hash || before?.converted?.hash !== now.converted?.hash) return true
    return !sameMap(before?.index ?? NONE, now.index)
  }

  async #index(remote: RemoteService, kept: Kept): Promise<void> {
    const answer = await this.#get(remote, '/openapi/v3', kept.indexTag)
    // What it published last stays while it answers with an error.
    if (answer.status !== 200 && answer.status !== 404) return
    kept.indexTag = answer.status === 200 ? answer.headers['etag'] : undefined
    kept.index = answer.status === 200 ? indexOf(answer.body) : NONE
    kept.legacy = answer.status === 404
  }

  async #spec(remote: RemoteService, remotes: readonly RemoteService[], kept: Kept): Promise<void> {
    const names = remotes.map((one) => `${one.group}/${one.version}`).toSorted()
    const wanted = [...names, ...(kept.legacy ? ['converted'] : [])].join(',')
    if (!kept.legacy) kept.converted = undefined
    const answer = await this.#get(remote, '/openapi/v2', kept.wanted === wanted ? kept.specTag : undefined)
    if (answer.status === 304) return
    const found = answer.status === 200
    // Servers without ETags say the same again and again, once for each of their group versions.
    const answered = found ? createHash('sha256').update(answer.body).digest('hex') : ''
    kept.specTag = found ? answer.headers['etag'] : undefined
    if (found && answered === kept.answered && kept.wanted === wanted) return
    const document = found ? (JSON.parse(answer.body.toString('utf8')) as DocumentV2) : undefined
    kept.spec = document && cutOut(document, remotes)
    kept.answered = answered
    kept.wanted = wanted
    kept.converted = undefined
    kept.size = found ? answer.body.length : 0
    if (document === undefined || !kept.legacy) return
    kept.converted = await drive(convertedSpec(document, MAX_CONVERTED))
    kept.size += kept.converted.size
  }

  #get(remote: RemoteService, path: string, etag: string | undefined) {
    const headers = { accept: 'application/json', ...(etag !== undefined && { 'if-none-match': etag }) }
    return this.#backends.call(remote, path, { headers, timeout: TIMEOUT, maxAnswer: MAX_ANSWER })
  }
}

type DocumentV2 = Readonly<Record<string, unknown>> & {
  readonly paths?: Record<string, object>
  readonly definitions?: Record<string, object>
}

/** Waits for what may fail: then all stays as far as it came. */
const settled = (task: Promise<void>): Promise<unknown> => Promise.allSettled([task])

const NONE: ReadonlyMap<string, string> = new Map()

const empty = (): Kept => ({
  indexTag: undefined,
  index: NONE,
  legacy: false,
  specTag: undefined,
  spec: undefined,
  converted: undefined,
  answered: '',
  wanted: '',
  size: 0,
})

const sameMap = (a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean =>
  a.size === b.size && [...a].every(([key, value]) => b.get(key) === value)

function indexOf(body: Buffer): Map<string, string> {
  const { paths } = JSON.parse(body.toString('utf8')) as { paths?: Record<string, { serverRelativeURL?: unknown }> }
  const index = new Map<string, string>()
  for (const [path, { serverRelativeURL }] of Object.entries(paths ?? {})) {
    // It is told to clients as a place on this server.
    if (typeof serverRelativeURL === 'string' && serverRelativeURL.startsWith(`/openapi/v3/${path}`)) {
      index.set(path, serverRelativeURL)
    }
  }
  return index
}

const REFERENCE = /"\$ref":"#\/definitions\/([^"]+)"/g

/** The paths of some group versions, and the definitions that they lead to. */
function cutOut(document: DocumentV2, remotes: readonly RemoteService[]): SpecV2 {
  const own = (record: object | undefined, name: string): object | undefined =>
    record !== undefined && Object.hasOwn(record, name) ? (record as Record<string, object>)[name] : undefined
  const paths = new Map<string, string>()
  const definitions = new Map<string, string>()
  const found: string[] = []
  const references = (text: string): void => {
    for (const [, name] of text.matchAll(REFERENCE)) found.push(name!)
  }
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    if (!remotes.some(({ group, version }) => isUnder(path, group, version))) continue
    const text = JSON.stringify(item)
    paths.set(path, text)
    references(text)
  }
  for (let name = found.pop(); name !== undefined; name = found.pop()) {
    const definition = own(document.definitions, name)
    if (definition === undefined || definitions.has(name)) continue
    const text = JSON.stringify(definition)
    definitions.set(name, text)
    references(text)
  }
  const hash = createHash('sha256')
  for (const [name, text] of [...paths, ...definitions]) hash.update(name).update('\0').update(text).update('\0')
  return { paths, definitions, hash: hash.digest('hex') }
}

function isUnder(path: string, group: string, version: string): boolean {
  const root = `/apis/${group}/`
  return path === root || path === `${root}${version}` || path.startsWith(`${root}${version}/`)
}
