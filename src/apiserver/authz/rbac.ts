/** The RBAC authorizer of one cluster. It follows the range: a role or binding counts from its commit on. */
import { objectOf, type Attributes, type Authorizer, type Decision, type UserInfo } from '../contract.ts'
import type { Range, StoreEvent } from '../../store/contract.ts'
import { RoleBook, baseBook, prefixes, subjectIndex, type Binding, type KeyedObject, type RoleRef } from './book.ts'
import { ruleAllows, type PolicyRule } from './rule.ts'

/** Members may do everything, whatever roles say. */
export const PRIVILEGED_GROUP = 'system:masters'

/** What the escalation check needs beside the authorizer. */
export interface RuleSource {
  /** All rules that a user has in a namespace ('' for the cluster), and texts of what could not be resolved. */
  rules(user: UserInfo, namespace: string): { rules: PolicyRule[]; problems: string[] }
  /** Rules of the role that a binding refers to; undefined if there is no such role. */
  roleRules(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined
}

export interface RbacAuthorizer extends Authorizer, RuleSource {
  /** Stops following the range. */
  close(): void
}

const allowedAsMaster: Decision = Object.freeze({ allowed: true, reason: '' })
const denied: Decision = Object.freeze({ allowed: false, reason: '' })

/**
 * @param base the bootstrap roles and bindings that the range was opened with, the same array for all clusters
 */
export function rbacAuthorizer(range: Range, base: readonly KeyedObject[]): RbacAuthorizer {
  return new Rbac(range, base)
}

class Rbac implements RbacAuthorizer {
  readonly #range: Range
  readonly #base: readonly KeyedObject[]
  #book: RoleBook | undefined
  #stops: (() => void)[] = []

  constructor(range: Range, base: readonly KeyedObject[]) {
    this.#range = range
    this.#base = base
  }

  authorize(attributes: Attributes): Decision {
    const { user } = attributes
    if (user.groups.includes(PRIVILEGED_GROUP)) return allowedAsMaster
    const book = this.#opened()
    let problems: Set<string> | undefined
    for (const binding of book.bindings(user, attributes.namespace ?? '')) {
      const rules = book.rules(binding.roleRef, binding.namespace)
      if (rules === undefined) (problems ??= new Set()).add(notFound(binding.roleRef))
      else if (rules.some((rule) => ruleAllows(rule, attributes))) return allowedBy(binding, user)
    }
    return problems === undefined ? denied : { allowed: false, reason: `RBAC: ${aggregate(problems)}` }
  }

  rulesFor(user: UserInfo, namespace: string): ReturnType<Authorizer['rulesFor']> & { evaluationError?: string } {
    const { rules, problems } = this.rules(user, namespace)
    const out = {
      resourceRules: rules.filter((rule) => (rule.resources ?? []).length > 0).map(resourceRule),
      nonResourceRules: rules.filter((rule) => (rule.nonResourceURLs ?? []).length > 0).map(nonResourceRule),
      incomplete: false,
    }
    return problems.length === 0 ? out : { ...out, evaluationError: aggregate(new Set(problems)) }
  }

  rules(user: UserInfo, namespace: string): { rules: PolicyRule[]; problems: string[] } {
    const book = this.#opened()
    const rules: PolicyRule[] = []
    const problems: string[] = []
    for (const binding of new Set(book.bindings(user, namespace))) {
      const found = book.rules(binding.roleRef, binding.namespace)
      if (found === undefined) problems.push(notFound(binding.roleRef))
      else rules.push(...found)
    }
    return { rules, problems }
  }

  roleRules(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    return this.#opened().rules(ref, namespace)
  }

  close(): void {
    for (const stop of this.#stops) stop()
    this.#stops = []
  }

  /** Most clusters at rest never get here: the book is opened by the first request of somebody without the bypass. */
  #opened(): RoleBook {
    if (this.#book !== undefined) return this.#book
    const book = new RoleBook(baseBook(this.#base))
    for (const prefix of Object.values(prefixes)) {
      const from = this.#read(book, prefix)
      this.#stops.push(this.#range.watch(prefix, from, (event) => follow(book, event)))
    }
    this.#book = book
    return book
  }

  /** Reads what the cluster changed under a prefix. Base entries have the range's first revision: they are known. */
  #read(book: RoleBook, prefix: string): number {
    if (this.#range.revision <= 1) return this.#range.revision
    const { entries, revision } = this.#range.list(prefix)
    const gone = new Set(book.baseKeys(prefix))
    for (const entry of entries) {
      if (!gone.delete(entry.key) || entry.revision > 1) book.set(entry.key, objectOf(entry))
    }
    for (const key of gone) book.set(key, undefined)
    return revision
  }
}

function follow(book: RoleBook, event: StoreEvent): void {
  book.set(event.entry.key, event.type === 'delete' ? undefined : objectOf(event.entry))
}

function allowedBy(binding: Binding, user: UserInfo): Decision {
  const at = subjectIndex(binding, user)
  return (binding.decisions[at] ??= Object.freeze({
    allowed: true,
    reason: `RBAC: allowed by ${describe(binding, at)}`,
  }))
}

function describe(binding: Binding, at: number): string {
  const { name, namespace, roleRef } = binding
  const which = namespace === '' ? `ClusterRoleBinding ${quote(name)}` : `RoleBinding ${quote(`${name}/${namespace}`)}`
  const subject = binding.subjects[at]!
  const home = subject.namespace === undefined || subject.namespace === '' ? namespace : subject.namespace
  const whom = subject.kind === 'ServiceAccount' ? `${subject.name}/${home}` : subject.name
  return `${which} of ${roleRef.kind} ${quote(roleRef.name)} to ${subject.kind} ${quote(whom)}`
}

function notFound(ref: RoleRef): string {
  if (ref.kind !== 'Role' && ref.kind !== 'ClusterRole') return `unsupported role reference kind: ${quote(ref.kind)}`
  return `${ref.kind.toLowerCase()}.rbac.authorization.k8s.io ${quote(ref.name)} not found`
}

function aggregate(problems: ReadonlySet<string>): string {
  const texts = [...problems]
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}

function resourceRule(rule: PolicyRule): object {
  const { verbs, apiGroups, resources, resourceNames } = rule
  return {
    verbs,
    apiGroups,
    resources,
    ...(resourceNames !== undefined && resourceNames.length > 0 && { resourceNames }),
  }
}

function nonResourceRule({ verbs, nonResourceURLs }: PolicyRule): object {
  return { verbs, nonResourceURLs }
}

const quote = (text: string): string => JSON.stringify(text)
