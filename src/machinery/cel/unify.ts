/** Whether a type fits another, with type parameters bound on the way: cel-go's rules. */
import type { Type } from './types.ts'
import { DYN, sameType } from './types.ts'

/** What type parameters stand for. A trial that fails is taken back. */
export class Bindings {
  readonly #bound = new Map<string, Type>()
  /** What was bound, and what it stood for before, in order. */
  readonly #trail: (readonly [string, Type | undefined])[] = []

  get(name: string): Type | undefined {
    return this.#bound.get(name)
  }

  set(name: string, type: Type): void {
    this.#trail.push([name, this.#bound.get(name)])
    this.#bound.set(name, type)
  }

  /** Where a trial starts. */
  get mark(): number {
    return this.#trail.length
  }

  /** Takes back all since a mark. */
  undo(mark: number): void {
    while (this.#trail.length > mark) {
      const [name, before] = this.#trail.pop()!
      if (before === undefined) this.#bound.delete(name)
      else this.#bound.set(name, before)
    }
  }
}

function isDynOrError(t: Type): boolean {
  return t.kind === 'dyn' || t.kind === 'error'
}

/** Whether `a` says no more than `b`. */
function lessSpecific(a: Type, b: Type): boolean {
  if (a.kind === 'dyn' || a.kind === 'param') return true
  if (b.kind === 'dyn' || b.kind === 'param') return false
  if (a.kind !== b.kind) return false
  switch (a.kind) {
    case 'opaque':
      if (a.name !== b.name || a.params.length !== b.params.length) return false
      return a.params.every((one, i) => lessSpecific(one, b.params[i]!))
    case 'list':
    case 'map':
      return a.params.every((one, i) => lessSpecific(one, b.params[i]!))
    case 'type':
      return true
    default:
      return sameType(a, b)
  }
}

export function mostGeneral(a: Type, b: Type): Type {
  return lessSpecific(a, b) ? a : b
}

function isNullable(t: Type): boolean {
  return ['opaque', 'struct', 'duration', 'timestamp', 'null'].includes(t.kind)
}

/** Whether the parameter `t` does not stand in `within`. */
function absent(bindings: Bindings, t: Type, within: Type): boolean {
  if (sameType(t, within)) return false
  if (within.kind === 'param') {
    const bound = bindings.get(within.name)
    return bound === undefined || absent(bindings, t, bound)
  }
  return within.params.every((one) => absent(bindings, t, one))
}

/** Whether the parameter `t2` may stand for `t1`; binds it. */
function binds(bindings: Bindings, t1: Type, t2: Type): { valid: boolean; bound: boolean } {
  if (t1.kind === t2.kind && sameType(t1, t2)) return { valid: true, bound: true }
  const bound = bindings.get(t2.name)
  if (bound !== undefined) {
    if (t1.kind === bound.kind && sameType(t1, bound)) return { valid: true, bound: true }
    if (!assignable(bindings, t1, bound)) return { valid: false, bound: true }
    const general = mostGeneral(t1, bound)
    if (absent(bindings, t2, general)) bindings.set(t2.name, general)
    return { valid: true, bound: true }
  }
  if (!absent(bindings, t2, t1)) return { valid: false, bound: false }
  bindings.set(t2.name, t1)
  return { valid: true, bound: false }
}

function assignable(bindings: Bindings, t1: Type, t2: Type): boolean {
  if (t2.kind === 'param') {
    const { valid, bound } = binds(bindings, t1, t2)
    if (valid) return true
    if (bound) return false
  }
  if (t1.kind === 'param') return binds(bindings, t2, t1).valid
  if (isDynOrError(t1) || isDynOrError(t2)) return true
  if (t1.kind === 'null') return isNullable(t2)
  if (t2.kind === 'null') return isNullable(t1)
  if (t1.kind !== t2.kind) return false
  switch (t1.kind) {
    case 'type':
      return true
    case 'struct':
      return t1.name === t2.name
    case 'opaque':
    case 'list':
    case 'map':
      return t1.name === t2.name && assignableAll(bindings, t1.params, t2.params)
    default:
      return true
  }
}

function assignableAll(bindings: Bindings, a: readonly Type[], b: readonly Type[]): boolean {
  return a.length === b.length && a.every((one, i) => assignable(bindings, one, b[i]!))
}

/** Whether all fit; binds what that takes, or nothing. */
export function fitAll(bindings: Bindings, a: readonly Type[], b: readonly Type[]): boolean {
  const { mark } = bindings
  if (assignableAll(bindings, a, b)) return true
  bindings.undo(mark)
  return false
}

/** A type with its parameters replaced by what they stand for, and those that stand for nothing by `dyn` if `free`. */
export function substitute(bindings: Bindings, t: Type, free: boolean): Type {
  if (t.kind === 'param') {
    const bound = bindings.get(t.name)
    if (bound !== undefined) return substitute(bindings, bound, free)
    return free ? DYN : t
  }
  if (t.params.length === 0) return t
  let changed = false
  const params = t.params.map((one) => {
    const made = substitute(bindings, one, free)
    if (made !== one) changed = true
    return made
  })
  return changed ? { ...t, params } : t
}
