/** Filters over sets: the fields that a write through an endpoint cannot change are not tracked there. */
import type { FieldNode, FieldSet } from './fieldset.ts'
import { fromNodes } from './fieldset.ts'

export type FieldFilter = (set: FieldSet) => FieldSet

/** Takes away these fields and everything below them. */
export function without(excluded: FieldSet): FieldFilter {
  return (set) => set.recursiveDifference(excluded)
}

/** A path in which `*` stands for any element. */
export type Prefix = readonly string[]

/** Keeps only what one of the prefixes leads to: the fields on the way, and all that lies below. */
export function onlyUnder(...prefixes: readonly Prefix[]): FieldFilter {
  return (set) => keep(set, prefixes)
}

function keep(set: FieldSet, prefixes: readonly Prefix[]): FieldSet {
  const nodes: FieldNode[] = []
  for (const node of set.nodes) {
    const { element } = node
    const fitting = prefixes.filter(([step]) => step === '*' || (element.kind === 'f' && element.name === step))
    if (fitting.length === 0) continue
    const rests = fitting.map((prefix) => prefix.slice(1))
    // A prefix that ends here brings everything.
    const whole = rests.some((rest) => rest.length === 0)
    const children = whole || node.children === undefined ? node.children : keep(node.children, rests)
    const below = children?.isEmpty === true ? undefined : children
    if (node.member || below !== undefined) nodes.push({ element, member: node.member, children: below })
  }
  return fromNodes(nodes)
}
