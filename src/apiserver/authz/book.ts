/**
 * What RBAC knows of one cluster: rules by role, bindings by subject. The bootstrap part is compiled once per process
 * and shared (BaseBook); a cluster holds only what it wrote itself.
 */
import type { KubeObject } from '../../machinery/object.ts'
import type { Decision, UserInfo } from '../contract.ts'
import { rulesOf, type PolicyRule } from './rule.ts'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

/** Where each kind of RBAC object lives in a range. */
export const prefixes = {
  ClusterRole: `${RBAC_GROUP}/clusterroles/`,
  Role: `${RBAC_GROUP}/roles/`,
  ClusterRoleBinding: `${RBAC_GROUP}/clusterrolebindings/`,
  RoleBinding: `${RBAC_GROUP}/rolebindings/`,
} as const

export interface Subject {
  readonly kind: string
  readonly name: string
  readonly namespace?: string
}

export interface RoleRef {
  readonly kind: string
  readonly name: string
}

/** A binding ready to be asked. `decisions` are the answers per subject, made when first needed. */
export interface Binding {
  readonly key: string
  readonly name: string
  /** '' for a ClusterRoleBinding. */
  readonly namespace: string
  readonly roleRef: RoleRef
  readonly subjects: readonly Subject[]
  readonly decisions: (Decision | undefined)[]
}

/** An RBAC object with its key in the range. */
export interface KeyedObject {
  readonly key: string
  readonly object: KubeObject
}

interface Pages {
  /** By role key. `undefined`: deleted, hides the base. */
  readonly roles: Map<string, readonly PolicyRule[] | undefined>
  /** By binding key, for removal; as with roles. */
  readonly bindings: Map<string, Binding | undefined>
  /** namespace ('' cluster) → subject → bindings. */
  readonly bySubject: Map<string, Map<string, Binding[]>>
}

const emptyPages = (): Pages => ({ roles: new Map(), bindings: new Map(), bySubject: new Map() })

/** The shared, immutable part. */
export type BaseBook = Readonly<Pages>

const compiled = new WeakMap<readonly KeyedObject[], BaseBook>()

/** Compiles bootstrap objects; the same array gives the same book. */
export function baseBook(objects: readonly KeyedObject[]): BaseBook {
  let book = compiled.get(objects)
  if (book === undefined) {
    book = emptyPages()
    for (const { key, object } of objects) enter(book, key, object)
    compiled.set(objects, book)
  }
  return book
}

export class RoleBook {
  readonly #base: BaseBook
  readonly #own = emptyPages()

  constructor(base: BaseBook) {
    this.#base = base
  }

  /** An object was written, or deleted (`undefined`). */
  set(key: string, object: KubeObject | undefined): void {
    removeBinding(this.#own, key)
    if (object === undefined) leave(this.#own, key)
    else enter(this.#own, key, object)
  }

  /** Keys of the base under a prefix. */
  *baseKeys(prefix: string): Generator<string> {
    for (const key of this.#base.roles.keys()) if (key.startsWith(prefix)) yield key
    for (const key of this.#base.bindings.keys()) if (key.startsWith(prefix)) yield key
  }

  /** The rules of the role that a binding in `namespace` ('' for the cluster) refers to. */
  rules(ref: RoleRef, namespace: string): readonly PolicyRule[] | undefined {
    const key = roleKey(ref, namespace)
    if (key === undefined) return undefined
    return this.#own.roles.has(key) ? this.#own.roles.get(key) : this.#base.roles.get(key)
  }

  /** Bindings of a user that hold in `namespace`, cluster-wide ones first; one may come twice. */
  *bindings(user: UserInfo, namespace: string): Generator<Binding> {
    yield* this.#in('', user)
    if (namespace !== '') yield* this.#in(namespace, user)
  }

  *#in(namespace: string, user: UserInfo): Generator<Binding> {
    const base = this.#base.bySubject.get(namespace)
    const own = this.#own.bySubject.get(namespace)
    if (base === undefined && own === undefined) return
    for (const subject of subjectsOf(user)) {
      for (const binding of base?.get(subject) ?? []) if (!this.#own.bindings.has(binding.key)) yield binding
      yield* own?.get(subject) ?? []
    }
  }
}

function roleKey(ref: RoleRef, namespace: string): string | undefined {
  if (ref.kind === 'ClusterRole') return `${prefixes.ClusterRole}/${ref.name}`
  if (ref.kind === 'Role' && namespace !== '') return `${prefixes.Role}${namespace}/${ref.name}`
  return undefined
}

function* subjectsOf(user: UserInfo): Generator<string> {
  yield `u:${user.name}`
  for (const group of user.groups) yield `g:${group}`
}

/** How a subject of a binding in `namespace` is indexed; undefined if it can mean nobody. */
function subjectKey(subject: Subject, namespace: string): string | undefined {
  if (subject.kind === 'User') return `u:${subject.name}`
  if (subject.kind === 'Group') return `g:${subject.name}`
  if (subject.kind !== 'ServiceAccount') return undefined
  const home = subject.namespace === undefined || subject.namespace === '' ? namespace : subject.namespace
  return home === '' ? undefined : `u:system:serviceaccount:${home}:${subject.name}`
}

/** Position of the first subject of the binding that is the user, -1 if none is. */
export function subjectIndex(binding: Binding, user: UserInfo): number {
  const wanted = new Set(subjectsOf(user))
  return binding.subjects.findIndex((subject) => {
    const key = subjectKey(subject, binding.namespace)
    return key !== undefined && wanted.has(key)
  })
}

function enter(pages: Pages, key: string, object: KubeObject): void {
  if (key.startsWith(prefixes.ClusterRole) || key.startsWith(prefixes.Role)) {
    pages.roles.set(key, rulesOf(object['rules']))
    return
  }
  const binding = compileBinding(key, object)
  pages.bindings.set(key, binding)
  let index = pages.bySubject.get(binding.namespace)
  if (index === undefined) pages.bySubject.set(binding.namespace, (index = new Map()))
  for (const subject of new Set(binding.subjects.map((s) => subjectKey(s, binding.namespace)))) {
    if (subject === undefined) continue
    const list = index.get(subject)
    if (list === undefined) index.set(subject, [binding])
    else list.push(binding)
  }
}

function leave(pages: Pages, key: string): void {
  if (key.startsWith(prefixes.ClusterRole) || key.startsWith(prefixes.Role)) pages.roles.set(key, undefined)
  else pages.bindings.set(key, undefined)
}

function removeBinding(pages: Pages, key: string): void {
  const binding = pages.bindings.get(key)
  if (binding === undefined) return
  const index = pages.bySubject.get(binding.namespace)
  for (const subject of binding.subjects) {
    const name = subjectKey(subject, binding.namespace)
    const list = name === undefined ? undefined : index?.get(name)
    const at = list?.indexOf(binding) ?? -1
    if (at < 0) continue
    list!.splice(at, 1)
    if (list!.length === 0) index!.delete(name!)
  }
  if (index?.size === 0) pages.bySubject.delete(binding.namespace)
}

function compileBinding(key: string, object: KubeObject): Binding {
  const namespace = key.startsWith(prefixes.RoleBinding) ? (object.metadata.namespace ?? '') : ''
  const subjects = (Array.isArray(object['subjects']) ? object['subjects'] : []) as Subject[]
  const roleRef = (object['roleRef'] ?? { kind: '', name: '' }) as RoleRef
  return { key, name: object.metadata.name ?? '', namespace, roleRef, subjects, decisions: [] }
}
