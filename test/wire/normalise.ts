/** Takes out of an answer what differs from server to server and from run to run. */
import { load } from 'js-yaml'
import type { Answered } from '../support/ask.ts'

const COMPARED = [
  'access-control-allow-origin',
  'allow',
  'cache-control',
  'content-encoding',
  'content-type',
  'location',
  'retry-after',
  'vary',
  'warning',
  'www-authenticate',
  'x-content-type-options',
]
/** Headers of which it only counts that they are there. */
const PRESENT = ['audit-id', 'etag']

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const TIME = /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g

export interface Shown {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** `head`: without the body; `pretty`: with its blanks. */
export function shown(answered: Answered, head: boolean, pretty: boolean): Shown {
  const headers: Record<string, string> = {}
  for (const name of COMPARED) if (answered.headers[name] !== undefined) headers[name] = answered.headers[name]
  for (const name of PRESENT) if (answered.headers[name] !== undefined) headers[name] = 'present'
  if (head) return { status: answered.status, headers, body: '' }
  const type = headers['content-type'] ?? ''
  if (type.includes('protobuf')) return { status: answered.status, headers, body: binary(answered.body) }
  let body = answered.body.toString()
  // Members in any order, but for those who asked for text to read; blanks of errors are upstream's whim.
  if (type.includes('yaml')) body = sorted(JSON.stringify(load(body)))
  else if (type.includes('json') && (!pretty || /^\{\s*"kind": ?"Status"/.test(body))) {
    if (body.startsWith('{\n')) body = `${JSON.stringify(JSON.parse(body))}\n`
    body = body
      .split('\n')
      .map((line) => (line === '' ? '' : sorted(line)))
      .join('\n')
  }
  return { status: answered.status, headers, body: text(body) }
}

function sorted(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line, reviver))
  } catch {
    return line
  }
}

/** Prose and hashes are not compared, managers in the order of their names. */
function reviver(key: string, value: unknown): unknown {
  if (key === 'description') return ''
  // What both servers make for themselves they make in ways of their own.
  if (key === 'managedFields' && !JSON.stringify(value).includes('"wire"')) return undefined
  if (key === 'continue' && typeof value === 'string' && value !== '') return token(value)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function token(value: string): string {
  return (
    Buffer.from(value, 'base64url')
      .toString()
      .replace(/"rv":\d+/, '"rv":N')
      // The key of the first page that is missing, relative to a prefix that upstream ends before its slash.
      .replace('"start":"/', '"start":"')
  )
}

function text(body: string): string {
  return body
    .replaceAll(UUID, '<uid>')
    .replaceAll(TIME, '<time>')
    .replaceAll(/("?resourceVersion"?: ?"?)(\d+)/g, (_, before: string, version: string) => {
      return `${before}${version === '0' ? '0' : '<version>'}`
    })
    .replaceAll(/("continue": ?")([^"]+)"/g, (_, before: string, value: string) => `${before}${token(value)}"`)
    .replaceAll(/current: \d+/g, 'current: <version>')
    .replaceAll(/("cells":\[.*?,)"\d+(s|m\d*s?)"/g, '$1"<age>"')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<server>')
}

/** The texts in a message, with what varies taken out; bytes that tell lengths and numbers become blanks. */
function binary(body: Buffer): string {
  const readable = body
    .toString('latin1')
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '<uid>')
    .replaceAll(/[^ -~]+/g, ' ')
  return readable.replaceAll(/(?<= )\d{1,4}(?= )/g, '<version>')
}

/** What differs, each on a line, real first; '' when nothing does. */
export function difference(real: Shown, ours: Shown): string {
  const out: string[] = []
  if (real.status !== ours.status) out.push(`status: ${real.status} | ${ours.status}`)
  for (const name of new Set([...Object.keys(real.headers), ...Object.keys(ours.headers)])) {
    const [a, b] = [real.headers[name] ?? 'none', ours.headers[name] ?? 'none']
    if (a !== b) out.push(`${name}: ${a} | ${b}`)
  }
  if (real.body !== ours.body) {
    let at = 0
    while (at < real.body.length && real.body[at] === ours.body[at]) at++
    const from = Math.max(0, at - 60)
    out.push(`body at ${at}:\n  ${real.body.slice(from, at + 240)}\n  ${ours.body.slice(from, at + 240)}`)
  }
  return out.join('\n')
}
