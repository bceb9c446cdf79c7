/** How two values of one type differ, as sets of fields. */
import { equalJson } from '../equality.ts'
import { fieldElement } from './element.ts'
import type { PathElement } from './element.ts'
import type { FieldNode } from './fieldset.ts'
import { EMPTY, FieldSet, fromUnsorted } from './fieldset.ts'
import { isScalar } from './gotext.ts'
import type { ListSchema, MapSchema, Schema } from './schema.ts'
import { UNTYPED, elementOf, fieldSchema } from './schema.ts'
import type { Form } from './walk.ts'
import { elementAt, formOf, hasForms, listOf, mapOf, member } from './walk.ts'

export interface Difference {
  /** Only in the new value. */
  readonly added: FieldSet
  /** In both, but different. */
  readonly modified: FieldSet
  /** Only in the old value. */
  readonly removed: FieldSet
}

export const SAME: Difference = { added: EMPTY, modified: EMPTY, removed: EMPTY }

/** @throws TypedError when an item of a map list has no key */
export function compare(old: unknown, now: unknown, schema: Schema): Difference {
  if (old === now) return SAME
  const level = new Level()
  visit(level, ROOT, old, now, schema)
  const root = level.take(ROOT)
  return {
    added: root.added?.children ?? EMPTY,
    modified: root.modified?.children ?? EMPTY,
    removed: root.removed?.children ?? EMPTY,
  }
}

const ROOT: PathElement = fieldElement('')

type Change = 'added' | 'modified' | 'removed'

/** The nodes of one level while they are found. */
class Level {
  private readonly nodes: { [K in Change]: Map<string, FieldNode> | undefined } = {
    added: undefined,
    modified: undefined,
    removed: undefined,
  }

  /** Adds a member, with what is below it. */
  insert(change: Change, element: PathElement, children?: FieldSet): void {
    this.put(change, element, true, children)
  }

  /** Puts what was found below an element into this level. */
  attach(element: PathElement, below: Level): void {
    for (const change of CHANGES) {
      const children = below.set(change)
      if (children !== undefined) this.put(change, element, false, children)
    }
  }

  private put(change: Change, element: PathElement, member: boolean, children: FieldSet | undefined): void {
    const nodes = (this.nodes[change] ??= new Map())
    const known = nodes.get(element.text)
    if (known === undefined) nodes.set(element.text, { element, member, children })
    else {
      const all = known.children === undefined ? children : known.children.union(children ?? EMPTY)
      nodes.set(element.text, { element, member: member || known.member, children: all })
    }
  }

  set(change: Change): FieldSet | undefined {
    const nodes = this.nodes[change]
    return nodes === undefined ? undefined : fromUnsorted([...nodes.values()])
  }

  take(element: PathElement): { readonly [K in Change]: FieldNode | undefined } {
    const { added, modified, removed } = this.nodes
    const { text } = element
    return { added: added?.get(text), modified: modified?.get(text), removed: removed?.get(text) }
  }
}

const CHANGES: readonly Change[] = ['added', 'modified', 'removed']

/** `undefined` is absent. */
function visit(level: Level, element: PathElement, old: unknown, now: unknown, schema: Schema): void {
  if (old === now) return
  if (old === undefined || now === undefined) {
    const [change, value] = old === undefined ? (['added', now] as const) : (['removed', old] as const)
    level.insert(change, element, everythingIn(value, schema))
    return
  }
  if (hasForms(schema) && differ(schema, old, now)) handle(level, element, old, now, schema, formOf(schema, old))
  handle(level, element, old, now, schema, formOf(schema, now))
}

/** Whether two values settle on different forms; null settles on none. */
function differ(schema: Schema, old: unknown, now: unknown): boolean {
  if ((old === null) !== (now === null)) return true
  return formOf(schema, old) !== formOf(schema, now)
}

function handle(level: Level, element: PathElement, old: unknown, now: unknown, schema: Schema, form: Form): void {
  if (form === 'scalar') {
    // At least one side is a scalar, else the values do not fit the type and differ in nothing that is owned.
    if (fits(old) || fits(now)) leafChange(level, element, old, now)
  } else if (form === 'map') {
    const map = schema.map!
    const a = mapOf(old)
    const b = mapOf(now)
    if (map.atomic || (a === undefined && b === undefined)) leafChange(level, element, old, now)
    else members(level, element, a, b, map)
  } else {
    const list = schema.list!
    const a = listOf(old)
    const b = listOf(now)
    if (list.atomic || (a === undefined && b === undefined)) leafChange(level, element, old, now)
    else items(level, element, a ?? [], b ?? [], list)
  }
}

function fits(value: unknown): boolean {
  return value === undefined || value === null || isScalar(value)
}

function leafChange(level: Level, element: PathElement, old: unknown, now: unknown): void {
  if (!equalJson(old, now)) level.insert('modified', element)
}

type Members = { readonly [key: string]: unknown }

function members(
  level: Level,
  element: PathElement,
  a: Members | undefined,
  b: Members | undefined,
  map: MapSchema,
): void {
  let below: Level | undefined
  const one = (key: string, old: unknown, now: unknown): void => {
    if (old === now) return
    visit((below ??= new Level()), elementOf(map, key), old, now, fieldSchema(map, key) ?? UNTYPED)
  }
  if (a !== undefined) for (const key of Object.keys(a)) one(key, a[key], member(b, key))
  if (b !== undefined) {
    for (const key of Object.keys(b)) if (a === undefined || !Object.hasOwn(a, key)) one(key, undefined, b[key])
  }
  if (below !== undefined) level.attach(element, below)
}

function items(
  level: Level,
  element: PathElement,
  a: readonly unknown[],
  b: readonly unknown[],
  list: ListSchema,
): void {
  const below = new Level()
  if (aligned(below, a, b, list)) {
    level.attach(element, below)
    return
  }
  const olds = group(a, list)
  const nows = group(b, list)
  for (const [text, { element: key, values: old }] of olds) {
    compareItems(below, key, old, nows.get(text)?.values ?? [], list)
  }
  for (const [text, { element: key, values: now }] of nows) {
    if (!olds.has(text)) compareItems(below, key, [], now, list)
  }
  level.attach(element, below)
}

function compareItems(
  below: Level,
  key: PathElement,
  old: readonly unknown[],
  now: readonly unknown[],
  list: ListSchema,
): void {
  if (old.length <= 1 && now.length <= 1) {
    visit(below, key, old[0], now[0], list.item)
  } else if (old.length >= 2 && now.length >= 2) {
    // Items that cannot be told apart are one thing.
    if (!equalJson(old, now)) below.insert('modified', key)
  } else if (old.length >= 2) {
    if (now.length > 0) visit(below, key, undefined, now[0], list.item)
    below.insert('removed', key)
  } else {
    if (old.length > 0) visit(below, key, old[0], undefined, list.item)
    below.insert('added', key)
  }
}

function group(values: readonly unknown[], list: ListSchema): Map<string, { element: PathElement; values: unknown[] }> {
  const out = new Map<string, { element: PathElement; values: unknown[] }>()
  for (let i = 0; i < values.length; i++) {
    const element = elementAt(list, values, i)
    const known = out.get(element.text)
    if (known === undefined) out.set(element.text, { element, values: [values[i]] })
    else known.values.push(values[i])
  }
  return out
}

/** Compares lists whose items stand in the same order without repeats, as they do mostly; false for others. */
function aligned(below: Level, a: readonly unknown[], b: readonly unknown[], list: ListSchema): boolean {
  if (a.length !== b.length || a.length > MAX_ALIGNED) return false
  const elements: PathElement[] = []
  for (let i = 0; i < a.length; i++) {
    const element = elementAt(list, b, i)
    if (element.text !== elementAt(list, a, i).text) return false
    for (const other of elements) if (other.text === element.text) return false
    elements.push(element)
  }
  for (let i = 0; i < a.length; i++) visit(below, elements[i]!, a[i], b[i], list.item)
  return true
}

const MAX_ALIGNED = 16

/** All that lies in a value that stands on one side only. */
function everythingIn(value: unknown, schema: Schema): FieldSet | undefined {
  const form = formOf(schema, value)
  if (form === 'map') {
    const map = schema.map!
    const present = map.atomic ? undefined : mapOf(value)
    return present === undefined ? undefined : everyMember(present, map)
  }
  if (form === 'scalar' || schema.list!.atomic) return undefined
  const present = listOf(value)
  return present === undefined ? undefined : everyItem(present, schema.list!)
}

function everyMember(value: Members, map: MapSchema): FieldSet {
  const nodes: FieldNode[] = []
  for (const key of Object.keys(value)) {
    const item = value[key]
    if (item === undefined) continue
    const field = map.field(key)
    const children = everythingIn(item, field?.schema ?? map.rest ?? UNTYPED)
    nodes.push({ element: field?.element ?? fieldElement(key), member: true, children })
  }
  return fromUnsorted(nodes)
}

function everyItem(values: readonly unknown[], list: ListSchema): FieldSet {
  const nodes = new Map<string, FieldNode>()
  for (let i = 0; i < values.length; i++) {
    const element = elementAt(list, values, i)
    // Items that cannot be told apart are one thing.
    const children = nodes.has(element.text) ? undefined : everythingIn(values[i], list.item)
    nodes.set(element.text, { element, member: true, children })
  }
  return fromUnsorted([...nodes.values()])
}
