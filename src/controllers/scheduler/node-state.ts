/** A node and what is on it, kept up to date pod by pod. */
import type { Node } from '../objects.ts'
import { type Amounts, amountsOf } from './amounts.ts'
import { conflict, type HostPort, type PodFacts } from './pod-facts.ts'

export class NodeState {
  readonly name: string
  /** Absent: pods name this node, which is not (yet) there. */
  node: Node | undefined
  allocatable: Amounts = new Map()
  readonly pods = new Map<string, PodFacts>()
  readonly requested = new Map<string, number>()
  scoredCpu = 0
  scoredMemory = 0
  /** Pods that keep others away. */
  readonly withAntiAffinity = new Map<string, PodFacts>()
  /** Pods that prefer company or solitude. */
  readonly withPreferences = new Map<string, PodFacts>()
  readonly withHostPorts = new Map<string, PodFacts>()
  /** Pods that wait for room here: pods of a lower priority may not take it meanwhile. */
  readonly nominated = new Map<string, PodFacts>()
  readonly #priorities = new Map<number, number>()
  /** Pods by the uid of their controller. */
  readonly owners = new Map<string, number>()

  constructor(name: string) {
    this.name = name
  }

  setNode(node: Node | undefined): void {
    this.node = node
    this.allocatable = amountsOf(node?.status?.allocatable ?? node?.status?.capacity)
  }

  add(facts: PodFacts): void {
    this.remove(facts.uid)
    this.pods.set(facts.uid, facts)
    this.#count(facts, 1)
    if (facts.antiAffinity.length > 0) this.withAntiAffinity.set(facts.uid, facts)
    if (facts.preferred.length > 0 || facts.affinity.length > 0) this.withPreferences.set(facts.uid, facts)
    if (facts.hostPorts.length > 0) this.withHostPorts.set(facts.uid, facts)
  }

  remove(uid: string): void {
    const facts = this.pods.get(uid)
    if (facts === undefined) return
    this.pods.delete(uid)
    this.#count(facts, -1)
    this.withAntiAffinity.delete(uid)
    this.withPreferences.delete(uid)
    this.withHostPorts.delete(uid)
  }

  hasPort(port: HostPort): boolean {
    for (const { hostPorts } of this.withHostPorts.values()) {
      if (hostPorts.some((taken) => conflict(taken, port))) return true
    }
    return false
  }

  /** Whether any pod has a priority below this one. */
  hasBelow(priority: number): boolean {
    for (const one of this.#priorities.keys()) if (one < priority) return true
    return false
  }

  #count(facts: PodFacts, sign: 1 | -1): void {
    for (const [name, value] of facts.requests) this.requested.set(name, (this.requested.get(name) ?? 0) + sign * value)
    this.scoredCpu += sign * facts.scoredCpu
    this.scoredMemory += sign * facts.scoredMemory
    const alike = (this.#priorities.get(facts.priority) ?? 0) + sign
    if (alike === 0) this.#priorities.delete(facts.priority)
    else this.#priorities.set(facts.priority, alike)
    if (facts.owner === '') return
    const count = (this.owners.get(facts.owner) ?? 0) + sign
    if (count === 0) this.owners.delete(facts.owner)
    else this.owners.set(facts.owner, count)
  }
}
