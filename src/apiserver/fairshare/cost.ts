/** What requests cost, and the share of one cluster as the HTTP layer asks for it. */
import type { FairShare, Release } from './fairshare.ts'

/** Seats by verb; everything else takes one. Lists and watches read many objects while they start. */
const COSTS: ReadonlyMap<string, number> = new Map([
  ['list', 4],
  ['watch', 2],
  ['deletecollection', 4],
])

/** Seats that a request takes, by its Kubernetes verb. */
export function costOf(verb: string): number {
  return COSTS.get(verb) ?? 1
}

export interface ClusterShare {
  /** @throws StatusError 429 */
  acquire(user: unknown, info: { readonly verb: string }, signal: AbortSignal): Promise<Release> | Release
}

/** The door of one cluster to the process's share. Requests for no resource (health, version) take a seat as well. */
export function clusterShare(share: FairShare, cluster: string): ClusterShare {
  return { acquire: (_user, info, signal) => share.admit(cluster, costOf(info.verb), signal) }
}
