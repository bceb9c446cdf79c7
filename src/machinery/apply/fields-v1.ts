/**
 * FieldsV1: a set of fields as JSON, `{"f:spec":{"f:replicas":{}}}`. A member that has others below it holds `.`.
 * Both directions are remembered, so that what did not change costs nothing and is shared between revisions.
 */
import { parseElement } from './element.ts'
import type { FieldNode } from './fieldset.ts'
import { EMPTY, FieldSet, fromUnsorted } from './fieldset.ts'
import { isMap } from './gotext.ts'

/** The JSON form of a set. Frozen by convention: it is shared. */
export interface FieldsV1 {
  readonly [key: string]: FieldsV1
}

/** As deep as objects may be. */
const MAX_DEPTH = 1000

const encoded = new WeakMap<FieldSet, FieldsV1>()
const decoded = new WeakMap<object, FieldSet>()
/** Of whole sets. */
const forms = new WeakMap<FieldSet, FieldsV1>()

/** One object for all leaves. */
const LEAF: FieldsV1 = Object.freeze({})

/** Objects of one kind and writer have the same fields: they share one form, across tenants. Bounded. */
const shared = new Map<string, FieldsV1>()
const MAX_SHARED = 1024
const MAX_SHARED_LENGTH = 4096
/** Larger sets have longer texts. */
const MAX_SHARED_NODES = 400

/** The JSON form of a set, with keys in upstream's order. Equal sets mostly share theirs, and {@link decodeFields} of it. */
export function encodeFields(set: FieldSet): FieldsV1 {
  const known = forms.get(set)
  if (known !== undefined) return known
  const encodedSet = encodeLevel(set, false)
  const form = set.isLargerThan(MAX_SHARED_NODES) ? encodedSet : share(encodedSet)
  forms.set(set, form)
  if (!decoded.has(form) && form !== LEAF) decoded.set(form, set)
  return form
}

const texts = new WeakMap<FieldsV1, string>()

/** The JSON text of a form. That of shared forms is kept. */
export function fieldsText(form: FieldsV1): string {
  return texts.get(form) ?? JSON.stringify(form)
}

function share(form: FieldsV1): FieldsV1 {
  const text = JSON.stringify(form)
  if (text.length > MAX_SHARED_LENGTH) return form
  const known = shared.get(text)
  if (known !== undefined) return known
  if (shared.size >= MAX_SHARED) shared.clear()
  shared.set(text, form)
  texts.set(form, text)
  return form
}

function encodeLevel(set: FieldSet, self: boolean): FieldsV1 {
  const known = self ? undefined : encoded.get(set)
  if (known !== undefined) return known
  if (set.isEmpty) return LEAF
  const out: { [key: string]: FieldsV1 } = {}
  if (self) out['.'] = LEAF
  for (const { element, member, children } of set.nodes) {
    // Every key has a colon, so none is `__proto__` or an index.
    out[element.text] = children === undefined ? LEAF : encodeLevel(children, member)
  }
  if (!self) encoded.set(set, out)
  return out
}

/** Reads the JSON form. Steps of kinds that are not known are left out. @throws SyntaxError */
export function decodeFields(fields: unknown): FieldSet {
  if (fields === undefined || fields === null) return EMPTY
  if (!isMap(fields)) throw new SyntaxError('fieldsV1 is no object')
  const known = decoded.get(fields)
  if (known !== undefined) return known
  // An object that was decoded anew has forms that are known by their text: reading that is a tenth of the work.
  const text = shortText(fields)
  const same = text === undefined ? undefined : shared.get(text)
  const set = (same === undefined ? undefined : decoded.get(same)) ?? decodeLevel(fields, 0).children ?? EMPTY
  decoded.set(fields, set)
  return set
}

/** The text of a form that may be shared. */
function shortText(fields: object): string | undefined {
  try {
    const text = JSON.stringify(fields)
    return text.length > MAX_SHARED_LENGTH ? undefined : text
  } catch {
    // Deeper than the stack: what follows says so.
    return undefined
  }
}

function decodeLevel(fields: unknown, depth: number): Omit<FieldNode, 'element'> {
  if (depth > MAX_DEPTH) throw new SyntaxError('fieldsV1 is too deep')
  if (fields === null) return { member: true, children: undefined }
  if (!isMap(fields)) throw new SyntaxError('fieldsV1 holds a value that is no object')
  let member = false
  const nodes: FieldNode[] = []
  for (const key of Object.keys(fields)) {
    if (key === '.') {
      member = true
      continue
    }
    const element = parseElement(key)
    if (element !== undefined) nodes.push({ element, ...decodeLevel(fields[key], depth + 1) })
  }
  if (nodes.length === 0) return { member: true, children: undefined }
  return { member, children: unique(nodes) }
}

/** Sorted; texts that mean the same element (`1` and `1.0`) become one. */
function unique(nodes: FieldNode[]): FieldSet {
  const sorted = fromUnsorted(nodes)
  const out: FieldNode[] = []
  for (const node of sorted.nodes) {
    const last = out.at(-1)
    if (last === undefined || last.element.text !== node.element.text) out.push(node)
    else {
      const children = last.children === undefined ? node.children : last.children.union(node.children ?? EMPTY)
      out[out.length - 1] = { element: last.element, member: last.member || node.member, children }
    }
  }
  return out.length === sorted.nodes.length ? sorted : new FieldSet(out)
}
