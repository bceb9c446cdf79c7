/** ConfigMaps and Secrets. */
import { forbidden, invalid, key as keyed, required, tooLong } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isConfigMapKey } from '../../names.ts'
import type { Steps } from '../../schema/steps.ts'
import { each, immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { fieldText } from '../fields.ts'
import { entriesOf, entry, isSet, same, setEntry } from '../json.ts'
import type { Json } from '../json.ts'
import { pairProblem } from './tls-pair.ts'

/** 1 MiB over all values. */
const SIZE_LIMIT = 1024 * 1024
const LOCKED = 'field is immutable when `immutable` is set'

/** The number of bytes that base64 text holds, without decoding it. */
function decodedSize(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0
  return Math.max(0, Math.floor((base64.length * 3) / 4) - padding)
}

/** Entries of one step. */
const STEP = 2000

function* validateConfigMap(map: Json): Steps<FieldError[]> {
  const out: Errors = []
  let size = 0
  for (const [i, [name, value]] of entriesOf(map.data).entries()) {
    if (i % STEP === STEP - 1) yield undefined
    const at = keyed('data', name)
    each(isConfigMapKey(name), at, name, out)
    if (entry(map.binaryData, name) !== undefined) {
      out.push(invalid(at, name, 'duplicate of key present in binaryData'))
    }
    size += Buffer.byteLength(String(value))
  }
  for (const [i, [name, value]] of entriesOf(map.binaryData).entries()) {
    if (i % STEP === STEP - 1) yield undefined
    each(isConfigMapKey(name), keyed('binaryData', name), name, out)
    size += decodedSize(String(value ?? ''))
  }
  if (size > SIZE_LIMIT) out.push(tooLong('', SIZE_LIMIT))
  return out
}

/** Once `immutable` is set, neither it nor the data change. */
function locked(now: Json, old: Json, fields: readonly string[], out: Errors): void {
  if (old.immutable !== true) return
  if (now.immutable !== true) out.push(forbidden('immutable', LOCKED))
  for (const field of fields) if (!same(now[field], old[field])) out.push(forbidden(field, LOCKED))
}

export const configMapRules: KindRules = {
  validateInSteps: validateConfigMap,
  validateUpdate: (now, old) => {
    const out: Errors = []
    locked(now, old, ['data', 'binaryData'], out)
    return out
  },
  generation: false,
}

/** `stringData` is a way to write `data`: it is merged and never stored. */
function mergeStringData(secret: Json): void {
  if (!isSet(secret.stringData)) return
  if (entriesOf(secret.stringData).length > 0) {
    secret.data = { ...secret.data }
    for (const [name, value] of entriesOf(secret.stringData)) {
      setEntry(secret.data, name, Buffer.from(String(value)).toString('base64'))
    }
  }
  delete secret.stringData
}

const ACCOUNT_NAME = 'kubernetes.io/service-account.name'

function* validateSecret(secret: Json): Steps<FieldError[]> {
  const out: Errors = []
  let size = 0
  for (const [i, [name, value]] of entriesOf(secret.data).entries()) {
    if (i % STEP === STEP - 1) yield undefined
    each(isConfigMapKey(name), keyed('data', name), name, out)
    size += decodedSize(String(value ?? ''))
  }
  if (size > SIZE_LIMIT) out.push(tooLong('data', SIZE_LIMIT))
  byType(secret, out)
  return out
}

function byType(secret: Json, out: Errors): void {
  const { data } = secret
  const has = (name: string): boolean => entry(data, name) !== undefined
  const need = (name: string): unknown => out.push(required(keyed('data', name)))
  switch (secret.type) {
    case 'kubernetes.io/service-account-token':
      if (!entry(secret.metadata.annotations, ACCOUNT_NAME)) {
        out.push(required(keyed('metadata.annotations', ACCOUNT_NAME)))
      }
      return
    case 'kubernetes.io/dockercfg':
      jsonObject(data, '.dockercfg', out)
      return
    case 'kubernetes.io/dockerconfigjson':
      jsonObject(data, '.dockerconfigjson', out)
      return
    case 'kubernetes.io/basic-auth':
      if (has('username') || has('password')) return
      need('username')
      need('password')
      return
    case 'kubernetes.io/ssh-auth':
      if (!entry(data, 'ssh-privatekey')) need('ssh-privatekey')
      return
    case 'kubernetes.io/tls':
      if (!has('tls.crt')) need('tls.crt')
      if (!has('tls.key')) need('tls.key')
  }
}

function jsonObject(data: Json, name: string, out: Errors): void {
  const value: Json = entry(data, name)
  if (value === undefined) {
    out.push(required(keyed('data', name)))
    return
  }
  const problem = whyNoJsonObject(Buffer.from(String(value ?? ''), 'base64').toString('utf8'))
  if (problem !== undefined) out.push(invalid(keyed('data', name), '<secret contents redacted>', problem))
}

/** The decoder's words, as far as clients see them. */
function whyNoJsonObject(text: string): string | undefined {
  if (text.trim() === '') return 'unexpected end of JSON input'
  try {
    const value: unknown = JSON.parse(text)
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) return undefined
    const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
  } catch {
    const first = text.trimStart()[0]!
    if ('{["-0123456789tfn'.includes(first)) return 'unexpected end of JSON input'
    return `invalid character '${first}' looking for beginning of value`
  }
}

export const secretRules: KindRules = {
  defaults: (secret) => {
    mergeStringData(secret)
    if (!secret['type']) secret['type'] = 'Opaque'
  },
  prepareCreate: mergeStringData,
  prepareUpdate: (secret, old) => {
    mergeStringData(secret)
    if (!secret['type']) secret['type'] = old['type']
  },
  validateInSteps: validateSecret,
  validateUpdate: (now, old) => {
    const out: Errors = []
    immutable(now['type'], old['type'], 'type', out, now['type'] ?? '')
    locked(now, old, ['data'], out)
    return out
  },
  generation: false,
  fields: { type: fieldText('type') },
  warnings: (secret) => {
    if (secret['type'] !== 'kubernetes.io/tls') return []
    const data: Json = secret['data']
    const problem = pairProblem(entry(data, 'tls.crt'), entry(data, 'tls.key'))
    return problem === undefined ? [] : [problem]
  },
}
