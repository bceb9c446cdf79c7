/** list: consistent pages of a resource, at the newest revision or at an asked one. */
import type { Call, ListCall, Listed, ServedResource, Target } from '../contract.ts'
import type { Entry, ListResult, Range } from '../../store/contract.ts'
import { Compacted } from '../../store/contract.ts'
import { errors } from '../../machinery/status.ts'
import { decodeContinue, encodeContinue } from './continue-token.ts'
import { viewEntry, viewed } from './convert.ts'
import { converted } from './custom-views.ts'
import type { Core } from './core.ts'
import { outside } from './core.ts'
import { holdsMany, loaded } from '../large/many.ts'
import { listPrefix } from './key.ts'
import { checkListOptions, parseResourceVersion } from './list-options.ts'
import type { Selection } from './select.ts'
import { compileSelection } from './select.ts'

/** How long a list waits for a revision that is not there yet, in milliseconds. */
const FUTURE_WAIT = 3000
/** Entries looked at per step of a page with selectors. */
const CHUNK = 512
/** Entries looked at before others are asked whether they come first. */
const BETWEEN = 4

const EXPIRED = 'The resourceVersion for the provided list is too old.'
const EXPIRED_PAGE =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.'

/** @throws StatusError 400, 410, 422, 504 */
export async function listObjects(core: Core, call: Call, target: Target, query: ListCall): Promise<Listed> {
  checkListOptions(query)
  const { resource } = target
  const selection = compileSelection(resource, query)
  const asked = parseResourceVersion(query.resourceVersion)
  // As upstream: what may come from any time comes whole.
  const whole = asked === 0 && (query.continue ?? '') === ''
  const limit = query.limit !== undefined && query.limit > 0 && !whole ? query.limit : undefined
  const prefix = scopeOf(resource, target.namespace, selection)
  if (prefix === undefined) return { entries: [], resourceVersion: String(core.range.revision) }
  if (query.continue !== undefined && query.continue !== '') {
    if (asked !== undefined && asked !== 0) {
      throw errors.badRequest('specifying resource version is not allowed when using continue')
    }
    const token = decodeContinue(query.continue)
    const revision = token.revision === -1 ? undefined : token.revision
    return page(call, core.range, resource, selection, prefix, limit, revision, token.start)
  }
  if (asked !== undefined && asked > core.range.revision) {
    // Upstream waits in its cache, which events have none of.
    if (resource.prefix === 'core/events/') throw errors.tooLargeResourceVersion(asked, core.range.revision)
    await reach(core.range, asked, call.signal)
  }
  // As upstream: a revision with a limit means that very revision unless NotOlderThan is asked for.
  const exact =
    query.resourceVersionMatch === 'Exact' ||
    (limit !== undefined && asked !== undefined && asked > 0 && (query.resourceVersionMatch ?? '') === '')
  return page(call, core.range, resource, selection, prefix, limit, exact ? asked : undefined, undefined)
}

/** The narrowest key prefix; undefined when the selectors contradict the namespace. */
function scopeOf(resource: ServedResource, namespace: string, selection: Selection): string | undefined {
  if (selection.namespace === undefined || !resource.info.namespaced) return listPrefix(resource, namespace)
  if (namespace !== '' && namespace !== selection.namespace) return undefined
  if (selection.namespace === '' || selection.namespace.includes('/')) return undefined
  return listPrefix(resource, selection.namespace)
}

async function page(
  call: Call,
  range: Range,
  resource: ServedResource,
  selection: Selection,
  prefix: string,
  limit: number | undefined,
  revision: number | undefined,
  start: string | undefined,
): Promise<Listed> {
  try {
    const exactKey = keyOfName(resource, selection, prefix)
    if (exactKey !== undefined && revision === undefined && start === undefined) {
      const entry = range.get(exactKey)
      const resourceVersion = String(range.revision)
      const view = entry === undefined ? undefined : await viewed(call, entry, resource)
      const entries = view !== undefined && selection.matches(view) ? [view] : []
      return { entries, resourceVersion }
    }
    return selection.empty
      ? await wholePage(call, range, resource, prefix, limit, revision, start)
      : await selectedPage(call, range, resource, selection, prefix, limit, revision, start)
  } catch (error) {
    if (!(error instanceof Compacted)) throw error
    throw start === undefined
      ? errors.expired(EXPIRED)
      : errors.expired(EXPIRED_PAGE, encodeContinue({ revision: -1, start }))
  }
}

function keyOfName(resource: ServedResource, selection: Selection, prefix: string): string | undefined {
  if (selection.name === undefined) return undefined
  if (!resource.info.namespaced) return `${prefix}/${selection.name}`
  return prefix === resource.prefix ? undefined : `${prefix}${selection.name}`
}

function fetch(
  range: Range,
  prefix: string,
  limit: number | undefined,
  revision: number | undefined,
  start: string | undefined,
): ListResult {
  return range.list(prefix, {
    ...(limit === undefined ? {} : { limit }),
    ...(revision === undefined ? {} : { revision }),
    ...(start === undefined ? {} : { start: prefix + start }),
  })
}

const behind = (prefix: string, entry: Entry): string => `${entry.key.slice(prefix.length)}\0`

async function wholePage(
  call: Call,
  range: Range,
  resource: ServedResource,
  prefix: string,
  limit: number | undefined,
  revision: number | undefined,
  start: string | undefined,
): Promise<Listed> {
  const result = fetch(range, prefix, limit, revision, start)
  const wait = converted(result.entries, resource)
  if (wait !== undefined) await outside(call, wait)
  const entries = result.entries.map((entry) => viewEntry(entry, resource))
  const resourceVersion = String(result.revision)
  const last = result.entries.at(-1)
  if (result.remaining === 0 || last === undefined) return { entries, resourceVersion }
  const token = encodeContinue({ revision: result.revision, start: behind(prefix, last) })
  return { entries, resourceVersion, continue: token, remainingItemCount: result.remaining }
}

/** Selectors read every object: others may come between. */
async function selectedPage(
  call: Call,
  range: Range,
  resource: ServedResource,
  selection: Selection,
  prefix: string,
  limit: number | undefined,
  revision: number | undefined,
  start: string | undefined,
): Promise<Listed> {
  const entries: Entry[] = []
  let at = revision
  let from = start
  for (;;) {
    const result = fetch(range, prefix, limit === undefined ? undefined : CHUNK, at, from)
    at = result.revision
    const wait = converted(result.entries, resource)
    if (wait !== undefined) await outside(call, wait)
    for (const [i, entry] of result.entries.entries()) {
      const turn = i % BETWEEN === BETWEEN - 1 ? call.seat?.turn() : undefined
      if (turn !== undefined) await turn
      if (holdsMany(entry)) await loaded(entry, call.seat)
      const view = viewEntry(entry, resource)
      if (!selection.matches(view)) continue
      entries.push(view)
      if (entries.length === limit) {
        const more = result.remaining > 0 || i < result.entries.length - 1
        const listed = { entries, resourceVersion: String(at) }
        return more ? { ...listed, continue: encodeContinue({ revision: at, start: behind(prefix, entry) }) } : listed
      }
    }
    const last = result.entries.at(-1)
    if (result.remaining === 0 || last === undefined) return { entries, resourceVersion: String(at) }
    from = behind(prefix, last)
  }
}

/** Waits until the range has committed `revision`. @throws StatusError 504 with the cause that reflectors know */
async function reach(range: Range, revision: number, signal: AbortSignal | undefined): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const stop = range.watch('', range.revision, (event) => {
    if (event.revision >= revision) resolve(true)
  })
  const timer = setTimeout(resolve, FUTURE_WAIT, false)
  const abort = (): void => resolve(false)
  signal?.addEventListener('abort', abort, { once: true })
  const reached = await promise
  stop()
  clearTimeout(timer)
  signal?.removeEventListener('abort', abort)
  if (!reached) throw errors.tooLargeResourceVersion(revision, range.revision, 1)
}
