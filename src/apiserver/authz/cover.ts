/** Whether a set of rules holds every permission of another set, and which are missing: the base of the escalation check. */
import type { Steps } from '../../machinery/schema/steps.ts'
import { urlCovers, type PolicyRule } from './rule.ts'

const none: readonly string[] = []

/** Work of one step, in pairs compared; a part is as dear as some of them. */
const STEP = 50_000
const PART = 20
/** Parts that are joined in one step. */
const MANY = 1000

/**
 * The permissions of `wanted` that no single rule of `held` covers, broken down to one verb, resource and name each.
 * Tenants write roles: `limit` bounds the work (pairs compared), above it everything not yet checked counts as missing.
 * In steps.
 */
export function* missingPermissions(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
  limit = 2_000_000,
): Steps<PolicyRule[]> {
  const missing: PolicyRule[] = []
  const stars = held.filter(({ verbs, resourceNames }) => verbs.includes('*') && (resourceNames ?? none).length === 0)
  let budget = limit
  let work = 0
  for (const rule of wanted) {
    work += stars.length
    // One owner rule that covers the rule as a whole covers each part.
    if (stars.some((owner) => coversWhole(owner, rule))) continue
    for (const part of breakdown(rule)) {
      budget -= held.length + 1
      if (budget < 0) {
        missing.push(part)
        return missing
      }
      work += held.length + PART
      if (work > STEP) {
        work = 0
        yield undefined
      }
      if (!held.some((owner) => covers(owner, part))) missing.push(part)
    }
  }
  return missing
}

function* breakdown(rule: PolicyRule): Generator<PolicyRule> {
  for (const group of rule.apiGroups ?? none) {
    for (const resource of rule.resources ?? none) {
      for (const verb of rule.verbs ?? none) {
        const part = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if ((rule.resourceNames ?? none).length === 0) yield part
        else for (const name of rule.resourceNames!) yield { ...part, resourceNames: [name] }
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? none) {
    for (const verb of rule.verbs ?? none) yield { nonResourceURLs: [url], verbs: [verb] }
  }
}

/** The cheap case: an owner rule of stars, for all verbs and names. */
function coversWhole(owner: PolicyRule, rule: PolicyRule): boolean {
  const resources = (owner.apiGroups ?? none).includes('*') && (owner.resources ?? none).includes('*')
  const urls = (owner.nonResourceURLs ?? none).includes('*')
  const wantsResources = (rule.apiGroups ?? none).length > 0 && (rule.resources ?? none).length > 0
  const wantsUrls = (rule.nonResourceURLs ?? none).length > 0
  return (!wantsResources || resources) && (!wantsUrls || urls)
}

function covers(owner: PolicyRule, part: PolicyRule): boolean {
  const names = owner.resourceNames ?? none
  const wantedNames = part.resourceNames ?? none
  return (
    coversAll(owner.verbs ?? none, part.verbs) &&
    coversAll(owner.apiGroups ?? none, part.apiGroups ?? none) &&
    (part.resources ?? none).every((resource) => coversResource(owner.resources ?? none, resource)) &&
    (part.nonResourceURLs ?? none).every((url) => (owner.nonResourceURLs ?? none).some((o) => urlCovers(o, url))) &&
    (names.length === 0 || (wantedNames.length > 0 && wantedNames.every((name) => names.includes(name))))
  )
}

function coversAll(owner: readonly string[], wanted: readonly string[]): boolean {
  return owner.includes('*') || wanted.every((entry) => owner.includes(entry))
}

function coversResource(owner: readonly string[], wanted: string): boolean {
  if (owner.includes('*') || owner.includes(wanted)) return true
  const slash = wanted.indexOf('/')
  return slash >= 0 && owner.includes(`*/${wanted.slice(slash + 1)}`)
}

/** Joins the verbs of parts that differ in nothing else. */
export function* compact(parts: readonly PolicyRule[]): Steps<PolicyRule[]> {
  const joined = new Map<string, { rule: PolicyRule; verbs: string[] }>()
  const out: PolicyRule[] = []
  for (const [i, part] of parts.entries()) {
    if (i % MANY === MANY - 1) yield undefined
    if ((part.nonResourceURLs ?? none).length > 0) {
      out.push(part)
      continue
    }
    const key = JSON.stringify([part.apiGroups, part.resources, part.resourceNames])
    const known = joined.get(key)
    if (known === undefined) joined.set(key, { rule: part, verbs: [...part.verbs] })
    else known.verbs.push(...part.verbs)
  }
  for (const { rule, verbs } of joined.values()) out.push({ ...rule, verbs })
  return out
}

/** `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}` */
export function describeRule(rule: PolicyRule): string {
  const parts: string[] = []
  const add = (title: string, list: readonly string[] | undefined): void => {
    if (list !== undefined && list.length > 0) parts.push(`${title}:${quotedList(list)}`)
  }
  add('APIGroups', rule.apiGroups)
  add('Resources', rule.resources)
  add('NonResourceURLs', rule.nonResourceURLs)
  add('ResourceNames', rule.resourceNames)
  add('Verbs', rule.verbs)
  return `{${parts.join(', ')}}`
}

/** `["a" "b"]`, as Go prints a list of strings. */
export function quotedList(list: readonly string[]): string {
  return `[${list.map((entry) => JSON.stringify(entry)).join(' ')}]`
}
