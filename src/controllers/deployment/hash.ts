/** The `pod-template-hash` of a Deployment's template. */
import type { PodTemplate } from '../objects.ts'

/** Characters that make no words. */
const SAFE = 'bcdfghjklmnpqrstvwxz2456789'

/**
 * FNV-1a (32 bits) over the template as JSON with sorted keys, then over the collision count if there is one, in
 * characters that are safe in names.
 *
 * Invariant: the value of a given template never changes between releases, because that would roll every Deployment.
 */
export function podTemplateHash(template: PodTemplate, collisionCount: number | undefined): string {
  let hash = fnv(0x811c9dc5, Buffer.from(canonical(template), 'utf8'))
  if (collisionCount !== undefined) {
    const count = Buffer.alloc(8)
    count.writeUInt32LE(collisionCount)
    hash = fnv(hash, count)
  }
  return Array.from(String(hash), (digit) => SAFE[digit.charCodeAt(0) % SAFE.length]!).join('')
}

function fnv(seed: number, bytes: Uint8Array): number {
  let hash = seed
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return hash
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item ?? null)).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const fields = Object.entries(value).filter(([, field]) => field !== undefined && field !== null)
  fields.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${fields.map(([key, field]) => `${JSON.stringify(key)}:${canonical(field)}`).join(',')}}`
}
