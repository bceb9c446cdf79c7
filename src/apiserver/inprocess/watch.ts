/** A watch of the Api as an async iterable. */
import type { ApiWatchEvent } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Resource, WatchEvent, WatchQuery } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import { StatusError } from '../../machinery/status.ts'

/** Events that may wait for a reader. One that falls further behind gets the error that makes it list again. */
const MAX_WAITING = 100_000

type Start = (listener: (event: ApiWatchEvent) => void, onEnd: (error?: StatusError) => void) => () => void

/** `open` holds the ends of all running watches. */
export async function* watchIterator<T extends KubeObject>(
  start: Start,
  resource: Resource,
  query: WatchQuery,
  open: Set<() => void>,
): AsyncGenerator<WatchEvent<T>, void> {
  const waiting: WatchEvent<T>[] = []
  const done = new AbortController()
  let wake: (() => void) | undefined
  const end = (): void => {
    done.abort()
    wake?.()
  }
  let stop: (() => void) | undefined
  const timer = query.timeoutSeconds === undefined ? undefined : setTimeout(end, query.timeoutSeconds * 1000)
  open.add(end)
  query.signal?.addEventListener('abort', end, { once: true })
  try {
    if (query.signal?.aborted === true) return
    stop = start(
      (event) => {
        if (done.signal.aborted) return
        if (waiting.length >= MAX_WAITING) {
          waiting.push({ type: 'ERROR', object: expired() })
          end()
          return
        }
        waiting.push(shown<T>(event, resource))
        wake?.()
      },
      (error) => {
        if (error !== undefined) waiting.push({ type: 'ERROR', object: error.status })
        end()
      },
    )
    for (;;) {
      for (const event of waiting.splice(0)) {
        if (isAborted(query)) return
        yield event
      }
      if (waiting.length > 0) continue
      if (done.signal.aborted) return
      await new Promise<void>((resolve) => (wake = resolve))
      wake = undefined
    }
  } finally {
    stop?.()
    clearTimeout(timer)
    open.delete(end)
    query.signal?.removeEventListener('abort', end)
  }
}

/** Asked again after every event: a reader may abort in between. */
const isAborted = ({ signal }: WatchQuery): boolean => signal?.aborted === true

function shown<T extends KubeObject>(event: ApiWatchEvent, resource: Resource): WatchEvent<T> {
  if (event.type !== 'BOOKMARK') return { type: event.type, object: objectOf(event.entry) as T }
  const { resourceVersion, initialEventsEnd } = event
  const annotations = initialEventsEnd ? { 'k8s.io/initial-events-end': 'true' } : undefined
  const metadata = annotations === undefined ? { resourceVersion } : { resourceVersion, annotations }
  return {
    type: 'BOOKMARK',
    object: { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata } as unknown as T,
  }
}

function expired(): StatusError['status'] {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'too many events are waiting for the watcher',
    reason: 'Expired',
    code: 410,
  }
}
