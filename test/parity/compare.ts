/** Where two answers differ, and in what. */
import type { Answer, Json, JsonObject } from './case.ts'

/** In the order of how much a client minds. */
export const CLASSES = ['code', 'reason', 'field', 'object', 'header', 'message'] as const
export type Class = (typeof CLASSES)[number]

export interface Difference {
  readonly class: Class
  /** `metadata.name`, `details.causes`, a header's name. */
  readonly path: string
  readonly real: string
  readonly ours: string
}

const ABSENT = '(absent)'
/** More are not told of one answer. */
const MOST = 25

export function compare(real: Answer, ours: Answer): Difference[] {
  const out: Difference[] = []
  if (real.code !== ours.code) {
    out.push({ class: 'code', path: '', real: summary(real), ours: summary(ours) })
    return out
  }
  const [a, b] = [asStatus(real.body), asStatus(ours.body)]
  if (a !== undefined && b !== undefined) statuses(a, b, out)
  else objects(real.body, ours.body, '', out)
  for (const name of new Set([...Object.keys(real.headers), ...Object.keys(ours.headers)])) {
    const [x, y] = [real.headers[name] ?? ABSENT, ours.headers[name] ?? ABSENT]
    if (x !== y) out.push({ class: 'header', path: name, real: x, ours: y })
  }
  return out.slice(0, MOST)
}

function asStatus(body: Json): JsonObject | undefined {
  return isObject(body) && body['kind'] === 'Status' && body['apiVersion'] === 'v1' && 'status' in body
    ? body
    : undefined
}

function summary({ code, body }: Answer): string {
  const status = asStatus(body)
  if (status === undefined) return typeof body === 'string' ? `${code} ${body.slice(0, 200)}` : String(code)
  return `${code} ${str(status['reason'])} ${str(status['message'])}`
}

function statuses(a: JsonObject, b: JsonObject, out: Difference[]): void {
  differ(a['reason'], b['reason'], 'reason', 'reason', out)
  const [x, y] = [objectOr(a['details']), objectOr(b['details'])]
  const fields = (details: JsonObject) => causes(details).map((c) => `${str(c['field'])} ${str(c['reason'])}`)
  const texts = (details: JsonObject) =>
    causes(details).map((c) => `${str(c['field'])} ${str(c['reason'])} ${sorted(untilDiff(str(c['message'])))}`)
  const found = out.length
  unordered(fields(x), fields(y), 'field', 'details.causes', out)
  const sameFields = out.length === found
  if (sameFields) unordered(texts(x), texts(y), 'message', 'details.causes', out)
  const { causes: _a, ...restA } = x
  const { causes: _b, ...restB } = y
  objects(restA, restB, 'details', out)
  const { message: m, details: _d, reason: _r, ...others } = a
  const { message: n, details: _e, reason: _s, ...othersB } = b
  objects(others, othersB, '', out)
  // The text repeats the causes.
  const whole = !causes(x).some((c) => str(c['message']).includes('\n'))
  if (sameFields && whole && sorted(str(m)) !== sorted(str(n)))
    out.push({ class: 'message', path: 'message', real: str(m), ours: str(n) })
}

function causes(details: JsonObject): JsonObject[] {
  const list = details['causes']
  return Array.isArray(list) ? (list as JsonObject[]) : []
}

/** What follows is a difference of Go values, in the form of a library's debugging output. */
function untilDiff(text: string): string {
  return text.split('\n', 1)[0]!
}

/** Go walks maps in any order, so that parts of a text may be told in any order. */
function sorted(text: string): string {
  return text
    .replace(/^[^:]* is invalid: /, '')
    .replaceAll(/[[\]]/g, '')
    .split(/, /)
    .sort()
    .join(', ')
}

function unordered(a: string[], b: string[], kind: Class, path: string, out: Difference[]): void {
  const [missing, extra] = [minus(a, b), minus(b, a)]
  if (missing.length + extra.length === 0) return
  out.push({ class: kind, path, real: missing.join(' | ') || '(none more)', ours: extra.join(' | ') || '(none more)' })
}

function minus(a: readonly string[], b: readonly string[]): string[] {
  const left = [...b]
  return a.filter((text) => {
    const at = left.indexOf(text)
    if (at < 0) return true
    left.splice(at, 1)
    return false
  })
}

function objects(a: Json | undefined, b: Json | undefined, path: string, out: Difference[]): void {
  if (isObject(a) && isObject(b)) {
    for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
      objects(a[name], b[name], path === '' ? name : `${path}.${name}`, out)
  } else if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) differ(a, b, 'object', path, out)
    else for (const [i, item] of a.entries()) objects(item, b[i], `${path}[${i}]`, out)
  } else differ(a, b, 'object', path, out)
}

/** Each server has certificates of its own. */
function isFingerprint(json: Json | undefined): boolean {
  return typeof json === 'string' && /^X509SHA256=[0-9a-f]{64}$/.test(json)
}

/** The older a row is the more units it has. */
function isAge(json: Json | undefined): boolean {
  return typeof json === 'string' && /^(<age>|(\d+[smhdy])+)$/.test(json)
}

/** The allocator of each server chooses for itself, of all ranges that there are. */
function isAllocated(path: string, a: Json | undefined, b: Json | undefined): boolean {
  if (path.endsWith('authentication.kubernetes.io/credential-id[0]')) return isFingerprint(a) && isFingerprint(b)
  if (/\.cells\[\d+\]$/.test(path) && isAge(a) && isAge(b)) return true
  const address = (json: Json | undefined) => typeof json === 'string' && /^(<ip>|[\d.]+)$/.test(json)
  return /\bclusterIPs?(\[0\])?$/.test(path) && address(a) && address(b)
}

function differ(a: Json | undefined, b: Json | undefined, kind: Class, path: string, out: Difference[]): void {
  if (isAllocated(path, a, b)) return
  if (JSON.stringify(a) === JSON.stringify(b)) return
  const text = (json: Json | undefined) => (json === undefined ? ABSENT : JSON.stringify(json))
  out.push({ class: kind, path, real: text(a), ours: text(b) })
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const objectOr = (value: Json | undefined): JsonObject => (isObject(value) ? value : {})
const str = (value: Json | undefined): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
