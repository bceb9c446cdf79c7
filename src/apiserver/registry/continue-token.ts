/** Continue tokens: base64url of `{"v":"meta.k8s.io/v1","rv":N,"start":"<key behind the prefix>"}`. */
import { decodeJsonBytes } from '../../machinery/codec/json.ts'
import { errors } from '../../machinery/status.ts'

export interface ContinueToken {
  /** The revision of the first page; -1: the newest. */
  readonly revision: number
  /** The first key of the page, relative to the list's prefix. */
  readonly start: string
}

export function encodeContinue(token: ContinueToken): string {
  const text = JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: token.start })
  return Buffer.from(text, 'utf8').toString('base64url')
}

const invalidToken = (why: string): Error =>
  errors.badRequest(`invalid continue token: continue key is not valid${why}`)

/** @throws StatusError 400 */
export function decodeContinue(text: string): ContinueToken {
  let value: unknown
  try {
    ;({ value } = decodeJsonBytes(Buffer.from(text, 'base64url')))
  } catch (error) {
    throw invalidToken(`: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (value === null || typeof value !== 'object') throw invalidToken('')
  const { v, rv, start } = value as { v?: unknown; rv?: unknown; start?: unknown }
  if (v !== 'meta.k8s.io/v1') {
    throw invalidToken(`: server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`)
  }
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0 || rv < -1) {
    throw invalidToken(': incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  }
  if (typeof start !== 'string' || start === '') {
    throw invalidToken(': encoded start key empty (version meta.k8s.io/v1)')
  }
  if (start.split('/').some((part) => part === '.' || part === '..')) throw invalidToken(`: ${start}`)
  return { revision: rv, start }
}
