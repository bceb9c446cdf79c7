/** Takes out of an answer what differs from server to server and from run to run. */
import { load } from 'js-yaml'
import type { Answer, Json, JsonObject } from './case.ts'

/** Headers that clients read. */
const COMPARED = ['content-type', 'warning', 'location', 'retry-after', 'www-authenticate', 'cache-control', 'allow']
/** Headers of which it only counts that they are there. */
const PRESENT = ['audit-id']

const TIME = /^20(2[6-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/
const TIMES = /20(2[6-9]|[3-9]\d)-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g
const UUID = /\b(?!00000000-)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
const CLUSTER_IP = /^10\.96\.\d+\.\d+$/
const VERSION_KEYS = new Set(['resourceVersion', 'storageVersionHash'])
const NODE_PORT_KEYS = new Set(['nodePort', 'healthCheckNodePort'])

export interface RawAnswer {
  readonly code: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

/** `request` is the text of the request before anything was put in: what it holds is kept. */
export function normalise(raw: RawAnswer, request: string): Answer {
  const headers: Record<string, string> = {}
  for (const name of COMPARED) {
    const value = raw.headers[name]
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.toSorted().join('\n') : value
  }
  for (const name of PRESENT) if (raw.headers[name] !== undefined) headers[name] = 'present'
  let body: Json = raw.text
  if ((headers['content-type'] ?? '').includes('json') && raw.text !== '') {
    try {
      body = value(JSON.parse(raw.text) as Json, '', request)
    } catch {
      // Kept as text: a server that sends no JSON as JSON differs.
    }
  } else if ((headers['content-type'] ?? '').includes('yaml')) body = value(load(raw.text) as Json, '', request)
  else body = text(raw.text, request)
  return { code: raw.code, headers, body }
}

function value(json: Json, key: string, request: string): Json {
  if (Array.isArray(json)) return json.map((item) => value(item, key, request))
  if (typeof json === 'string') {
    if (json === '') return json
    if (VERSION_KEYS.has(key)) return request.includes(`"${key}":"${json}"`) ? json : '<version>'
    if (key === 'continue') return '<continue>'
    if (key === 'token' && json.startsWith('ey')) return '<token>'
    if (TIME.test(json)) return request.includes(json) ? json : '<time>'
    if (CLUSTER_IP.test(json)) return request.includes(json) ? json : '<ip>'
    return text(json, request)
  }
  if (typeof json === 'number') {
    return NODE_PORT_KEYS.has(key) && json >= 30_000 && !request.includes(String(json)) ? '<port>' : json
  }
  if (json === null || typeof json !== 'object') return json
  const out: JsonObject = {}
  if (Array.isArray(json['cells']) && 'object' in json) json['cells'] = json['cells'].map(cell)
  for (const [name, item] of Object.entries(json)) out[name] = value(item, name, request)
  const { generateName, name } = out
  if (typeof generateName === 'string' && typeof name === 'string' && name.length === generateName.length + 5)
    out['name'] = `${generateName}<random>`
  return out
}

/** An age of a row: how long ago the object was made. */
function cell(given: Json): Json {
  return typeof given === 'string' && /^\d+s$/.test(given) ? '<age>' : given
}

function text(given: string, request: string): string {
  return given
    .replaceAll(UUID, (uid) => (request.includes(uid) ? uid : '<uid>'))
    .replaceAll(TIMES, (time) => (request.includes(time) ? time : '<time>'))
    .replaceAll(/\bBad_[a-z0-9]{5}\b/g, 'Bad_<random>')
    .replaceAll(/\b(c[0-9a-f]{8}-)[a-z0-9]{5}\b/g, '$1<random>')
    .replaceAll(/kube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-<random>')
    .replaceAll(/(\\*"resourceVersion\\*":\\*")\d+/g, '$1<version>')
    .replaceAll(/\bcurrent: \d+/g, 'current: <version>')
    .replaceAll(/\b(127\.0\.0\.1|localhost):\d+/g, '<server>')
}
