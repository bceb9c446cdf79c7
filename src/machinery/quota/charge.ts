/** Whether a write fits into a namespace's ResourceQuotas, and what they show afterwards. Pure. */
import type { KubeObject } from '../object.ts'
import { quantities, type Quantities } from '../pod-resources.ts'
import type { Quantity } from '../quantity.ts'
import { addQuantities, compareQuantities, formatQuantity, signOf, subtractQuantities } from '../quantity.ts'
import { scopesOf } from './scopes.ts'
import { setOwn } from '../codec/exact.ts'
import { negatives, type Evaluator } from './usage.ts'

export type Charge =
  /** Why not, as messages say it. */
  | { readonly refused: string }
  /** Quotas with new `status.used`; those that the write does not touch are left out. */
  | { readonly quotas: readonly KubeObject[] }

/** Whether the quota, by its status, limits something that the object has. */
export function isAbout(quota: KubeObject, evaluator: Evaluator, object: KubeObject): boolean {
  const limited = Object.keys((quota['status']?.hard ?? {}) as object)
  return (
    limited.some((name) => evaluator.covers(name)) && scopesOf(quota).every((scope) => evaluator.fits(scope, object))
  )
}

/** `old`: what is stored, for updates. */
export function charge(
  quotas: readonly KubeObject[],
  evaluator: Evaluator,
  object: KubeObject,
  old: KubeObject | undefined,
  now: number,
): Charge {
  const about = quotas.filter((quota) => isAbout(quota, evaluator, object))
  if (about.length === 0) return { quotas: [] }
  for (const quota of about) {
    const refused = unready(quota, evaluator, object)
    if (refused !== undefined) return { refused }
  }
  const usage = evaluator.usage(object, now)
  const negative = negatives(usage)
  if (negative.length > 0) {
    return { refused: `quota usage is negative for resource(s): ${negative.toSorted().join(',')}` }
  }
  const more = old === undefined ? usage : increase(usage, evaluator.usage(old, now))
  const changed: KubeObject[] = []
  for (const quota of about) {
    // What the quota was not about before counts in full.
    const delta = old === undefined || isAbout(quota, evaluator, old) ? more : usage
    const next = chargeOne(quota, delta)
    if (typeof next === 'string') return { refused: next }
    if (next !== undefined) changed.push(next)
  }
  return { quotas: changed }
}

/** Why the quota cannot decide about the object. */
function unready(quota: KubeObject, evaluator: Evaluator, object: KubeObject): string | undefined {
  const names = Object.keys((quota['status']?.hard ?? {}) as object).filter((name) => evaluator.covers(name))
  const { name } = quota.metadata
  const missing = evaluator.missing?.(new Set(names), object)
  if (missing !== undefined) return `failed quota: ${name}: ${missing}`
  const used = quota['status']?.used ?? {}
  if (names.every((one) => Object.hasOwn(used, one))) return undefined
  return `status unknown for quota: ${name}, resources: ${names.toSorted().join(',')}`
}

/** The quota afterwards; undefined when nothing changes, a text when it would be exceeded. */
function chargeOne(quota: KubeObject, delta: Quantities): KubeObject | string | undefined {
  const { status } = quota
  // A quota may have thousands of names; a write is about a few.
  const hard = named(status?.hard, delta)
  const used = named(status?.used, delta)
  const next = new Map<string, Quantity>()
  const exceeded: string[] = []
  const asked = new Map<string, Quantity>()
  for (const [name, amount] of delta) {
    const limit = hard.get(name)
    if (limit === undefined || signOf(amount) === 0) continue
    asked.set(name, amount)
    const known = used.get(name)
    const sum = known === undefined ? amount : addQuantities(known, amount)
    next.set(name, sum)
    if (compareQuantities(sum, limit) > 0) exceeded.push(name)
  }
  if (exceeded.length > 0) {
    const show = (amounts: Quantities): string =>
      exceeded
        .toSorted()
        .flatMap((name) => (amounts.has(name) ? [`${name}=${formatQuantity(amounts.get(name)!)}`] : []))
        .join(',')
    const { name } = quota.metadata
    return `exceeded quota: ${name}, requested: ${show(asked)}, used: ${show(used)}, limited: ${show(hard)}`
  }
  if (asked.size === 0) return undefined
  return { ...quota, status: { ...status, used: { ...status?.used, ...written(next) } } }
}

/** The amounts of those names that are in `of`. */
function named(amounts: Readonly<Record<string, string>> | undefined, of: Quantities): Quantities {
  const found: Record<string, string> = {}
  if (amounts === undefined) return quantities(found)
  for (const name of of.keys()) if (Object.hasOwn(amounts, name)) setOwn(found, name, amounts[name]!)
  return quantities(found)
}

/** What is more than before. */
function increase(now: Quantities, before: Quantities): Quantities {
  const out = new Map<string, Quantity>()
  for (const [name, amount] of now) {
    const known = before.get(name)
    const difference = known === undefined ? amount : subtractQuantities(amount, known)
    if (signOf(difference) > 0) out.set(name, difference)
  }
  return out
}

/** As a status has amounts. */
export function written(amounts: Quantities): Record<string, string> {
  return Object.fromEntries([...amounts].map(([name, amount]) => [name, formatQuantity(amount)]))
}
