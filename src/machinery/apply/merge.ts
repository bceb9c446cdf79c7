/** Merges an applied configuration into a live object. */
import { setOwn } from '../codec/exact.ts'
import type { PathElement } from './element.ts'
import type { ListSchema, MapSchema, Schema } from './schema.ts'
import { UNTYPED, fieldSchema } from './schema.ts'
import { elementAt, formOf, listOf, mapOf, member } from './walk.ts'

/**
 * The live value with the applied one on top: maps field by field, map lists and sets item by item, everything else
 * as a whole. What the applied value does not mention is shared with the live one.
 * @throws TypedError when an item of a map list has no key
 */
export function merge(live: unknown, applied: unknown, schema: Schema): unknown {
  if (applied === undefined) return live
  if (live === undefined || live === applied) return applied
  switch (formOf(schema, applied)) {
    case 'map': {
      const a = mapOf(live)
      const b = mapOf(applied)
      if (schema.map!.atomic || (a === undefined && b === undefined)) return applied
      return members(a, b, schema.map!)
    }
    case 'list': {
      const a = listOf(live)
      const b = listOf(applied)
      if (schema.list!.atomic || (a === undefined && b === undefined)) return applied
      return items(a ?? [], b ?? [], schema.list!)
    }
    default:
      return applied
  }
}

type Members = { readonly [key: string]: unknown }

function members(a: Members | undefined, b: Members | undefined, map: MapSchema): Members {
  if (b === undefined) return a!
  if (a === undefined) return b
  const out: { [key: string]: unknown } = {}
  for (const key of Object.keys(a)) {
    const applied = member(b, key)
    setOwn(out, key, applied === undefined ? a[key] : merge(a[key], applied, fieldSchema(map, key) ?? UNTYPED))
  }
  for (const key of Object.keys(b)) if (!Object.hasOwn(a, key)) setOwn(out, key, b[key])
  return out
}

/**
 * Items of both in one order: those of the applied list in its order, and those only in the live list where they
 * stood between their neighbours.
 */
function items(a: readonly unknown[], b: readonly unknown[], list: ListSchema): unknown[] {
  const bElements = b.map((_, i) => elementAt(list, b, i))
  const aElements = a.map((_, i) => elementAt(list, a, i))
  const applied = new Map<string, unknown>()
  for (const [i, { text }] of bElements.entries()) if (!applied.has(text)) applied.set(text, b[i])
  // A live item that stands there more than once is not merged: the applied one replaces all of them.
  const live = new Map<string, unknown>()
  for (const [i, { text }] of aElements.entries()) live.set(text, live.has(text) ? null : a[i])

  const shared = bElements.filter(({ text }) => live.has(text)).map(({ text }) => text)
  let next = 0
  const done = new Set<string>()
  const out: unknown[] = []
  const take = (element: PathElement): void => {
    const { text } = element
    done.add(text)
    out.push(merge(live.get(text), applied.get(text), list.item))
  }
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length) {
      const { text } = aElements[i]!
      if (text === bElements[j]!.text) {
        take(bElements[j]!)
        i++
        j++
        next++
        continue
      }
      if (applied.has(text) && next < shared.length && shared[next] !== text) {
        // It is applied too, but its turn comes later.
        i++
        continue
      }
    }
    if (i < a.length) {
      const { text } = aElements[i]!
      if (!applied.has(text)) {
        out.push(a[i])
        i++
        continue
      }
      if (done.has(text)) i++
    }
    if (j < b.length) {
      const element = bElements[j]!
      take(element)
      j++
      if (next < shared.length && shared[next] === element.text) next++
    }
  }
  return out
}
