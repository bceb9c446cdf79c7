/** Resource names and quantities of containers, quotas and limits. */
import { child, duplicate, forbidden, index, invalid, key as keyed, notFound, required } from '../field.ts'
import { isQualifiedName } from '../names.ts'
import { compareQuantities, formatQuantity, parseQuantity, quantityMilli, quantityValue, signOf } from '../quantity.ts'
import type { Quantity } from '../quantity.ts'
import { dnsLabel, each } from './checks.ts'
import type { Errors } from './checks.ts'
import { entriesOf, entry, listOf, setEntry } from './json.ts'
import type { Json } from './json.ts'

const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]
const QUOTA = new Set([
  ...COUNTED,
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
])
const CONTAINER = ['cpu', 'memory', 'ephemeral-storage']

const HUGE = 'hugepages-'
const REQUESTS = 'requests.'

export function isHugePages(name: string): boolean {
  return name.startsWith(HUGE)
}

/** Without a domain, or in kubernetes.io. */
export function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/')
}

/** Whether requests may be lower than limits. */
export function isOvercommittable(name: string): boolean {
  return isNative(name) && !isHugePages(name)
}

/** Resources that device plugins offer. */
export function isExtended(name: string): boolean {
  return !isNative(name) && !name.startsWith(REQUESTS) && isQualifiedName(`${REQUESTS}${name}`).length === 0
}

/** Whether this is a resource that a quota knows by a plain name. */
export function isQuotaResource(name: string): boolean {
  return QUOTA.has(name) || isHugePages(name) || name.startsWith(`${REQUESTS}${HUGE}`)
}

/** Any resource name. */
export function resourceName(name: string, path: string, out: Errors): boolean {
  const messages = isQualifiedName(name)
  each(messages, path, name, out)
  if (messages.length > 0) return false
  if (name.includes('/') || name === 'storage' || isQuotaResource(name)) return true
  out.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
  return false
}

/** A name in a container's requests and limits. */
export function containerResourceName(name: string, path: string, out: Errors): void {
  resourceName(name, path, out)
  if (!name.includes('/')) {
    if (!CONTAINER.includes(name) && !isHugePages(name)) {
      out.push(invalid(path, name, 'must be a standard resource for containers'))
    }
  } else if (!isNative(name) && !isExtended(name)) {
    out.push(invalid(path, name, "doesn't follow extended resource name standard"))
  }
}

/** A name in a quota. */
export function quotaResourceName(name: string, path: string, out: Errors): void {
  resourceName(name, path, out)
  if (!name.includes('/') && !isQuotaResource(name)) {
    out.push(invalid(path, name, 'must be a standard resource for quota'))
  }
}

/** Never negative; whole numbers where things are counted. */
export function resourceQuantity(name: string, text: Json, path: string, out: Errors): void {
  const quantity = parseQuantity(String(text))
  if (quantity === undefined) return
  if (signOf(quantity) < 0) out.push(invalid(path, String(text), 'must be greater than or equal to 0'))
  if ((COUNTED.includes(name) || isExtended(name)) && quantityMilli(quantity) % 1000n !== 0n) {
    out.push(invalid(path, String(text), 'must be an integer'))
  }
}

/** A quantity that is there and readable. */
export function quantityIn(list: Json, name: string): Quantity | undefined {
  const text: Json = entry(list, name)
  return text === undefined ? undefined : parseQuantity(String(text))
}

/** Resource lists hold nothing finer than a milli unit; what is finer is rounded up. `text` is canonical. */
export function roundedToMilli(text: string): string {
  if (!text.endsWith('n') && !text.endsWith('u')) return text
  const quantity = parseQuantity(text)
  if (quantity === undefined) return text
  return formatQuantity({ nanos: quantityMilli(quantity) * 1_000_000n, format: quantity.format })
}

/** Rounds a resource list in place. */
export function roundList(list: Json): void {
  for (const [name, text] of entriesOf(list)) {
    const rounded = roundedToMilli(String(text))
    if (rounded !== text) setEntry(list, name, rounded)
  }
}

/** What a requirements check depends on. */
export interface RequirementsRules {
  readonly name: (name: string, path: string, out: Errors) => void
  /** The names of `spec.resourceClaims`. */
  readonly claims: ReadonlySet<string>
}

/** `requests`, `limits` and `claims` of a container or a pod. */
export function resourceRequirements(value: Json, rules: RequirementsRules, path: string, out: Errors): void {
  const limitsPath = child(path, 'limits')
  const requestsPath = child(path, 'requests')
  let compute = false
  let huge = false
  const visit = (name: string, text: Json, at: string): void => {
    rules.name(name, at, out)
    resourceQuantity(name, text, at, out)
    if (name === 'cpu' || name === 'memory') compute = true
  }
  const pages = (name: string, text: Json, at: string): void => {
    if (!isHugePages(name)) return
    huge = true
    if (!isWholePages(name, text)) {
      out.push(invalid(at, String(text), `${String(text)} is not positive integer multiple of ${name}`))
    }
  }
  for (const [name, text] of entriesOf(value?.limits)) {
    visit(name, text, keyed(limitsPath, name))
    pages(name, text, keyed(limitsPath, name))
  }
  for (const [name, text] of entriesOf(value?.requests)) {
    const at = keyed(requestsPath, name)
    visit(name, text, at)
    const limit: Json = entry(value.limits, name)
    if (limit === undefined) {
      if (!isOvercommittable(name)) {
        out.push(required(limitsPath, 'Limit must be set for non overcommitable resources'))
      }
    } else requestWithinLimit(name, text, limit, requestsPath, out)
    pages(name, text, at)
  }
  if (!compute && huge) out.push(forbidden(path, 'HugePages require cpu or memory'))
  claimNames(value?.claims, rules.claims, child(path, 'claims'), out)
}

function requestWithinLimit(name: string, text: Json, limit: Json, path: string, out: Errors): void {
  const [a, b] = [parseQuantity(String(text)), parseQuantity(String(limit))]
  if (a === undefined || b === undefined) return
  const order = compareQuantities(a, b)
  if (order !== 0 && !isOvercommittable(name)) {
    out.push(invalid(path, String(text), `must be equal to ${name} limit of ${String(limit)}`))
  } else if (order > 0) {
    out.push(invalid(path, String(text), `must be less than or equal to ${name} limit of ${String(limit)}`))
  }
}

function isWholePages(name: string, text: Json): boolean {
  const size = parseQuantity(name.slice(HUGE.length))
  const quantity = parseQuantity(String(text))
  if (size === undefined || quantity === undefined || signOf(size) <= 0) return false
  if (quantityMilli(size) % 1000n !== 0n) return false
  return quantityValue(quantity) % quantityValue(size) === 0n
}

function claimNames(claims: Json, known: ReadonlySet<string>, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(claims).forEach((claim, i) => {
    const at = index(path, i)
    const name: string = claim.name ?? ''
    if (name === '') {
      out.push(required(at))
      return
    }
    const again = (value: string): unknown => out.push(duplicate(at, value))
    if (seen.has(name)) again(name)
    else {
      if (claim.request) dnsLabel(claim.request, child(at, 'request'), out)
      const whole = claim.request ? `${name}/${String(claim.request)}` : name
      if (seen.has(whole)) again(whole)
      else if (!claim.request) {
        for (const other of seen) if (other.startsWith(`${name}/`)) again(name)
      }
      seen.add(whole)
    }
    if (known.has(name)) return
    const list = [...known].sort()
    const which = list.length === 0 ? ' which is empty' : `: ${list.join(', ')}`
    const error = notFound(at, name)
    error.message += `: must be one of the names in pod.spec.resourceClaims${which}`
    out.push(error)
  })
}
