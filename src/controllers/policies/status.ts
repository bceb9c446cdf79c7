/** Tells in the status of validating admission policies what type checking makes of their expressions. */
import { drive } from '../../apiserver/registry/steps.ts'
import type { Resource } from '../../client/contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { parseApiVersion } from '../../machinery/object.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { Kinds } from './kinds.ts'
import type { CheckedSpec } from './type-check.ts'
import { checkTypes, kindsToCheck, namedResources } from './type-check.ts'

const POLICIES: Resource = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  resource: 'validatingadmissionpolicies',
  kind: 'ValidatingAdmissionPolicy',
  namespaced: false,
}
const MANAGER = 'validatingadmissionpolicy-status'

interface Policy extends KubeObject {
  readonly spec: CheckedSpec
  readonly status?: { readonly observedGeneration?: number }
}

/** Keys are names. Each generation is checked once. */
export function policyStatusController(context: ControllerContext): Controller {
  const { client } = context
  const policies = client.informer<Policy>(POLICIES)
  return {
    name: MANAGER,
    start() {
      policies.onEvent(({ type, object }) => {
        if (type !== 'delete' && isBehind(object)) context.enqueue(object.metadata.name!)
      })
    },
    async reconcile(name) {
      if (!policies.synced) await policies.ready()
      const policy = policies.get('', name)
      if (policy === undefined || !isBehind(policy)) return
      const expressionWarnings = await warningsOf(context, policy.spec)
      const body = {
        kind: POLICIES.kind,
        apiVersion: 'admissionregistration.k8s.io/v1',
        metadata: { name },
        status: {
          observedGeneration: policy.metadata.generation,
          typeChecking: expressionWarnings.length === 0 ? {} : { expressionWarnings },
        },
      }
      const query = { subresource: 'status', fieldManager: MANAGER }
      try {
        await client.patch(POLICIES, name, { type: 'apply', body, force: true }, query)
      } catch (error) {
        if (!isReason(error, 'NotFound')) throw error
      }
    },
  }
}

function isBehind({ metadata, status }: Policy): boolean {
  return (metadata.generation ?? 0) > (status?.observedGeneration ?? 0)
}

async function warningsOf({ client }: ControllerContext, spec: CheckedSpec): Promise<readonly object[]> {
  const rules = namedResources(spec)
  const { apiVersion = '', kind = '' } = spec.paramKind ?? {}
  const of = parseApiVersion(apiVersion)
  const kinds = new Kinds(client)
  await kinds.load(new Set([...rules.flat().map(({ group }) => group), ...(of === undefined ? [] : [of.group])]))
  const params = of === undefined ? undefined : kinds.ofKind(of.group, of.version, kind)
  const known = kindsToCheck(rules, (resource) => kinds.ofResource(resource))
  return drive(checkTypes(spec, known, params))
}
