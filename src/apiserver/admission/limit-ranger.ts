/** LimitRanger: defaults of a namespace's LimitRanges for containers, and their minima, maxima and ratios. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Quantity } from '../../machinery/quantity.ts'
import { formatQuantity, parseQuantity, quantityOf } from '../../machinery/quantity.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import type { Quantities } from '../../machinery/pod-resources.ts'
import { podLimits, podRequests, quantities } from '../../machinery/pod-resources.ts'
import { aggregate, refusal } from './refusal.ts'

type Amounts = Record<string, string>

interface Limit {
  type: string
  min?: Amounts
  max?: Amounts
  default?: Amounts
  defaultRequest?: Amounts
  maxLimitRequestRatio?: Amounts
}
interface Container {
  name: string
  resources?: { requests?: Amounts; limits?: Amounts }
}

const ANNOTATION = 'kubernetes.io/limit-ranger'
const NONE: Quantities = new Map()

export const limitRanger: AdmissionPlugin = {
  name: 'LimitRanger',
  handles: (operation, info, subresource) =>
    info.group === '' &&
    ((info.resource === 'pods' &&
      ((operation === 'CREATE' && subresource === '') || (operation === 'UPDATE' && subresource === 'resize'))) ||
      (info.resource === 'persistentvolumeclaims' && operation !== 'DELETE' && subresource === '')),
  mutate(request) {
    if (request.resource.info.resource !== 'pods' || isEnding(request)) return
    for (const limits of limitsOf(request)) setDefaults(request.object, limits)
  },
  validate(request) {
    if (isEnding(request)) return
    for (const limits of limitsOf(request)) {
      const reasons =
        request.resource.info.resource === 'pods'
          ? podProblems(request.object, limits)
          : claimProblems(request.object, limits)
      if (reasons.length > 0) throw refusal(request, aggregate(reasons))
    }
  },
}

const isEnding = ({ old }: AdmissionRequest): boolean => old?.metadata.deletionTimestamp !== undefined

/** The limits of each LimitRange of the namespace. */
function limitsOf({ state, namespace }: AdmissionRequest): (readonly Limit[])[] {
  return state.list('', 'limitranges', namespace).map((range) => (range['spec']?.limits ?? []) as Limit[])
}

function setDefaults(pod: KubeObject, limits: readonly Limit[]): void {
  const requests: [string, string][] = []
  const maxima: [string, string][] = []
  for (const limit of limits) {
    if (limit.type !== 'Container') continue
    requests.push(...Object.entries(limit.defaultRequest ?? {}))
    maxima.push(...Object.entries(limit.default ?? {}))
  }
  if (requests.length === 0 && maxima.length === 0) return
  const notes: string[] = []
  const apply = (list: Container[] | undefined, what: string): void => {
    for (const container of list ?? []) {
      const resources = (container.resources ??= {})
      const limited = fill(maxima, resources.limits)
      const requested = fill(requests, resources.requests)
      if (limited.set.length > 0) resources.limits = limited.amounts
      if (requested.set.length > 0) resources.requests = requested.amounts
      if (requested.set.length > 0) notes.push(`${requested.set.join(', ')} request for ${what} ${container.name}`)
      if (limited.set.length > 0) notes.push(`${limited.set.join(', ')} limit for ${what} ${container.name}`)
    }
  }
  apply(pod['spec']?.containers, 'container')
  apply(pod['spec']?.initContainers, 'init container')
  if (notes.length === 0) return
  const text = `LimitRanger plugin set: ${notes.join('; ')}`
  pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATION]: text }
}

function fill(defaults: readonly [string, string][], given: Amounts | undefined): { amounts: Amounts; set: string[] } {
  const amounts = new Map(Object.entries(given ?? {}))
  const set = new Set<string>()
  for (const [name, value] of defaults) {
    if (Object.hasOwn(given ?? {}, name)) continue
    amounts.set(name, value)
    set.add(name)
  }
  return { amounts: Object.fromEntries(amounts), set: [...set].sort() }
}

function podProblems(pod: KubeObject, limits: readonly Limit[]): string[] {
  const out: string[] = []
  for (const limit of limits) {
    if (limit.type === 'Container') {
      const containers: Container[] = [...(pod['spec']?.containers ?? []), ...(pod['spec']?.initContainers ?? [])]
      for (const { resources } of containers) {
        check(limit, quantities(resources?.requests), quantities(resources?.limits), out)
      }
    } else if (limit.type === 'Pod') {
      check(limit, podRequests(pod), podLimits(pod), out)
    }
  }
  return out
}

function claimProblems(claim: KubeObject, limits: readonly Limit[]): string[] {
  const out: string[] = []
  const requests = quantities(claim['spec']?.resources?.requests)
  for (const limit of limits) {
    if (limit.type !== 'PersistentVolumeClaim') continue
    each(limit.min, (name, bound) => minimum(limit.type, name, bound, requests, NONE), out)
    each(limit.max, (name, bound) => maximumRequest(limit.type, name, bound, requests), out)
  }
  return out
}

function check(limit: Limit, requests: Quantities, limits: Quantities, out: string[]): void {
  each(limit.min, (name, bound) => minimum(limit.type, name, bound, requests, limits), out)
  each(limit.max, (name, bound) => maximum(limit.type, name, bound, requests, limits), out)
  each(limit.maxLimitRequestRatio, (name, bound) => ratio(limit.type, name, bound, requests, limits), out)
}

function each(
  bounds: Amounts | undefined,
  problem: (name: string, bound: Quantity) => string | undefined,
  out: string[],
): void {
  for (const [name, text] of Object.entries(bounds ?? {})) {
    const why = problem(name, parseQuantity(text) ?? quantityOf(0))
    if (why !== undefined && !out.includes(why)) out.push(why)
  }
}

const below = (a: Quantity, b: Quantity): boolean => a.nanos < b.nanos

function minimum(
  type: string,
  name: string,
  bound: Quantity,
  requests: Quantities,
  limits: Quantities,
): string | undefined {
  const text = `minimum ${name} usage per ${type} is ${formatQuantity(bound)}`
  const request = requests.get(name)
  const limit = limits.get(name)
  if (request === undefined) return `${text}.  No request is specified`
  if (below(request, bound)) return `${text}, but request is ${formatQuantity(request)}`
  return limit !== undefined && below(limit, bound) ? `${text}, but limit is ${formatQuantity(limit)}` : undefined
}

function maximum(
  type: string,
  name: string,
  bound: Quantity,
  requests: Quantities,
  limits: Quantities,
): string | undefined {
  const text = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`
  const request = requests.get(name)
  const limit = limits.get(name)
  if (limit === undefined) return `${text}.  No limit is specified`
  if (below(bound, limit)) return `${text}, but limit is ${formatQuantity(limit)}`
  return request !== undefined && below(bound, request)
    ? `${text}, but request is ${formatQuantity(request)}`
    : undefined
}

function maximumRequest(type: string, name: string, bound: Quantity, requests: Quantities): string | undefined {
  const text = `maximum ${name} usage per ${type} is ${formatQuantity(bound)}`
  const request = requests.get(name)
  if (request === undefined) return `${text}.  No request is specified`
  return below(bound, request) ? `${text}, but request is ${formatQuantity(request)}` : undefined
}

function ratio(
  type: string,
  name: string,
  bound: Quantity,
  requests: Quantities,
  limits: Quantities,
): string | undefined {
  const text = `${name} max limit to request ratio per ${type} is ${formatQuantity(bound)}`
  const request = requests.get(name)?.nanos ?? 0n
  const limit = limits.get(name)?.nanos ?? 0n
  if (request === 0n) return `${text}, but no request is specified or request is 0`
  if (limit === 0n) return `${text}, but no limit is specified or limit is 0`
  const observed = Number(limit) / Number(request)
  return observed * 1e9 > Number(bound.nanos) ? `${text}, but provided ratio is ${observed.toFixed(6)}` : undefined
}
