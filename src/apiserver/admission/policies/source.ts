/** The policies of a cluster with their bindings. */
import type { KubeObject } from '../../../machinery/object.ts'
import { Configured } from '../match/configured.ts'
import type { BindingSpec } from './spec.ts'
import { specOf } from './spec.ts'

/** A policy that has bindings. */
export interface Hook {
  readonly policy: KubeObject
  readonly bindings: readonly KubeObject[]
}

/** The policies of one kind that have bindings, by name. `kind`: `validatingadmissionpolicy`. */
export function policiesOf(kind: 'validatingadmissionpolicy' | 'mutatingadmissionpolicy'): Configured<Hook> {
  return new Configured([`${kind}bindings`, `${kind.slice(0, -1)}ies`], join)
}

function join(bindings: readonly KubeObject[] = [], policies: readonly KubeObject[] = []): readonly Hook[] {
  const byPolicy = Map.groupBy(bindings, (binding) => specOf<BindingSpec>(binding).policyName ?? '')
  const out: Hook[] = []
  for (const policy of policies) {
    const own = byPolicy.get(policy.metadata.name ?? '')
    if (own !== undefined) out.push({ policy, bindings: own })
  }
  return out
}
