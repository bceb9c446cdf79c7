/**
 * The API of one cluster below HTTP: verbs on resources, as an identity.
 *
 * Floors inside apiserver/: transport (sockets, TLS, ALPN) → http (negotiation, bodies,
 * streams) → authn → fair share → [this contract: authz → admission → registry] → store.
 * The in-process client calls this contract directly.
 */
import type { Emptied } from '../machinery/codec/normalize.ts'
import type { FieldError } from '../machinery/field.ts'
import type { KubeObject, ObjectMeta } from '../machinery/object.ts'
import type { StatusError } from '../machinery/status.ts'
import type { ResourceInfo, SubresourceInfo } from '../machinery/types/table.ts'
import type { Entry } from '../store/contract.ts'
import { keepDecoded } from '../store/decoded.ts'

/** Who asks. `extra` as in authentication.k8s.io. */
export interface UserInfo {
  readonly name: string
  readonly uid?: string
  readonly groups: readonly string[]
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** Kubernetes' authorization attributes of a request. */
export interface Attributes {
  readonly user: UserInfo
  readonly verb: string
  /** For resource requests. */
  readonly group?: string
  readonly version?: string
  readonly resource?: string
  readonly subresource?: string
  readonly namespace?: string
  readonly name?: string
  /** Of lists, watches and deletions of collections, as sent: some authorizers allow only a part. */
  readonly fieldSelector?: string
  /** For non-resource requests. */
  readonly path?: string
}

export interface Decision {
  readonly allowed: boolean
  /** `RBAC: allowed by ClusterRoleBinding "x" of ClusterRole "y" to User "z"` */
  readonly reason: string
}

export interface Authorizer {
  authorize(attributes: Attributes): Decision
  /** For SelfSubjectRulesReview. */
  rulesFor(
    user: UserInfo,
    namespace: string,
  ): { resourceRules: object[]; nonResourceRules: object[]; incomplete: boolean }
}

/** Takes notes for the audit log about one request. */
export interface AuditSink {
  /** Adds an annotation to the request's audit event. The first value of a key stays. */
  annotate(key: string, value: string): void
  /** The same for what is noted only where bodies of requests are. `value` is asked only then. */
  annotateBody(key: string, value: () => string): void
  /** Tells what was sent, as it was understood: decoded and defaulted. */
  requestObject(object: object): void
}

/** What a request holds of its process while it runs: see fairshare. */
export interface Seat {
  /**
   * Runs something that waits for others (a webhook, a token's issuer) without the seat, so that the waiting costs
   * nobody's share; the seat is taken again, in the tenant's turn, before the result is given.
   */
  without<T>(work: () => Promise<T>): Promise<T>
  /**
   * Asks between two pieces of long work whether others come first. Undefined: go on at once, in the same turn. A piece
   * should take a tenth of a millisecond or so.
   */
  turn(): Promise<void> | undefined
  /** Runs something on the process's helper threads, of which there are few: tenants take turns. */
  pack<T>(work: () => Promise<T>): Promise<T>
}

/** One call of a verb. */
export interface Call {
  readonly user: UserInfo
  readonly signal?: AbortSignal
  /** Texts for Warning headers, in order, without repeats. */
  readonly warnings?: string[]
  /** From the User-Agent or the query. */
  readonly fieldManager?: string
  readonly dryRun?: boolean
  /** What to do with unknown and duplicate fields that the decoder found. @default 'Warn' */
  readonly fieldValidation?: 'Ignore' | 'Warn' | 'Strict'
  /** The options as the client gave them (`fieldManager`, `fieldValidation`), for those who are told of the call. */
  readonly options?: Readonly<Record<string, string>>
  /** When nobody waits for the answer any more: milliseconds of `performance.now`. @default never */
  readonly deadline?: number
  /** Authorization has been asked already: for requests whose body is read behind it. */
  readonly authorized?: boolean
  /** Absent where no audit policy asks for the request. */
  readonly audit?: AuditSink
  /** Absent for calls from within the process. */
  readonly seat?: Seat
  /** Told how many milliseconds the request waited for others outside. */
  readonly latency?: { elsewhere: number }
  /** The body, or what a webhook made of it, is so large that the verb gives way to others between its steps. @default false */
  large?: boolean
  /** The object has so many members that what looks at each is done on a helper thread. @default false */
  readonly many?: boolean
  /** Lists and maps that were empty in the object of a create or update, and are null in what was decoded. */
  readonly emptied?: readonly Emptied[]
}

/** A patch that could not be read. Whoever patches what is not there hears of that, not of this. */
export class Unreadable {
  readonly why: StatusError

  constructor(why: StatusError) {
    this.why = why
  }
}

/** What a call is about. `subresource` '' or absent: the object itself. */
export interface Target {
  readonly resource: ServedResource
  readonly namespace: string
  readonly name: string
  readonly subresource?: string
}

/**
 * A resource that this cluster serves: a built-in of the type table, or a custom resource.
 * `codec` knows how stored bytes become an answer in this version.
 */
export interface ServedResource {
  readonly info: ResourceInfo
  /** `<group or core>/<resource>/`: where its objects live in the range. Versions of a group share it. */
  readonly prefix: string
  /** Custom resources only: the compiled schema and friends of this version. */
  readonly custom?: CustomResource
  readonly subresources: ReadonlyMap<string, SubresourceInfo>
}

/** Converts objects of one custom resource between its versions, by asking somebody. */
export interface Conversion {
  /** The objects in another version, in the same order; none of them is in that version. @throws StatusError 500 */
  convert(objects: readonly ConversionInput[], apiVersion: string): Promise<readonly KubeObject[]>
}

export interface ConversionInput {
  /** Its JSON. */
  readonly bytes: Buffer
  /** Shared. */
  readonly object: KubeObject
}

/** What a custom resource version adds; made by apiserver/crd. */
export interface CustomResource {
  readonly storageVersion: string
  readonly served: readonly string[]
  /** All versions of the definition by name, also those that are not served. */
  readonly family: ReadonlyMap<string, CustomResource>
  /** Absent: versions differ in nothing but their apiVersion. */
  readonly conversion?: Conversion
  /** Whether two versions have the same schema text. */
  sameSchema(other: CustomResource): boolean
  /** Whether what was stored at a revision in this version may differ from what its schema makes of it now. */
  mayDiffer(revision: number): boolean
  /** Prunes and defaults in place, and says what is wrong. */
  prune(object: KubeObject): void
  defaults(object: KubeObject): void
  /**
   * Everything wrong. With `old` it is an update: what was wrong before and has not changed is let through, as
   * `ratcheted` hears. A promise when rules take so long that others must have their turn.
   * @param part 'status': only the status may have changed
   */
  validate(
    object: KubeObject,
    old?: KubeObject,
    part?: 'status',
    ratcheted?: (error: FieldError) => void,
    seat?: Pick<Seat, 'turn'>,
  ): FieldError[] | Promise<FieldError[]>
  /** Unknown field paths, for fieldValidation. */
  unknownFields(object: KubeObject): string[]
  readonly hasStatus: boolean
  readonly scale?: { specReplicasPath: string; statusReplicasPath: string; labelSelectorPath?: string }
  readonly printerColumns: readonly {
    name: string
    type: string
    format?: string
    description?: string
    priority?: number
    jsonPath: string
  }[]
  readonly selectableFields: readonly string[]
  /** Differs when the definition says something else, other than that it is being deleted. Watches end with it. */
  readonly edition: string
  /** Differs when what is published of the version differs. */
  readonly fingerprint: string
  /** OpenAPI v3 schema of the version as the CRD has it. */
  readonly schema?: object
  readonly deprecationWarning?: string
}

/** An object that a verb answers: stored bytes and, lazily, their object. */
export interface Stored {
  readonly entry: Entry
  readonly object: KubeObject
}

export interface ListCall {
  readonly labelSelector?: string
  readonly fieldSelector?: string
  readonly limit?: number
  readonly continue?: string
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: string
}

export interface Listed {
  readonly entries: readonly Entry[]
  readonly resourceVersion: string
  readonly continue?: string
  readonly remainingItemCount?: number
}

export interface WatchCall extends ListCall {
  readonly sendInitialEvents?: boolean
  readonly allowWatchBookmarks?: boolean
  readonly timeoutSeconds?: number
}

/** What a watcher gets. `entry` is shared with all watchers: encode once per entry, not per watcher. */
export type ApiWatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly entry: Entry }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean }

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

/** A write's result; `created` decides between 200 and 201. */
export interface Written extends Stored {
  readonly created: boolean
}

/** The verbs. All throw StatusError. */
export interface Api {
  /** What is served now: changes with CRDs. */
  readonly catalog: Catalog
  readonly authorizer: Authorizer
  /** @param at a resource version that the answer must not be older than; the answer is always the newest state */
  get(call: Call, target: Target, at?: string): Promise<Stored>
  list(call: Call, target: Target, query: ListCall): Promise<Listed>
  /**
   * Calls `listener` with each event until the returned function is called; `onEnd` is called once if the server
   * ends the watch (CRD removed, cluster stopped, an object that cannot be shown: `error` then). The caller owns
   * time-outs and slow consumers.
   */
  watch(
    call: Call,
    target: Target,
    query: WatchCall,
    listener: (event: ApiWatchEvent) => void,
    onEnd: (error?: StatusError) => void,
  ): () => void
  /** `object` is decoded, not yet defaulted, and becomes the verb's property. Reviews, bindings, evictions, tokens go here too. */
  create(
    call: Call,
    target: Target,
    object: KubeObject,
  ): Promise<Written | { readonly object: KubeObject; readonly created: boolean; readonly entry?: undefined }>
  update(call: Call, target: Target, object: KubeObject): Promise<Written>
  patch(call: Call, target: Target, type: PatchType, body: unknown, force?: boolean): Promise<Written>
  /** The object when it still exists (finalizers, grace), else what a success Status needs. */
  delete(
    call: Call,
    target: Target,
    options: DeleteOptions,
  ): Promise<{ readonly pending?: Stored; readonly deleted?: { name: string; uid: string; last?: Stored } }>
  /** Asks whether a connection (exec, attach, port-forward, proxy) may be made. `options`: PodExecOptions and the like. */
  admitConnection(call: Call, target: Target, options: KubeObject): Promise<void>
  deleteCollection(call: Call, target: Target, options: DeleteOptions, query: ListCall): Promise<readonly Entry[]>
}

/** The served resources, looked up by URL. */
export interface Catalog {
  find(group: string, version: string, resource: string): ServedResource | undefined
  /** In discovery order. */
  all(): readonly ServedResource[]
  hasGroupVersion(group: string, version: string): boolean
  /** Grows with every change. */
  readonly generation: number
}

/** Decoded form of an entry, kept on it for a while. Shared: do not mutate. */
export function objectOf(entry: Entry): KubeObject {
  if (entry.object === undefined) {
    entry.object = JSON.parse(entry.bytes.toString('utf8'))
    keepDecoded(entry)
  }
  return entry.object as KubeObject
}

/** metadata of an entry. */
export function metaOf(entry: Entry): ObjectMeta {
  return objectOf(entry).metadata
}
