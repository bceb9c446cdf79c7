/** The OpenAPI documents of the servers behind remote APIServices, kept by their ETags. */
import { createHash } from 'node:crypto'
import type { RemoteService } from './apiservice.ts'
import { serviceKey } from './apiservice.ts'
import type { Backends } from './backend.ts'

const TIMEOUT = 10_000
/** Bytes of one document. */
const MAX_ANSWER = 2 * 1024 * 1024
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
  specTag: string | undefined
  spec: SpecV2 | undefined
  /** What `spec` was cut out for. */
  wanted: string
  size: number
}

export class RemoteOpenApi {
  readonly #backends: Backends
  readonly #kept = new Map<string, Kept>()

  constructor(backends: Backends) {
    this.#backends = backends
  }

  /** The URL of a group version's document, as its server tells it. */
  url(remote: RemoteService): string | undefined {
    return this.#kept.get(serviceKey(remote))?.index.get(`apis/${remote.group}/${remote.version}`)
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
    const wanted = remotes
      .map((one) => `${one.group}/${one.version}`)
      .toSorted()
      .join(',')
    await Promise.allSettled([this.#index(remote, now), this.#spec(remote, remotes, now, wanted)])
    const total = [...this.#kept].reduce((sum, [name, { size }]) => (name === key ? sum : sum + size), now.size)
    if (total > MAX_KEPT) {
      this.#kept.delete(key)
      return before !== undefined
    }
    this.#kept.set(key, now)
    return before?.spec?.hash !== now.spec?.hash || !sameMap(before?.index ?? NONE, now.index)
  }

  async #index(remote: RemoteService, kept: Kept): Promise<void> {
    const answer = await this.#get(remote, '/openapi/v3', kept.indexTag)
    if (answer.status === 304) return
    kept.indexTag = answer.headers['etag']
    kept.index = answer.status === 200 ? indexOf(answer.body) : NONE
  }

  async #spec(remote: RemoteService, remotes: readonly RemoteService[], kept: Kept, wanted: string): Promise<void> {
    const answer = await this.#get(remote, '/openapi/v2', kept.wanted === wanted ? kept.specTag : undefined)
    if (answer.status === 304) return
    kept.specTag = answer.headers['etag']
    kept.wanted = wanted
    kept.spec = answer.status === 200 ? cutOut(answer.body, remotes) : undefined
    kept.size = answer.status === 200 ? answer.body.length : 0
  }

  #get(remote: RemoteService, path: string, etag: string | undefined) {
    const headers = { accept: 'application/json', ...(etag !== undefined && { 'if-none-match': etag }) }
    return this.#backends.call(remote, path, { headers, timeout: TIMEOUT, maxAnswer: MAX_ANSWER })
  }
}

const NONE: ReadonlyMap<string, string> = new Map()

const empty = (): Kept => ({
  indexTag: undefined,
  index: NONE,
  specTag: undefined,
  spec: undefined,
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
function cutOut(body: Buffer, remotes: readonly RemoteService[]): SpecV2 {
  const document = JSON.parse(body.toString('utf8')) as {
    paths?: Record<string, object>
    definitions?: Record<string, object>
  }
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
