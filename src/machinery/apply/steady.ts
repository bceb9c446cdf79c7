/**
 * Updates that change values and nothing else: whoever writes manages all of it already, and nobody else does. Most
 * writes of controllers and kubelets are such, and a walk without sets finds it out.
 */
import { equalJson } from '../equality.ts'
import type { PathElement } from './element.ts'
import type { FieldNode, FieldSet } from './fieldset.ts'
import { isScalar } from './gotext.ts'
import type { ListSchema, MapSchema, Schema } from './schema.ts'
import { UNTYPED, elementOf, fieldSchema } from './schema.ts'
import { hasForms, itemElement, listOf, mapOf, member } from './walk.ts'

type Members = { readonly [key: string]: unknown }

/** What a walk has to know at one place. */
interface Place {
  readonly mine: FieldSet | undefined
  readonly others: readonly FieldSet[]
}

/** Longer lists are not worth the comparison of their keys with each other. */
const MAX_ITEMS = 16

/**
 * Whether `now` has the same parts as `old`, and differs only in values that `mine` has and none of `others`: `same`
 * when nothing differs at all. Undefined when that is not so, or not clear.
 *
 * @param ignored names of members of metadata that nobody manages
 */
export function steadyChange(
  old: Members,
  now: Members,
  schema: Schema,
  mine: FieldSet,
  others: readonly FieldSet[],
  ignored: ReadonlySet<string>,
): 'same' | 'touched' | undefined {
  if (schema.map === undefined || hasForms(schema)) return undefined
  const walk = new Walk(ignored)
  return walk.members(old, now, schema.map, { mine, others }, true) ? walk.result : undefined
}

const NOTHING: ReadonlySet<string> = new Set()

class Walk {
  readonly #ignored: ReadonlySet<string>
  result: 'same' | 'touched' = 'same'

  constructor(ignored: ReadonlySet<string>) {
    this.#ignored = ignored
  }

  /** @param ignored names of members that do not count */
  members(
    old: Members,
    now: Members,
    map: MapSchema,
    place: Place,
    root = false,
    ignored: ReadonlySet<string> = NOTHING,
  ): boolean {
    let count = 0
    for (const key of Object.keys(now)) {
      const b = now[key]
      if (b === undefined || ignored.has(key)) continue
      count++
      const a = member(old, key)
      if (a === b) continue
      if (root && key === 'metadata') {
        if (!this.#metadata(a, b, fieldSchema(map, key), below(place, elementOf(map, key)))) return false
      } else if (a === undefined || !this.#value(a, b, fieldSchema(map, key) ?? UNTYPED, place, elementOf(map, key))) {
        return false
      }
    }
    for (const key of Object.keys(old)) if (old[key] !== undefined && !ignored.has(key)) count--
    return count === 0
  }

  #metadata(old: unknown, now: unknown, schema: Schema | undefined, place: Place): boolean {
    const a = mapOf(old)
    const b = mapOf(now)
    if (a === undefined || b === undefined || schema?.map === undefined) return false
    return this.members(a, b, schema.map, place, false, this.#ignored)
  }

  #value(old: unknown, now: unknown, schema: Schema, place: Place, element: PathElement): boolean {
    if (hasForms(schema) && !(isScalar(old) && isScalar(now))) return equalJson(old, now)
    if (schema.map !== undefined && !schema.map.atomic && !isScalar(old)) {
      const a = mapOf(old)
      const b = mapOf(now)
      if (a === undefined || b === undefined) return equalJson(old, now)
      return this.members(a, b, schema.map, below(place, element))
    }
    if (schema.list !== undefined && !schema.list.atomic && !isScalar(old)) {
      const a = listOf(old)
      const b = listOf(now)
      if (a === undefined || b === undefined) return equalJson(old, now)
      return this.#items(a, b, schema.list, below(place, element))
    }
    return equalJson(old, now) || this.#touch(place, element)
  }

  #items(old: readonly unknown[], now: readonly unknown[], list: ListSchema, place: Place): boolean {
    if (old.length !== now.length || now.length > MAX_ITEMS) return false
    const elements: PathElement[] = []
    for (let i = 0; i < now.length; i++) {
      const element = itemElement(list, now[i])
      const before = itemElement(list, old[i])
      if (typeof element === 'string' || typeof before === 'string' || element.text !== before.text) return false
      for (const other of elements) if (other.text === element.text) return false
      elements.push(element)
    }
    for (let i = 0; i < now.length; i++) {
      if (old[i] !== now[i] && !this.#value(old[i], now[i], list.item, place, elements[i]!)) return false
    }
    return true
  }

  /** A value that differs. */
  #touch({ mine, others }: Place, element: PathElement): boolean {
    if (mine?.node(element)?.member !== true) return false
    for (const other of others) if (other.node(element)?.member === true) return false
    this.result = 'touched'
    return true
  }
}

function below({ mine, others }: Place, element: PathElement): Place {
  return {
    mine: mine?.node(element)?.children,
    others: others.length === 0 ? others : others.map((set) => set.node(element)).flatMap(childrenOf),
  }
}

function childrenOf(node: FieldNode | undefined): readonly FieldSet[] {
  return node?.children === undefined ? [] : [node.children]
}
