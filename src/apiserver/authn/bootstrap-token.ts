/** Bootstrap tokens: Secrets of kube-system by which nodes join (`system:bootstrap:<id>`). Looked up when one is shown. */
import { timingSafeEqual } from 'node:crypto'
import { objectOf } from '../contract.ts'
import type { Range } from '../../store/contract.ts'
import type { PlainResult, PlainTokenSource } from './bearer.ts'

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const DEFAULT_GROUP = 'system:bootstrappers'
const nobody: PlainResult = { problem: '' }

/** @param now milliseconds since the epoch */
export function bootstrapTokens(range: Range, now: () => number): PlainTokenSource {
  return {
    check(token) {
      const [, id, secret] = TOKEN.exec(token) ?? []
      if (id === undefined || secret === undefined) return nobody
      const entry = range.get(`core/secrets/kube-system/bootstrap-token-${id}`)
      if (entry === undefined) return nobody
      const {
        type,
        data = {},
        metadata,
      } = objectOf(entry) as {
        type?: string
        data?: Readonly<Record<string, string>>
        metadata: { deletionTimestamp?: string }
      }
      if (metadata.deletionTimestamp !== undefined || type !== 'bootstrap.kubernetes.io/token') return nobody
      const value = (key: string): string =>
        Object.hasOwn(data, key) ? Buffer.from(data[key]!, 'base64').toString('utf8') : ''
      if (!equal(value('token-secret'), secret) || value('token-id') !== id) return nobody
      if (isExpired(value('expiration'), now())) return nobody
      if (value('usage-bootstrap-authentication') !== 'true') return nobody
      const extra = value('auth-extra-groups')
      const groups = extra === '' ? [] : extra.split(',')
      if (!groups.every((group) => GROUP.test(group))) return nobody
      return { user: { name: `system:bootstrap:${id}`, groups: [...new Set([DEFAULT_GROUP, ...groups])].toSorted() } }
    },
  }
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** A time that cannot be read has passed. */
export function isExpired(expiration: string, now: number): boolean {
  if (expiration === '') return false
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(expiration) ? Date.parse(expiration) : Number.NaN
  return !(at > now)
}
