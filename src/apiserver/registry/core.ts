/** What the verbs of one cluster share. */
import type { Authorizer, Call, ServedResource } from '../contract.ts'
import type { KindRules } from '../../machinery/kinds/contract.ts'
import { rulesFor } from '../../machinery/kinds/index.ts'
import { StatusError, errors } from '../../machinery/status.ts'
import type { Entry, Range } from '../../store/contract.ts'
import type { AdmissionChain } from '../admission/contract.ts'
import type { ClusterMetrics } from '../metrics/cluster.ts'
import type { BookmarkTicker } from './bookmarks.ts'
import type { LiveCatalog } from './catalog.ts'
import type { ServiceAllocator } from './service-allocator.ts'
import { prefixOf } from './key.ts'

export interface Core {
  readonly range: Range
  readonly catalog: LiveCatalog
  readonly authorizer: Authorizer
  readonly admission: AdmissionChain
  readonly services: ServiceAllocator
  readonly bookmarks: BookmarkTicker
  readonly metrics: ClusterMetrics
  /** Milliseconds since the epoch. */
  now(): number
  /** A number in [0, 1). */
  random(): number
  uuid(): string
}

/** What versions of a kind and times need. */
export type Versioned = Pick<Core, 'catalog' | 'now'>

/** A time as metadata has it: RFC 3339 in UTC with seconds. */
export function timestamp(ms: number): string {
  const now = Math.floor(ms / 1000)
  if (now !== second) {
    second = now
    text = `${new Date(now * 1000).toISOString().slice(0, 19)}Z`
  }
  return text
}

/** The last second that was told, and its text: every write tells the time. */
let second = Number.NaN
let text = ''

/** The rules of a resource's kind. Custom resources have none. */
export function rulesOf(served: ServedResource): KindRules {
  return served.custom === undefined ? rulesFor(served.info.group, served.info.kind) : CUSTOM
}

const CUSTOM: KindRules = {}

/** What is asked of what was written through `requested` and is stored as `storage`. */
export function writtenRules(requested: ServedResource, storage: ServedResource): KindRules {
  const rules = rulesOf(storage)
  return rules.through === undefined ? rules : (rules.through[requested.info.group] ?? rules)
}

/** `details` and messages of errors: `pods`, `deployments.apps`. */
export function groupResource(served: ServedResource): { group: string; resource: string } {
  const { group, resource, singular } = served.info
  // Upstream has no store for them, and another name.
  return { group, resource: resource === 'componentstatuses' ? singular : resource }
}

/** `details` of an Invalid error. */
export function groupKind(served: ServedResource): { group: string; kind: string } {
  return { group: served.info.group, kind: served.info.kind }
}

/** Newest state of an object by key, also where its commit is under way. */
export function newest(
  range: Range,
  group: string,
  resource: string,
  namespace: string,
  name: string,
): Entry | undefined {
  return range.latest(`${prefixOf(group, resource)}${namespace}/${name}`)
}

/** The same error with another message. */
export function reworded({ status }: StatusError, message: string): StatusError {
  return new StatusError({ ...status, message })
}

/** Adds a text for a Warning header once. */
export function warn(call: Call, text: string): void {
  if (call.warnings !== undefined && !call.warnings.includes(text)) call.warnings.push(text)
}

/** Bytes of a stored object from which on work on it gives way to others between its steps. */
const LARGE = 64 * 1024

/** Between two steps of a write: waits while others come first, if the object is so large that its steps are long. */
export function breathe(call: Call, entry?: Entry): Promise<void> | undefined {
  if (call.large !== true && (entry === undefined || entry.bytes.length < LARGE)) return undefined
  return call.seat?.turn()
}

/** Waits for somebody outside without the caller's seat. */
export function outside<T>(call: Call, wait: Promise<T>): Promise<T> {
  return call.seat === undefined ? wait : call.seat.without(() => wait)
}

/** How long an answer waits for a write of somebody else that it shows, in milliseconds. */
const COMMIT_WAIT = 10_000

/**
 * Resolves once what `entry` shows is committed: an answer may not show a state that a crash could take back.
 * @throws StatusError 504 when the write that made it does not commit
 */
export async function committed(range: Range, entry: Entry): Promise<void> {
  if (entry.revision <= range.revision) return
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const prefix = entry.key.slice(0, entry.key.indexOf('/', entry.key.indexOf('/') + 1) + 1)
  const stop = range.watch(prefix, range.revision, (event) => {
    if (event.revision >= entry.revision) resolve(true)
  })
  const timer = setTimeout(resolve, COMMIT_WAIT, false)
  const done = await promise
  clearTimeout(timer)
  stop()
  if (!done) throw errors.timeout(`the write of revision ${entry.revision} did not commit in time`)
}
