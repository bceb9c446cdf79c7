/** Resources of a pod as a whole: what its containers come to, pod-level requirements, and their defaults. */
import { child, forbidden, invalid, key as keyed, notSupported } from '../../field.ts'
import { addQuantities, compareQuantities, formatQuantity, parseQuantity } from '../../quantity.ts'
import type { Quantity } from '../../quantity.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, entry, isSet, listOf, setEntry } from '../json.ts'
import type { Json } from '../json.ts'
import { isHugePages, isOvercommittable, resourceName, resourceRequirements } from '../resources.ts'

type Totals = Map<string, Quantity>

/** What can be set for a pod as a whole. */
function isPodLevel(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePages(name)
}

function add(totals: Totals, list: Json): void {
  for (const [name, text] of entriesOf(list)) {
    const quantity = parseQuantity(String(text))
    if (quantity === undefined) continue
    const sum = totals.get(name)
    totals.set(name, sum === undefined ? quantity : addQuantities(sum, quantity))
  }
}

function raise(totals: Totals, other: Totals): void {
  for (const [name, quantity] of other) {
    const current = totals.get(name)
    if (current === undefined || compareQuantities(quantity, current) > 0) totals.set(name, quantity)
  }
}

/**
 * The sum over containers, where init containers count by the highest moment: each runs with the sidecars that
 * started before it.
 */
export function aggregate(spec: Json, part: 'requests' | 'limits'): Totals {
  const totals: Totals = new Map()
  for (const container of listOf(spec.containers)) add(totals, container.resources?.[part])
  const sidecars: Totals = new Map()
  const initial: Totals = new Map()
  for (const container of listOf(spec.initContainers)) {
    const own: Json = container.resources?.[part]
    const moment: Totals = new Map()
    if (container.restartPolicy === 'Always') {
      add(totals, own)
      add(sidecars, own)
      raise(moment, sidecars)
    } else {
      add(moment, own)
      for (const [name, quantity] of sidecars) {
        const sum = moment.get(name)
        moment.set(name, sum === undefined ? quantity : addQuantities(sum, quantity))
      }
    }
    raise(initial, moment)
  }
  raise(totals, initial)
  return totals
}

/** `spec.resources`. */
export function podResources(spec: Json, claims: ReadonlySet<string>, path: string, out: Errors): void {
  const resources: Json = spec.resources
  if (!isSet(resources)) return
  const at = child(path, 'resources')
  if (spec.os?.name === 'windows') {
    out.push(forbidden(at, 'may not be set for a windows pod'))
    return
  }
  if (isSet(resources.claims))
    out.push(forbidden(child(at, 'claims'), 'claims may not be set for Resources at pod-level'))
  resourceRequirements(resources, { name: podResourceName, claims }, at, out)
  for (const [name, total] of aggregate(spec, 'requests')) {
    atLeast(entry(resources.requests, name), total, keyed(child(at, 'requests'), name), 'requests', out)
  }
  for (const [name, total] of aggregate(spec, 'limits')) {
    if (!isHugePages(name)) continue
    atLeast(entry(resources.limits, name), total, keyed(child(at, 'limits'), name), 'limits', out)
  }
  listOf(spec.containers).forEach((container, i) => {
    for (const [name, text] of entriesOf(container.resources?.limits)) {
      const limit: Json = entry(resources.limits, name)
      const [own, most] = [parseQuantity(String(text)), parseQuantity(String(limit ?? ''))]
      if (own === undefined || most === undefined || compareQuantities(own, most) <= 0) continue
      const detail = `must be less than or equal to pod limits of ${String(limit)}`
      out.push(invalid(`${at}.containers[${i}][${name}].limits`, String(text), detail))
    }
  })
}

function podResourceName(name: string, path: string, out: Errors): void {
  if (resourceName(name, path, out) && !isPodLevel(name)) {
    out.push(notSupported(path, name, ['cpu', 'hugepages-', 'memory']))
  }
}

function atLeast(text: Json, total: Quantity, path: string, what: string, out: Errors): void {
  const own = isSet(text) ? parseQuantity(String(text)) : undefined
  if (own === undefined || compareQuantities(total, own) <= 0) return
  const detail = `must be greater than or equal to aggregate container ${what} of ${formatQuantity(total)}`
  out.push(invalid(path, String(text), detail))
}

/** Fills in pod-level requests and limits where some are given. Changes `spec` in place. */
export function defaultPodResources(spec: Json): void {
  const resources: Json = spec.resources
  if (!isSet(resources)) return
  if (entriesOf(resources.requests).length === 0 && entriesOf(resources.limits).length === 0) return
  const limits: Json = { ...resources.limits }
  for (const [name, total] of aggregate(spec, 'limits')) {
    if (!isHugePages(name) || entry(resources.requests, name) !== undefined) continue
    if (entry(limits, name) === undefined) setEntry(limits, name, formatQuantity(total))
  }
  const requests: Json = { ...resources.requests }
  for (const [name, total] of aggregate(spec, 'requests')) {
    if (entry(requests, name) !== undefined || !isPodLevel(name) || !isOvercommittable(name)) continue
    setEntry(requests, name, formatQuantity(total))
  }
  for (const [name, text] of entriesOf(limits)) {
    if (entry(requests, name) === undefined && isPodLevel(name)) setEntry(requests, name, text)
  }
  limitsFromContainers(spec, requests, limits)
  if (entriesOf(limits).length > 0) resources.limits = limits
  if (entriesOf(requests).length > 0) resources.requests = requests
}

/** A limit follows from the containers' limits where every container has one. */
function limitsFromContainers(spec: Json, requests: Json, limits: Json): void {
  const all = [...listOf(spec.initContainers), ...listOf(spec.containers), ...listOf(spec.ephemeralContainers)]
  const totals = aggregate(spec, 'limits')
  for (const [name, text] of entriesOf(requests)) {
    if (!isPodLevel(name) || entry(limits, name) !== undefined) continue
    const total = totals.get(name)
    if (total === undefined || !all.every((c) => entry(c.resources?.limits, name) !== undefined)) continue
    const request = parseQuantity(String(text))
    const most = request !== undefined && compareQuantities(request, total) > 0 ? request : total
    setEntry(limits, name, formatQuantity(most))
  }
}
