/**
 * The seam where an object changes its API version. Objects under one prefix are stored in one version; the others
 * are views of it.
 */
import type { Call, ServedResource, Stored } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Entry } from '../../store/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import { autoscalerV1Of, autoscalerV2Of } from '../../machinery/kinds/autoscaling/convert.ts'
import type { LiveCatalog } from './catalog.ts'
import { outside } from './core.ts'
import { coreEventOf, newEventOf } from './convert-events.ts'
import { converted, customView, storedForm, viewAtHand } from './custom-views.ts'
import { ordered } from './stored.ts'

type Conversion = (object: KubeObject) => KubeObject

const conversions: ReadonlyMap<string, Conversion> = new Map([
  ['v1 events.k8s.io/v1 Event', newEventOf],
  ['events.k8s.io/v1 v1 Event', coreEventOf],
  ['autoscaling/v2 autoscaling/v1 HorizontalPodAutoscaler', autoscalerV1Of],
  ['autoscaling/v1 autoscaling/v2 HorizontalPodAutoscaler', autoscalerV2Of],
])

const versions = new WeakMap<ServedResource, string>()

/** `v1`, `apps/v1` of a served resource; computed once. */
export function versionOf(served: ServedResource): string {
  let version = versions.get(served)
  if (version === undefined) versions.set(served, (version = apiVersionOf(served.info)))
  return version
}

/** The object in another version of its kind. A new object unless it is in that version already. */
export function convert(object: KubeObject, to: string): KubeObject {
  const from = object.apiVersion ?? to
  if (from === to) return object
  const kind = object.kind ?? ''
  const conversion = conversions.get(`${from} ${to} ${kind}`)
  return ordered(conversion === undefined ? object : conversion(object), kind, to)
}

const heads = new WeakMap<ServedResource, Buffer>()

/** How stored bytes begin when they are in this version. */
function headOf(served: ServedResource): Buffer {
  let head = heads.get(served)
  if (head === undefined) {
    const kind = JSON.stringify(served.info.kind)
    const version = JSON.stringify(versionOf(served))
    heads.set(served, (head = Buffer.from(`{"kind":${kind},"apiVersion":${version},`)))
  }
  return head
}

/** Views are kept as long as their entry, so that every watcher gets the same one. */
const views = new WeakMap<Entry, Map<string, Entry>>()

/**
 * The entry as this resource's version shows it: the entry itself when it is stored so. Where a webhook converts,
 * `converted` (custom-views.ts) has been waited for.
 */
export function viewEntry(entry: Entry, served: ServedResource): Entry {
  return served.custom === undefined ? versionEntry(entry, served) : customView(entry, served, served.custom)
}

/** As {@link viewEntry}; what a webhook would have to convert first is shown as it is stored. */
export function entryAtHand(entry: Entry, served: ServedResource): Entry {
  return served.custom === undefined ? versionEntry(entry, served) : viewAtHand(entry, served, served.custom)
}

/** As {@link viewEntry}, waiting for a webhook where one converts. @throws StatusError 500 (rejects) */
export function shown(entry: Entry, served: ServedResource): Entry | Promise<Entry> {
  const wait = converted([entry], served)
  return wait === undefined ? viewEntry(entry, served) : wait.then(() => viewEntry(entry, served))
}

/** As {@link shown}, for a call that holds a seat. */
export function viewed(call: Call, entry: Entry, served: ServedResource): Entry | Promise<Entry> {
  const view = shown(entry, served)
  return view instanceof Promise ? outside(call, view) : view
}

/**
 * The resource in whose version a write is worked on: custom resources are admitted and validated as they are written,
 * built-ins in the version that they are stored in.
 */
export function workingVersion(core: { readonly catalog: LiveCatalog }, served: ServedResource): ServedResource {
  return served.custom === undefined ? core.catalog.storage(served) : served
}

/** A finished object as it is stored. A promise where a webhook converts. */
export function formOf(object: KubeObject, served: ServedResource): KubeObject | Promise<KubeObject> {
  return served.custom === undefined ? object : storedForm(object, served, served.custom)
}

function versionEntry(entry: Entry, served: ServedResource): Entry {
  const decoded = entry.object as KubeObject | undefined
  if (decoded !== undefined && decoded.apiVersion === versionOf(served) && decoded.kind === served.info.kind)
    return entry
  const head = headOf(served)
  if (entry.bytes.length >= head.length && entry.bytes.compare(head, 0, head.length, 0, head.length) === 0) return entry
  const version = versionOf(served)
  let byVersion = views.get(entry)
  if (byVersion === undefined) views.set(entry, (byVersion = new Map<string, Entry>()))
  let view = byVersion.get(version)
  if (view === undefined) {
    const converted = ordered(convert(objectOf(entry), version), served.info.kind, version)
    view = { ...entry, bytes: Buffer.from(JSON.stringify(converted), 'utf8'), object: converted }
    byVersion.set(version, view)
  }
  return view
}

/** An entry with its object. */
export function stored(entry: Entry): Stored {
  return {
    entry,
    get object() {
      return objectOf(entry)
    },
  }
}
