/** watch: the events of a resource, from now, from a revision, or after the current state. */
import type { ApiWatchEvent, ServedResource, Target, WatchCall } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Entry, StoreEvent } from '../../store/contract.ts'
import { Compacted } from '../../store/contract.ts'
import { StatusError, errors } from '../../machinery/status.ts'
import { ConversionLine } from './conversion-line.ts'
import { viewEntry } from './convert.ts'
import type { Core } from './core.ts'
import { listPrefix } from './key.ts'
import { checkWatchOptions, parseResourceVersion } from './list-options.ts'
import type { Selection } from './select.ts'
import { compileSelection } from './select.ts'
import { reencoder } from './stored.ts'

/**
 * The current state, if asked for, and past events are delivered before this returns.
 * @throws StatusError 400, 410, 422, 504 before any event
 */
export function watchObjects(
  core: Core,
  target: Target,
  query: WatchCall,
  listener: (event: ApiWatchEvent) => void,
  onEnd: (error?: StatusError) => void,
): () => void {
  checkWatchOptions(query)
  const { resource } = target
  const { range } = core
  const selection = compileSelection(resource, query)
  const asked = parseResourceVersion(query.resourceVersion, errors.unknown)
  const initial = query.sendInitialEvents ?? (asked === undefined || asked === 0)
  if (initial && asked !== undefined && asked > range.revision) {
    throw errors.tooLargeResourceVersion(asked, range.revision, 1)
  }
  const namespace = target.namespace !== '' ? target.namespace : (selection.namespace ?? '')
  const prefix = listPrefix(resource, namespace)
  const exactKey = keyOfName(resource, selection, prefix)
  const from = initial || asked === undefined || asked === 0 ? range.revision : asked

  let stopped = false
  const stops: (() => void)[] = []
  const stop = (): void => {
    stopped = true
    for (const end of stops.splice(0)) end()
  }
  const line = resource.custom?.conversion === undefined ? undefined : new ConversionLine(resource, failed)
  function failed(error: unknown): void {
    if (stopped) return
    stop()
    onEnd(error instanceof StatusError ? error : errors.internal(String(error)))
  }
  /** Runs `deliver` once what it shows is converted, behind everything that came before. */
  const inTurn = (entries: readonly (Entry | undefined)[], deliver: () => void): void => {
    if (line === undefined) deliver()
    else line.add(entries, () => void (stopped || deliver()))
  }
  const send = (event: ApiWatchEvent): void => {
    if (!stopped) listener(event)
  }
  if (!initial && from < range.compacted) throw tooOld(from, range.compacted)
  if (initial) {
    const entries = exactKey === undefined ? range.list(prefix).entries : [range.get(exactKey)]
    inTurn(entries, () => {
      for (const entry of entries) {
        const view = entry === undefined ? undefined : viewEntry(entry, resource)
        if (view !== undefined && selection.matches(view)) send({ type: 'ADDED', entry: view })
      }
      if (query.sendInitialEvents === true && query.allowWatchBookmarks === true) {
        send({ type: 'BOOKMARK', resourceVersion: String(from), initialEventsEnd: true })
      }
    })
  }
  const translate = selection.empty ? translateAll : translateSelected
  try {
    stops.push(
      range.watch(resource.prefix, Math.min(from, range.revision), (event) => {
        if (stopped || event.revision <= from) return
        const key = event.entry.key
        if (exactKey === undefined ? !key.startsWith(prefix) : key !== exactKey) return
        if (line !== undefined) {
          const shown = selection.empty ? [event.entry] : [event.entry, event.previous]
          line.add(shown, () => {
            const out = stopped ? undefined : translate(event, resource, selection)
            if (out !== undefined) listener(out)
          })
          return
        }
        const out = translate(event, resource, selection)
        if (out !== undefined) listener(out)
      }),
    )
  } catch (error) {
    if (error instanceof Compacted) throw tooOld(from, error.compacted)
    throw error
  }
  if (query.allowWatchBookmarks === true) {
    const tick = (): void => {
      // A watch that starts in the future has nothing to mark before it.
      const { revision } = range
      if (revision < from) return
      inTurn([], () => send({ type: 'BOOKMARK', resourceVersion: String(revision), initialEventsEnd: false }))
    }
    stops.push(core.bookmarks.add(tick, query.timeoutSeconds))
  }
  if (resource.custom !== undefined) {
    const { group, version, resource: plural } = resource.info
    stops.push(
      core.catalog.onChange(() => {
        const now = stopped ? resource : core.catalog.find(group, version, plural)
        if (now === resource) return
        // What is shown belongs to the definition of before: clients start again, as upstream makes them.
        if (now !== undefined && now.custom?.edition === resource.custom?.edition) return
        stop()
        onEnd()
      }),
    )
  }
  return stop
}

const tooOld = (asked: number, oldest: number): Error =>
  errors.expired(`too old resource version: ${asked} (${oldest})`)

function keyOfName(resource: ServedResource, selection: Selection, prefix: string): string | undefined {
  if (selection.name === undefined) return undefined
  if (!resource.info.namespaced) return `${prefix}/${selection.name}`
  return prefix === resource.prefix ? undefined : `${prefix}${selection.name}`
}

function translateAll(event: StoreEvent, resource: ServedResource): ApiWatchEvent {
  const type = event.type === 'delete' ? 'DELETED' : event.previous === undefined ? 'ADDED' : 'MODIFIED'
  return { type, entry: viewEntry(event.entry, resource) }
}

function translateSelected(
  event: StoreEvent,
  resource: ServedResource,
  selection: Selection,
): ApiWatchEvent | undefined {
  const previous = event.previous === undefined ? undefined : viewEntry(event.previous, resource)
  const was = previous !== undefined && selection.matches(previous)
  if (event.type === 'delete') {
    return was ? { type: 'DELETED', entry: viewEntry(event.entry, resource) } : undefined
  }
  const view = viewEntry(event.entry, resource)
  const is = selection.matches(view)
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', entry: view }
  return was ? { type: 'DELETED', entry: left(previous, event.revision) } : undefined
}

/** Previous states with the revision of the event that replaced them; one for all watchers of the event. */
const lefts = new WeakMap<Entry, Entry>()

/** What a watcher sees of an object that left its selection: the previous state at the new revision. */
function left(previous: Entry, revision: number): Entry {
  let entry = lefts.get(previous)
  if (entry === undefined) {
    entry = { ...previous, revision, ...reencoder(objectOf(previous))(revision) }
    lefts.set(previous, entry)
  }
  return entry
}
