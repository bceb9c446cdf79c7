/**
 * Where a tenant's namespaced objects live on the host, and under which names.
 *
 * Names are one-way: nobody takes them apart. They are unique per (cluster uid, namespace,
 * name); ownership is decided by the annotations (identity.ts).
 */
import { createHash } from 'node:crypto'
import type { StringMap } from '../machinery/object.ts'

export interface PlacementSpec {
  /** `namespaces`: every tenant namespace becomes a host namespace. `single`: all in the VirtualCluster's own namespace. */
  readonly mode: 'namespaces' | 'single'
  /** The VirtualCluster's. */
  readonly uid: string
  readonly namespace: string
  readonly name: string
}

export interface Placement {
  readonly mode: 'namespaces' | 'single'
  /** The host namespace for objects of this tenant namespace. */
  namespace(tenantNamespace: string): string
  /** The host name of a namespaced object. At most 63 characters, a DNS-1123 label if `name` is one. */
  name(tenantNamespace: string, name: string): string
  /** Labels that the mode adds to namespaced host objects. */
  labels(tenantNamespace: string): StringMap
}

/** Objects that the host itself makes in every namespace; a tenant's own of that name gets another. */
const RESERVED = new Set(['kube-root-ca.crt', 'default', 'kubernetes'])
const MAX = 63

export function placement(spec: PlacementSpec): Placement {
  return spec.mode === 'namespaces' ? ownNamespaces(spec) : singleNamespace(spec)
}

function ownNamespaces(spec: PlacementSpec): Placement {
  const known = new Map<string, string>()
  return {
    mode: 'namespaces',
    namespace(tenantNamespace) {
      let host = known.get(tenantNamespace)
      if (host === undefined) {
        // The readable part is for people, the hash makes it unique: no choice of names can hit another tenant's.
        const readable = `${spec.name.slice(0, 20)}-${tenantNamespace.slice(0, 23)}`.replaceAll('.', '-')
        host = `tc-${readable}-${hash(`${spec.uid}/${tenantNamespace}`, 12)}`
        if (known.size < 10_000) known.set(tenantNamespace, host)
      }
      return host
    },
    name: (tenantNamespace, name) =>
      RESERVED.has(name) ? `tenantry-${name}-${hash(`${spec.uid}/${tenantNamespace}/${name}`, 8)}` : name,
    labels: () => ({}),
  }
}

/** Names and labels as vcluster's, so that its users' tooling keeps working. */
function singleNamespace(spec: PlacementSpec): Placement {
  return {
    mode: 'single',
    namespace: () => spec.namespace,
    name(tenantNamespace, name) {
      const joined = `${name}-x-${tenantNamespace}-x-${spec.name}`
      if (joined.length <= MAX && separators(joined) === 2) return joined
      // Too long, or it could be read in more than one way: the hash over the parts tells them apart.
      const tail = hash(`${spec.uid}/${tenantNamespace}/${name}`, 16)
      const head = joined.slice(0, MAX - tail.length - 1).replace(/[.-]+$/, '')
      return `${head}-${tail}`
    },
    labels: (tenantNamespace) => ({
      'vcluster.loft.sh/managed-by': spec.name,
      'vcluster.loft.sh/namespace': tenantNamespace,
    }),
  }
}

/** Occurrences of `-x-`, overlapping ones counted each. */
function separators(text: string): number {
  let count = 0
  for (let at = text.indexOf('-x-'); at >= 0; at = text.indexOf('-x-', at + 1)) count++
  return count
}

function hash(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}
