/** Accept headers: which encoding and which transformation the client takes. */
import { errors } from '../../machinery/status.ts'

export type Encoding = 'json' | 'yaml' | 'protobuf'

export interface Negotiated {
  readonly encoding: Encoding
  /** `as=` of the clause that won. */
  readonly as?: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList'
  /** `v=` of a transformation: `v1` or `v1beta1`. */
  readonly version: string
}

interface Clause {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly q: number
}

/** What an endpoint can be transformed to. */
export interface Transformable {
  readonly table: boolean
  readonly metadata: boolean
  /** What is asked for; lists have a form of their own for metadata alone. @default either */
  readonly kind?: { readonly name: string; readonly list: boolean }
  /** Has no protobuf message: a custom resource. @default false */
  readonly custom?: boolean
  /** There is no route that looks at media types first. @default for custom resources */
  readonly unrouted?: boolean
}

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const SUPPORTED = ['application/json', 'application/yaml', PROTOBUF] as const
const STREAMED = ['application/json;stream=watch', `${PROTOBUF};stream=watch`] as const
/** What upstream's router looks for before anything else does: these exact types, or everything. */
const ROUTED: ReadonlySet<string> = new Set([...SUPPORTED, '*/*'])
const PLAIN: Negotiated = { encoding: 'json', version: '' }
const NONE: Transformable = { table: false, metadata: false }

/** At most so many clauses are looked at. */
const MAX_CLAUSES = 32

function parseAccept(header: string): Clause[] {
  const clauses: Clause[] = []
  for (const part of header.split(',', MAX_CLAUSES)) {
    const [type = '', ...rest] = part.split(';')
    const parameters = new Map<string, string>()
    let q = 1
    for (const item of rest) {
      const equals = item.indexOf('=')
      if (equals === -1) continue
      const name = item.slice(0, equals).trim().toLowerCase()
      const value = item
        .slice(equals + 1)
        .trim()
        .replace(/^"([^"]*)"$/, '$1')
      // What is no number counts as none given.
      if (name === 'q') q = Number.isFinite(Number(value)) ? Number(value) : 1
      else parameters.set(name, value)
    }
    const trimmed = type.trim().toLowerCase()
    if (trimmed === '') continue
    clauses.push({ type: trimmed === '*' ? '*/*' : trimmed, parameters, q })
  }
  const rank = (c: Clause) => (c.type === '*/*' ? 2 : c.type.endsWith('/*') ? 1 : 0)
  return clauses.toSorted((a, b) => b.q - a.q || rank(a) - rank(b))
}

function encodingOf(type: string): Encoding | undefined {
  switch (type) {
    case 'application/json':
    case 'application/*':
    case '*/*':
      return 'json'
    case 'application/yaml':
    case 'application/x-yaml':
    case 'text/yaml':
      return 'yaml'
    case PROTOBUF:
      return 'protobuf'
    default:
      return undefined
  }
}

function accept(clause: Clause, can: Transformable): Negotiated | undefined {
  const encoding = encodingOf(clause.type)
  if (encoding === undefined) return undefined
  const as = clause.parameters.get('as')
  if (as === undefined) return encoding === 'json' ? PLAIN : { encoding, version: '' }
  const version = clause.parameters.get('v') ?? ''
  if (clause.parameters.get('g') !== 'meta.k8s.io' || (version !== 'v1' && version !== 'v1beta1')) return undefined
  if (as === 'Table') return can.table && encoding !== 'protobuf' ? { encoding, as, version } : undefined
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
    return can.metadata ? { encoding, as, version } : undefined
  return undefined
}

/** The best clause that can be served. Protobuf is for those who take nothing else: it costs more to make. */
function best(clauses: readonly Clause[], can: Transformable): Negotiated | undefined {
  let last: Negotiated | undefined
  for (const clause of clauses) {
    const found = accept(clause, can)
    if (found !== undefined && found.encoding !== 'protobuf') return found
    last ??= found
  }
  return last
}

function requireMessage({ encoding, as }: Negotiated, { custom }: Transformable): void {
  if (custom !== true || encoding !== 'protobuf' || as !== undefined) return
  const why = 'does not implement the protobuf marshalling interface and cannot be encoded to a protobuf message'
  throw errors.notAcceptableForm(`object *unstructured.Unstructured ${why}`)
}

function route(clauses: readonly Clause[], supported: readonly string[]): void {
  if (clauses.some((clause) => ROUTED.has(clause.type))) return
  throw errors.unroutable(406, `Not Acceptable\n\nAvailable representations: ${supported.join(', ')}`)
}

/** @throws StatusError 406 */
export function negotiate(header: string | undefined, can: Transformable = NONE): Negotiated {
  if (header === undefined || header === '' || header === '*/*' || header === 'application/json') return PLAIN
  const clauses = parseAccept(header)
  if (!(can.unrouted ?? can.custom ?? false)) route(clauses, SUPPORTED)
  const found = best(clauses, can)
  if (found === undefined) throw errors.notAcceptable(SUPPORTED)
  requireMessage(found, can)
  if (can.kind !== undefined && found.as !== undefined && found.as !== 'Table') {
    const { name, list } = can.kind
    if (list !== (found.as === 'PartialObjectMetadataList')) {
      const what = list ? 'is a list' : 'is not a list'
      const message = `you requested ${found.as}, but the requested object ${what} (${name})`
      throw errors.notAcceptableForm(message)
    }
  }
  return found
}

/** For errors: never fails. */
export function negotiateError(header: string | undefined): Negotiated {
  try {
    const { encoding } = negotiate(header)
    return { encoding, version: '' }
  } catch {
    return PLAIN
  }
}

/** For watches: a stream of YAML documents does not exist. @throws StatusError 406 */
export function negotiateWatch(header: string | undefined, can: Transformable): Negotiated {
  if (header === undefined || header === '') return PLAIN
  const clauses = parseAccept(header)
  if (!(can.unrouted ?? can.custom ?? false)) route(clauses, [...SUPPORTED, ...STREAMED])
  const found = best(
    clauses.filter((clause) => encodingOf(clause.type) !== 'yaml'),
    can,
  )
  if (found === undefined) throw errors.notAcceptable(STREAMED)
  requireMessage(found, can)
  return found
}

/** Whether an Accept header has a clause of this type with all of these parameters. */
export function accepts(
  header: string | undefined,
  type: string,
  parameters: Readonly<Record<string, string>>,
): boolean {
  if (header === undefined) return false
  return parseAccept(header).some(
    (c) => c.type === type && Object.entries(parameters).every(([name, value]) => c.parameters.get(name) === value),
  )
}

/** Whether a body may be sent with gzip. */
export function acceptsGzip(header: string | undefined): boolean {
  if (header === undefined || !header.includes('gzip')) return false
  return header.split(',').some((part) => {
    const [name = '', ...parameters] = part.split(';')
    return name.trim().toLowerCase() === 'gzip' && !parameters.some((p) => /^\s*q=0(\.0*)?\s*$/.test(p))
  })
}
