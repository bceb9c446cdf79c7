/** Amounts of resources as plain numbers: CPU in milli, everything else in units. */
import type { StringMap } from '../../machinery/object.ts'
import { parseQuantity, quantityMilli, quantityValue } from '../../machinery/quantity.ts'
import type { Container, Pod } from '../objects.ts'

export type Amounts = ReadonlyMap<string, number>

/** Texts of quantities repeat: `100m` is read once. */
const cache = new Map<string, number>()
const CACHED = 4096

export function amountOf(resource: string, text: string | number): number {
  const key = `${resource === 'cpu' ? 'm' : ''}\n${text}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const quantity = parseQuantity(String(text))
  const value =
    quantity === undefined ? 0 : Number(resource === 'cpu' ? quantityMilli(quantity) : quantityValue(quantity))
  if (cache.size >= CACHED) cache.clear()
  cache.set(key, value)
  return value
}

export function amountsOf(resources: StringMap | undefined): Map<string, number> {
  const out = new Map<string, number>()
  for (const [name, text] of Object.entries(resources ?? {})) out.set(name, amountOf(name, text))
  return out
}

function add(to: Map<string, number>, amounts: Amounts): void {
  for (const [name, value] of amounts) to.set(name, (to.get(name) ?? 0) + value)
}

function raise(to: Map<string, number>, amounts: Amounts): void {
  for (const [name, value] of amounts) to.set(name, Math.max(to.get(name) ?? 0, value))
}

/**
 * What a pod needs of a node: all containers and sidecars at once, or, if that is more, one init container beside the
 * sidecars before it; with the pod's own requests above those, and the overhead.
 */
export function requestsOf(pod: Pod): Map<string, number> {
  const total = new Map<string, number>()
  for (const container of pod.spec.containers) add(total, requests(container))
  const sidecars = new Map<string, number>()
  const initial = new Map<string, number>()
  for (const container of pod.spec.initContainers ?? []) {
    const own = requests(container)
    if (container.restartPolicy === 'Always') {
      add(sidecars, own)
      raise(initial, sidecars)
    } else {
      const both = new Map(sidecars)
      add(both, own)
      raise(initial, both)
    }
  }
  add(total, sidecars)
  raise(total, initial)
  for (const [name, value] of amountsOf(pod.spec.resources?.requests)) total.set(name, value)
  add(total, amountsOf(pod.spec.overhead))
  return total
}

function requests(container: Container): Amounts {
  return amountsOf(container.resources?.requests)
}
