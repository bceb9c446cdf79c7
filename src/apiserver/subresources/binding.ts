/** binding: puts a pod on a node, once. */
import type { Call, Target } from '../contract.ts'
import type { FieldError } from '../../machinery/field.ts'
import { validateBinding } from '../../machinery/kinds/index.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { changeObject } from '../registry/change.ts'
import { admitCommand } from '../registry/command.ts'
import type { Core } from '../registry/core.ts'
import { timestamp } from '../registry/core.ts'
import type { Created, Subresource } from '../registry/subresource.ts'
import { withCondition } from './conditions.ts'

/** What a finished command answers. */
export const SUCCESS = (): KubeObject => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  code: 201,
})

const BINDING = { group: '', resource: 'pods/binding' }

/** POST pods/x/binding, and POST bindings (`asked`) with the pod's name in the body. @throws StatusError 400, 404, 409; 500 for what is wrong with the binding */
export async function bindPod(
  core: Core,
  call: Call,
  pod: Target,
  binding: KubeObject,
  asked: Target = pod,
): Promise<Created> {
  const validating = await admitCommand(core, call, asked, binding)
  const { name = '' } = binding.metadata
  if (name !== pod.name) throw errors.badRequest('name in URL does not match name in Binding object')
  await validating()
  const wrong = validateBinding(binding)
  if (wrong.length > 0) throw errors.unknown(listed(wrong))
  const node: string = binding['target'].name
  const { annotations, labels, uid, resourceVersion } = binding.metadata
  await changeObject(
    core,
    call,
    { ...pod, subresource: 'binding' },
    {
      subresource: 'binding',
      fresh: true,
      internal: true,
      attempts: 10,
      build(old) {
        const why = refusal(old)
        if (why !== undefined) throw errors.conflict(BINDING, name, why)
        if (uid !== undefined && uid !== '' && uid !== old.metadata.uid) {
          const found = `UID in precondition: ${uid}, UID in object meta: ${old.metadata.uid}`
          throw errors.conflict({ group: '', resource: 'pods' }, name, `Precondition failed: ${found}`)
        }
        const metadata = { ...old.metadata }
        if (annotations !== undefined) metadata.annotations = { ...metadata.annotations, ...annotations }
        if (labels !== undefined) metadata.labels = { ...metadata.labels, ...labels }
        delete metadata.resourceVersion
        if (resourceVersion !== undefined && resourceVersion !== '') metadata.resourceVersion = resourceVersion
        const now = timestamp(core.now())
        const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null }
        const { nominatedNodeName: _cleared, ...status } = withCondition(old['status'], scheduled, now) as {
          nominatedNodeName?: string
        }
        return { ...old, metadata, spec: { ...old['spec'], nodeName: node }, status }
      },
      restrict: () => undefined,
    },
  )
  return { object: SUCCESS(), created: true }
}

/** Upstream has no reason for what is wrong with a binding. */
function listed(wrong: readonly FieldError[]): string {
  const texts = wrong.map(({ field, message }) => `${field}: ${message}`)
  return texts.length === 1 ? texts[0]! : `[${texts.join(', ')}]`
}

function refusal(pod: KubeObject): string | undefined {
  const { name, deletionTimestamp } = pod.metadata
  const spec = pod['spec'] ?? {}
  if (deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`
  if ((spec.nodeName ?? '') !== '') return `pod ${name} is already assigned to node ${JSON.stringify(spec.nodeName)}`
  if ((spec.schedulingGates ?? []).length > 0) return `pod ${name} has non-empty .spec.schedulingGates`
  return undefined
}

export const binding: Subresource = { create: (core, call, pod, object) => bindPod(core, call, pod, object) }
