/** The policies of a cluster with their bindings: straight from what is stored, so that a change counts at once. */
import type { KubeObject } from '../../../machinery/object.ts'
import type { ClusterState } from '../contract.ts'
import type { BindingSpec } from './spec.ts'
import { specOf } from './spec.ts'

export const GROUP = 'admissionregistration.k8s.io'

/** A policy that has bindings. */
export interface Hook {
  readonly policy: KubeObject
  readonly bindings: readonly KubeObject[]
}

interface Known {
  readonly policies: readonly KubeObject[]
  readonly bindings: readonly KubeObject[]
  readonly hooks: readonly Hook[]
}

const NONE: readonly Hook[] = []

/**
 * Reads the policies of one kind, by name. A cluster without bindings costs a look-up; one with them a comparison of
 * what is stored with what was stored before.
 */
export class PolicySource {
  readonly #resource: string
  readonly #known = new WeakMap<ClusterState, Known>()

  /** `resource`: `validatingadmissionpolicies`. */
  constructor(resource: string) {
    this.#resource = resource
  }

  hooks(state: ClusterState): readonly Hook[] {
    if (!state.any(GROUP)) return NONE
    const bindings = state.list(GROUP, `${this.#resource.slice(0, -3)}ybindings`, '')
    if (bindings.length === 0) return NONE
    const policies = state.list(GROUP, this.#resource, '')
    const known = this.#known.get(state)
    if (known !== undefined && sameObjects(known.policies, policies) && sameObjects(known.bindings, bindings)) {
      return known.hooks
    }
    const hooks = join(policies, bindings)
    this.#known.set(state, { policies, bindings, hooks })
    return hooks
  }
}

/** Stored objects are shared and never change: the same state is the same objects. */
function sameObjects(a: readonly KubeObject[], b: readonly KubeObject[]): boolean {
  return a.length === b.length && a.every((object, i) => object === b[i])
}

function join(policies: readonly KubeObject[], bindings: readonly KubeObject[]): readonly Hook[] {
  const byPolicy = Map.groupBy(bindings, (binding) => specOf<BindingSpec>(binding).policyName ?? '')
  const out: Hook[] = []
  for (const policy of policies) {
    const own = byPolicy.get(policy.metadata.name ?? '')
    if (own !== undefined) out.push({ policy, bindings: own })
  }
  return out
}
