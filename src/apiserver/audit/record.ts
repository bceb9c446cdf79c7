/** What the audit log says of one request, gathered while it is answered: audit.k8s.io/v1 Event. */
import type { Status } from '../../machinery/status.ts'
import type { Attributes, AuditSink, UserInfo } from '../contract.ts'
import type { AuditConfig, Level, Stage } from './policy.ts'
import { LEVELS } from './policy.ts'

/** Where events go. */
export interface AuditOutput {
  /** Takes one line of JSON with its newline. Never blocks. */
  write(line: string): void
  /** Lines that could not be kept. */
  readonly dropped?: number
}

/** What is known of a request when its record begins. */
export interface Received {
  readonly id: string
  /** As sent, with the query. */
  readonly uri: string
  readonly userAgent: string
  readonly sourceIps: readonly string[]
  readonly attributes: Attributes
  /** Whether the one who asks is known. */
  readonly authenticated: boolean
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Characters of a message that is logged without what else a long Status says. */
const MAX_MESSAGE = 4096
/** Bytes of a body beyond which it is left out, with upstream's mark. */
const MAX_BODY = 1024 * 1024
/** Annotations are written by webhooks and policies, which tenants write. */
const MAX_ANNOTATIONS = 256
const MAX_ANNOTATION = 64 * 1024
const MAX_AGENT = 1024

export class AuditRecord implements AuditSink {
  readonly level: Level
  readonly #config: AuditConfig
  readonly #received: Received
  readonly #output: AuditOutput
  readonly #now: () => number
  #impersonated: UserInfo | undefined
  #constraint = ''
  #object: { name?: string; namespace?: string; uid?: string; resourceVersion?: string } = {}
  #requestObject: string | undefined
  #responseObject: string | undefined
  #status: Partial<Status> | undefined
  #annotations: Map<string, string> | undefined

  constructor(config: AuditConfig, received: Received, output: AuditOutput, now: () => number) {
    this.level = config.level
    this.#config = config
    this.#received = received
    this.#output = output
    this.#now = now
  }

  annotate(key: string, value: string): void {
    const annotations = (this.#annotations ??= new Map())
    if (annotations.has(key) || annotations.size >= MAX_ANNOTATIONS) return
    annotations.set(key, value.length > MAX_ANNOTATION ? value.slice(0, MAX_ANNOTATION) : value)
  }

  annotateBody(key: string, value: () => string): void {
    if (this.wantsRequest) this.annotate(key, value())
  }

  /** The user whom the request acts as. `constraint`: the constrained mode by which it may, '' for the plain one. */
  impersonated(user: UserInfo, constraint: string): void {
    this.#impersonated = user
    this.#constraint = constraint
  }

  /** Whether bodies of requests are logged. */
  get wantsRequest(): boolean {
    return isAtLeast(this.level, 'Request')
  }

  /** Whether bodies of answers are logged. */
  get wantsResponse(): boolean {
    return isAtLeast(this.level, 'RequestResponse')
  }

  /** The object that was sent. */
  requestObject(object: object): void {
    const { metadata } = object as { metadata?: Record<string, unknown> }
    for (const field of ['name', 'namespace', 'uid', 'resourceVersion'] as const) {
      const value = metadata?.[field]
      if (typeof value === 'string' && value !== '') this.#object[field] = value
    }
    if (this.wantsRequest) this.#requestObject = this.#bounded(this.#textOf(object))
  }

  /** A patch, as it was sent. */
  requestPatch(patch: unknown): void {
    if (this.wantsRequest) this.#requestObject = this.#bounded(JSON.stringify(patch))
  }

  /** What is answered, if it is worth it: a Status always is. */
  responseObject(object: object): void {
    if (isStatus(object)) {
      const { kind: _kind, apiVersion: _apiVersion, ...rest } = object
      this.#status = { ...rest }
    }
    if (this.wantsResponse) this.#responseObject = this.#bounded(this.#textOf(object))
  }

  /** The same, of a Status that is too long to be logged whole. */
  longStatus({ kind: _kind, apiVersion: _apiVersion, details: _details, message = '', ...rest }: Status): void {
    this.#status = { ...rest, message: message.slice(0, MAX_MESSAGE) }
    this.tooLarge()
  }

  /** The same, of an object that is JSON text already. */
  responseBytes(bytes: Buffer): void {
    // Documents are no objects.
    if (!this.wantsResponse || this.#responseObject !== undefined || this.#received.attributes.resource === undefined)
      return
    if (bytes.length > MAX_BODY) this.tooLarge()
    else if (this.#config.omitManagedFields) this.responseObject(JSON.parse(bytes.toString('utf8')) as object)
    else this.#responseObject = bytes.toString('utf8').trimEnd()
  }

  /** A body was too large to be logged. */
  tooLarge(): void {
    this.annotate('audit.k8s.io/truncated', 'true')
  }

  /** The code that is answered. A status that was set before gets it. */
  code(code: number): void {
    this.#status = { ...(this.#status ?? { metadata: {} }), code }
  }

  /** What stands for an answer that has none. */
  status(status: Partial<Status>): void {
    this.#status = { metadata: {}, ...status }
  }

  /** Whether the one who asked could not be authenticated. */
  get isRefusal(): boolean {
    return !this.#received.authenticated
  }

  get hasStatus(): boolean {
    return this.#status !== undefined
  }

  /** Writes an event, if the policy wants this stage. */
  stage(stage: Stage): void {
    if (!this.#config.omitStages.has(stage)) this.#output.write(this.#line(stage))
  }

  #bounded(text: string): string | undefined {
    if (text.length <= MAX_BODY) return text
    this.tooLarge()
    return undefined
  }

  #textOf(object: object): string {
    if (!this.#config.omitManagedFields) return JSON.stringify(object)
    return JSON.stringify(object, (key, value: unknown) => (key === 'managedFields' ? undefined : value))
  }

  #line(stage: Stage): string {
    const { id, uri, userAgent, sourceIps, attributes, authenticated, at } = this.#received
    const constraint = this.#constraint
    const head = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: this.level,
      auditID: id,
      stage,
      requestURI: uri,
      verb: attributes.verb,
      user: authenticated ? userOf(attributes.user) : {},
      ...(this.#impersonated !== undefined && { impersonatedUser: userOf(this.#impersonated) }),
      ...(constraint !== '' && { authenticationMetadata: { impersonationConstraint: constraint } }),
      sourceIPs: sourceIps,
      ...(userAgent !== '' && {
        userAgent: userAgent.length > MAX_AGENT ? `${userAgent.slice(0, MAX_AGENT)}...TRUNCATED` : userAgent,
      }),
      ...(attributes.resource !== undefined && { objectRef: this.#objectRef() }),
      ...(this.#status !== undefined && { responseStatus: this.#status }),
    }
    const tail = {
      requestReceivedTimestamp: micro(at),
      stageTimestamp: micro(this.#now()),
      ...(this.#annotations !== undefined && {
        annotations: Object.fromEntries([...this.#annotations].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      }),
    }
    // Bodies are JSON text already.
    const request = this.#requestObject === undefined ? '' : `,"requestObject":${this.#requestObject}`
    const response = this.#responseObject === undefined ? '' : `,"responseObject":${this.#responseObject}`
    return `${JSON.stringify(head).slice(0, -1)}${request}${response},${JSON.stringify(tail).slice(1)}\n`
  }

  #objectRef(): object {
    const {
      resource,
      namespace = '',
      name = '',
      group = '',
      version = '',
      subresource = '',
    } = this.#received.attributes
    const { uid, resourceVersion } = this.#object
    return {
      resource,
      ...either('namespace', namespace, this.#object.namespace),
      ...either('name', name, this.#object.name),
      ...(uid !== undefined && { uid }),
      ...(group !== '' && { apiGroup: group }),
      ...(version !== '' && { apiVersion: version }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(subresource !== '' && { subresource }),
    }
  }
}

function either(field: string, first: string, second: string | undefined): Record<string, string> {
  const value = first === '' ? (second ?? '') : first
  return value === '' ? {} : { [field]: value }
}

const isAtLeast = (level: Level, wanted: Level): boolean => LEVELS.indexOf(level) >= LEVELS.indexOf(wanted)

function isStatus(object: object): object is Status {
  const { kind, apiVersion } = object as { kind?: unknown; apiVersion?: unknown }
  return kind === 'Status' && apiVersion === 'v1'
}

function userOf(user: UserInfo): object {
  const { name, uid = '', groups, extra } = user
  return {
    username: name,
    ...(uid !== '' && { uid }),
    ...(groups.length > 0 && { groups }),
    ...(extra !== undefined && Object.keys(extra).length > 0 && { extra }),
  }
}

/** Go's MicroTime. */
const micro = (milliseconds: number): string => {
  const whole = Math.floor(milliseconds)
  const rest = Math.floor((milliseconds - whole) * 1000)
  return `${new Date(whole).toISOString().slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}
