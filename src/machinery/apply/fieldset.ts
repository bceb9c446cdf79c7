/**
 * Sets of field paths as a persistent trie. A set never changes: what an operation leaves alone is shared with its
 * operands, and an operation that changes nothing returns its operand, so that identity answers most questions.
 *
 * Invariants: nodes are sorted without repeats; a node is a member, or has children, or both; children are never empty.
 */
import type { PathElement } from './element.ts'
import { compareElements, fieldElement } from './element.ts'

/** One path element within a set: whether the path that ends here is a member, and what lies below. */
export interface FieldNode {
  readonly element: PathElement
  readonly member: boolean
  readonly children: FieldSet | undefined
}

export class FieldSet {
  readonly nodes: readonly FieldNode[]

  /** Only for code that keeps the invariants; others use {@link fieldSetOf} and the operations. */
  constructor(nodes: readonly FieldNode[]) {
    this.nodes = nodes
  }

  get isEmpty(): boolean {
    return this.nodes.length === 0
  }

  /** How many paths are members. */
  get size(): number {
    let count = 0
    for (const { member, children } of this.nodes) count += (member ? 1 : 0) + (children?.size ?? 0)
    return count
  }

  /** Whether it has more than `count` nodes, without counting all. */
  isLargerThan(count: number): boolean {
    let left = count - this.nodes.length
    for (const { children } of this.nodes) {
      if (left < 0) return true
      if (children === undefined) continue
      if (children.isLargerThan(left)) return true
      left -= children.nodes.length
    }
    return left < 0
  }

  /** The node of one element. */
  node(element: PathElement): FieldNode | undefined {
    const { nodes } = this
    let low = 0
    let high = nodes.length
    while (low < high) {
      const middle = (low + high) >> 1
      const order = compareElements(nodes[middle]!.element, element)
      if (order === 0) return nodes[middle]
      if (order < 0) low = middle + 1
      else high = middle
    }
    return undefined
  }

  has(path: readonly PathElement[]): boolean {
    const [first, ...rest] = path
    const node = first === undefined ? undefined : this.node(first)
    return rest.length === 0 ? node?.member === true : node?.children?.has(rest) === true
  }

  union(other: FieldSet): FieldSet {
    if (this === other || other.isEmpty) return this
    if (this.isEmpty) return other
    return merged(this, other, true, (a, b) => {
      const children =
        a.children === undefined ? b.children : b.children === undefined ? a.children : a.children.union(b.children)
      return nodeLike(a, a.member || b.member, children)
    })
  }

  intersection(other: FieldSet): FieldSet {
    if (this === other) return this
    if (this.isEmpty || other.isEmpty) return EMPTY
    const out: FieldNode[] = []
    let same = true
    zip(this.nodes, other.nodes, (a, b) => {
      if (a === undefined) return
      const children =
        a.children === undefined || b?.children === undefined ? undefined : a.children.intersection(b.children)
      const node = b === undefined ? undefined : nodeLike(a, a.member && b.member, children)
      if (node !== a) same = false
      if (node !== undefined) out.push(node)
    })
    return same ? this : fromNodes(out)
  }

  /** Members of this set that are no members of `other`. What lies below a member of `other` stays. */
  difference(other: FieldSet): FieldSet {
    return subtract(this, other, false)
  }

  /** As {@link difference}, but a member of `other` takes away everything below it as well. */
  recursiveDifference(other: FieldSet): FieldSet {
    return subtract(this, other, true)
  }

  /** The members that have nothing below them. */
  leaves(): FieldSet {
    return fromNodes(
      this.nodes.map((node) =>
        node.children === undefined ? node : { ...node, member: false, children: node.children.leaves() },
      ),
    )
  }

  equals(other: FieldSet): boolean {
    if (this === other) return true
    if (this.nodes.length !== other.nodes.length) return false
    for (let i = 0; i < this.nodes.length; i++) {
      const a = this.nodes[i]!
      const b = other.nodes[i]!
      if (a.member !== b.member || compareElements(a.element, b.element) !== 0) return false
      if (a.children === b.children) continue
      if (a.children === undefined || b.children === undefined || !a.children.equals(b.children)) return false
    }
    return true
  }

  /** Every member: first those of a level, then what lies below, as upstream lists them. */
  *paths(prefix: readonly PathElement[] = []): Generator<readonly PathElement[]> {
    for (const { element, member } of this.nodes) if (member) yield [...prefix, element]
    for (const { element, children } of this.nodes)
      if (children !== undefined) yield* children.paths([...prefix, element])
  }
}

export const EMPTY = new FieldSet([])

/** A set from nodes in order. */
export function fromNodes(nodes: readonly FieldNode[]): FieldSet {
  return nodes.length === 0 ? EMPTY : new FieldSet(nodes)
}

/** A set from nodes in any order, without repeats. */
export function fromUnsorted(nodes: FieldNode[]): FieldSet {
  for (let i = 1; i < nodes.length; i++) {
    if (compareElements(nodes[i - 1]!.element, nodes[i]!.element) > 0) {
      nodes.sort((a, b) => compareElements(a.element, b.element))
      break
    }
  }
  return fromNodes(nodes)
}

/** A set of paths; a string is a field's name. */
export function fieldSetOf(...paths: readonly (readonly (string | PathElement)[])[]): FieldSet {
  let out = EMPTY
  for (const path of paths) {
    let set: FieldSet | undefined
    for (const step of path.toReversed()) {
      const element = typeof step === 'string' ? fieldElement(step) : step
      set = new FieldSet([{ element, member: set === undefined, children: set }])
    }
    if (set !== undefined) out = out.union(set)
  }
  return out
}

function subtract(from: FieldSet, other: FieldSet, recursive: boolean): FieldSet {
  if (from.isEmpty || other.isEmpty) return from
  return merged(from, other, false, (a, b) => {
    if (recursive && b.member) return undefined
    const below = b.children
    const children =
      a.children === undefined || below === undefined ? a.children : subtract(a.children, below, recursive)
    return nodeLike(a, a.member && !b.member, children)
  })
}

/** `a` itself when nothing changes; undefined when nothing is left. */
function nodeLike(a: FieldNode, member: boolean, children: FieldSet | undefined): FieldNode | undefined {
  const below = children?.isEmpty === true ? undefined : children
  if (a.member === member && a.children === below) return a
  return member || below !== undefined ? { element: a.element, member, children: below } : undefined
}

/** The nodes of `a` merged with those of `b`; returns `a` when they come out the same. `takeB` keeps those only in `b`. */
function merged(
  a: FieldSet,
  b: FieldSet,
  takeB: boolean,
  both: (a: FieldNode, b: FieldNode) => FieldNode | undefined,
): FieldSet {
  const out: FieldNode[] = []
  let same = true
  zip(a.nodes, b.nodes, (x, y) => {
    if (x === undefined) {
      if (!takeB) return
      same = false
      out.push(y!)
    } else {
      const node = y === undefined ? x : both(x, y)
      if (node !== x) same = false
      if (node !== undefined) out.push(node)
    }
  })
  return same ? a : fromNodes(out)
}

/** Walks two sorted lists side by side. */
function zip(
  a: readonly FieldNode[],
  b: readonly FieldNode[],
  visit: (a: FieldNode | undefined, b: FieldNode | undefined) => void,
): void {
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const order = compareElements(a[i]!.element, b[j]!.element)
    if (order < 0) visit(a[i++], undefined)
    else if (order > 0) visit(undefined, b[j++])
    else visit(a[i++], b[j++])
  }
  while (i < a.length) visit(a[i++], undefined)
  while (j < b.length) visit(undefined, b[j++])
}
