/** What the HTTP layer of one cluster needs from its surroundings. */
import type { Aggregation } from '../aggregation/contract.ts'
import type { TokenNotes } from '../authn/bearer.ts'
import type { Auditor } from '../audit/auditor.ts'
import type { Api, Target, UserInfo } from '../contract.ts'
import type { Exchange } from '../exchange.ts'
import type { KubeObject } from '../../machinery/object.ts'
import type { FlowClassifier } from '../flowcontrol/classifier.ts'
import type { FairShare } from '../fairshare/fairshare.ts'
import type { ClusterMetrics } from '../metrics/cluster.ts'
import type { Query } from './query.ts'
import type { Reply } from './reply.ts'

/** Structured log: one message with fields. */
export interface HttpLog {
  warn(msg: string, fields?: Record<string, unknown>): void
  error(msg: string, fields?: Record<string, unknown>): void
}

/** `/version` */
export interface VersionInfo {
  readonly major: string
  readonly minor: string
  readonly emulationMajor: string
  readonly emulationMinor: string
  readonly minCompatibilityMajor: string
  readonly minCompatibilityMinor: string
  readonly gitVersion: string
  readonly gitCommit: string
  readonly gitTreeState: string
  readonly buildDate: string
  readonly goVersion: string
  readonly compiler: string
  readonly platform: string
}

/** One named check of `/livez`, `/readyz` and `/healthz`. Answers why it fails. */
export interface HealthCheck {
  readonly name: string
  /** Which end points list it. @default all */
  readonly endpoints?: readonly ('livez' | 'readyz' | 'healthz')[]
  check(): string | undefined
}

/** One answered document with its cache headers. */
export interface Document {
  readonly status: number
  readonly headers: Record<string, string>
  /** Large ones come in pieces, made as they are sent. */
  readonly body: Buffer | string | Iterable<Buffer>
}

/** Discovery and OpenAPI: documents by path. */
export interface Documents {
  /** Undefined: no such document here. @throws StatusError 406 */
  find(path: string, query: Query, headers: Readonly<Record<string, string>>): Document | undefined
}

/** A request for a connection: admitted already. */
export interface Connection {
  readonly reply: Reply
  readonly target: Target
  readonly query: Query
  /** A PodExecOptions and the like, from the query. */
  readonly options: KubeObject
  /** As sent, decoded. */
  readonly path: string
}

/**
 * A subresource that is a connection instead of an object: log, exec, attach, portforward, proxy.
 * The connector answers by itself.
 * @throws StatusError
 */
export type Connector = (connection: Connection) => Promise<void>

export interface HandlerOptions {
  readonly api: Api
  /** Who asks; undefined: 401. */
  authenticate(exchange: Exchange, notes: TokenNotes): Promise<UserInfo | undefined> | UserInfo | undefined
  /** The process's fair sharing, and as which cluster this one stands in it. @default everybody is let in at once */
  readonly fairShare?: { readonly shares: FairShare; readonly cluster: string }
  readonly discovery: Documents
  readonly openapi: Documents
  readonly version: VersionInfo
  /** Beside `ping`, which is always there. @default none */
  readonly checks?: readonly HealthCheck[]
  /** @default none: `/metrics` is 404 */
  readonly metrics?: ClusterMetrics
  /** @default none */
  readonly audit?: Auditor | undefined
  /** Which requests of the cluster go first. @default all are alike */
  readonly flows?: Pick<FlowClassifier, 'classify'>
  /** `pods/log` and other connecting subresources, by `resource/subresource`. @default none: 404 */
  readonly connectors?: Readonly<Record<string, Connector>>
  /** Group versions that other servers serve. @default none */
  readonly aggregation?: Aggregation
  /** Documents of the service account issuer. @default none: 404 */
  readonly issuer?: { readonly configuration: object; readonly jwks: object }
  readonly log: HttpLog
  /** Milliseconds since the epoch. */
  now(): number
  /** A number in [0, 1). */
  random(): number
  /** Bytes of a request body. @default 3 MiB */
  readonly maxBody?: number
  /** Milliseconds until a short request is answered with 504. @default 60 000 */
  readonly requestTimeout?: number
  /** Bytes that may wait for one slow watcher beyond its initial state before it is closed. @default 8 MiB */
  readonly watchBuffer?: number
  /** Bodies from this size on are compressed for clients that accept it, in bytes. @default 131 072 */
  readonly gzipFrom?: number
}
