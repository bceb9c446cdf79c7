/** Accept headers: which encoding and which transformation the client takes. */
import { errors } from '../../machinery/status.ts'

export type Encoding = 'json' | 'yaml'

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
}

export const SUPPORTED = ['application/json', 'application/yaml'] as const
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
      if (name === 'q') q = Number(value)
      else parameters.set(name, value)
    }
    const trimmed = type.trim().toLowerCase()
    if (trimmed === '') continue
    clauses.push({ type: trimmed === '*' ? '*/*' : trimmed, parameters, q: Number.isFinite(q) ? q : 0 })
  }
  const rank = (c: Clause) => (c.type === '*/*' ? 2 : c.type.endsWith('/*') ? 1 : 0)
  return clauses.filter((c) => c.q > 0).toSorted((a, b) => b.q - a.q || rank(a) - rank(b))
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
  if (as === 'Table') return can.table ? { encoding, as, version } : undefined
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList')
    return can.metadata ? { encoding, as, version } : undefined
  return undefined
}

/** The best clause that can be served. @throws StatusError 406 */
export function negotiate(header: string | undefined, can: Transformable = NONE): Negotiated {
  if (header === undefined || header === '' || header === '*/*' || header === 'application/json') return PLAIN
  for (const clause of parseAccept(header)) {
    const found = accept(clause, can)
    if (found !== undefined) return found
  }
  throw errors.notAcceptable(SUPPORTED)
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
  for (const clause of parseAccept(header)) {
    const found = accept(clause, can)
    if (found?.encoding === 'json') return found
  }
  throw errors.notAcceptable(['application/json', 'application/json;stream=watch'])
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
