/** What a pod asks for and may use as a whole: its containers added up, init containers by their maximum. */
import type { KubeObject } from './object.ts'
import type { Quantity } from './quantity.ts'
import { addQuantities, compareQuantities, parseQuantity } from './quantity.ts'

/** Amounts by resource name. */
export type Quantities = ReadonlyMap<string, Quantity>

interface Container {
  restartPolicy?: string
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
}

/** Resources whose pod-level amounts take the place of the sum of the containers. */
const POD_LEVEL = (name: string): boolean => name === 'cpu' || name === 'memory' || name.startsWith('hugepages-')

/** Parsed amounts; validation has seen to it that they parse. */
export function quantities(amounts: Readonly<Record<string, string>> | undefined): Map<string, Quantity> {
  const out = new Map<string, Quantity>()
  for (const [name, text] of Object.entries(amounts ?? {})) {
    const value = parseQuantity(String(text))
    if (value !== undefined) out.set(name, value)
  }
  return out
}

export const podRequests = (pod: KubeObject): Quantities => total(pod, 'requests')
export const podLimits = (pod: KubeObject): Quantities => total(pod, 'limits')

function total(pod: KubeObject, which: 'requests' | 'limits'): Quantities {
  const spec = pod['spec'] ?? {}
  const sum = new Map<string, Quantity>()
  for (const container of (spec.containers ?? []) as Container[]) add(sum, quantities(container.resources?.[which]))
  const sidecars = new Map<string, Quantity>()
  const peak = new Map<string, Quantity>()
  for (const container of (spec.initContainers ?? []) as Container[]) {
    const own = quantities(container.resources?.[which])
    if (container.restartPolicy === 'Always') {
      add(sum, own)
      add(sidecars, own)
      raise(peak, sidecars)
    } else {
      add(own, sidecars)
      raise(peak, own)
    }
  }
  raise(sum, peak)
  for (const [name, amount] of quantities(spec.resources?.[which])) if (POD_LEVEL(name)) sum.set(name, amount)
  return sum
}

function add(into: Map<string, Quantity>, from: Quantities): void {
  for (const [name, amount] of from) {
    const known = into.get(name)
    into.set(name, known === undefined ? amount : addQuantities(known, amount))
  }
}

function raise(into: Map<string, Quantity>, from: Quantities): void {
  for (const [name, amount] of from) {
    const known = into.get(name)
    if (known === undefined || compareQuantities(known, amount) < 0) into.set(name, amount)
  }
}
