/** The JSON merge patch (RFC 7386) that turns one value into another; `undefined` when they are the same. */
import { equalJson } from '../machinery/equality.ts'

export function mergeDiff(from: unknown, to: unknown): unknown {
  if (equalJson(from, to)) return undefined
  if (!plain(from) || !plain(to)) return to ?? null
  const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>
  for (const key of Object.keys(to)) {
    const change = mergeDiff(own(from, key), to[key])
    if (change !== undefined) out[key] = change
  }
  for (const key of Object.keys(from)) if (from[key] !== undefined && own(to, key) === undefined) out[key] = null
  return out
}

/** Names such as `toString` are data. */
function own(of: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(of, key) ? of[key] : undefined
}

function plain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
