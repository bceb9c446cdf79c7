/** Ports of simulated nodes that pods hold, from their admission to their end. */
import { conflict, type HostPort } from '../scheduler/pod-facts.ts'

export class HostPorts {
  /** By node, then by uid of the pod; only nodes and pods with such ports. */
  readonly #held = new Map<string, Map<string, readonly HostPort[]>>()

  /** `false`: another pod of the node holds one of the ports, and nothing is taken. */
  take(node: string, uid: string, ports: readonly HostPort[]): boolean {
    if (ports.length === 0) return true
    const pods = this.#held.get(node)
    for (const [other, held] of pods ?? []) {
      if (other !== uid && held.some((a) => ports.some((b) => conflict(a, b)))) return false
    }
    if (pods === undefined) this.#held.set(node, new Map([[uid, ports]]))
    else pods.set(uid, ports)
    return true
  }

  release(node: string, uid: string): void {
    const pods = this.#held.get(node)
    if (pods?.delete(uid) === true && pods.size === 0) this.#held.delete(node)
  }
}
