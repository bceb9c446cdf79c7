/** scale: the replica count of workloads and custom resources as autoscaling/v1 Scale. */
import type { Target } from '../contract.ts'
import { invalid, required } from '../../machinery/field.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { formatLabelSelector, labelSelectorFromMap, labelSelectorOf } from '../../machinery/selector/labels.ts'
import { errors } from '../../machinery/status.ts'
import { groupKind } from '../registry/core.ts'
import { readPath, writePath } from './path.ts'
import type { Subresource } from '../registry/subresource.ts'

export const scale: Subresource = {
  view(parent, { resource }) {
    const { custom } = resource
    const read = (path: string): unknown => readPath(parent, path)
    const specPath = custom?.scale?.specReplicasPath ?? '.spec.replicas'
    const statusPath = custom?.scale?.statusReplicasPath ?? '.status.replicas'
    const selector =
      custom === undefined ? workloadSelector(parent) : customSelector(parent, custom.scale?.labelSelectorPath)
    const replicas = read(specPath)
    if (custom !== undefined && replicas === undefined) {
      throw errors.internal(`the spec replicas field ${JSON.stringify(specPath)} does not exist`)
    }
    const { name, namespace, uid, resourceVersion, creationTimestamp } = parent.metadata
    return {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: {
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
        ...(creationTimestamp === undefined ? {} : { creationTimestamp }),
      },
      spec: replicas === undefined || replicas === 0 ? {} : { replicas },
      status: { replicas: read(statusPath) ?? 0, ...(selector === '' ? {} : { selector }) },
    }
  },
  merge(parent, view, target) {
    const replicas: unknown = view['spec']?.replicas ?? 0
    check(view, replicas, target)
    const path = target.resource.custom?.scale?.specReplicasPath ?? '.spec.replicas'
    writePath(parent, path, replicas)
    const { uid, resourceVersion } = view.metadata
    if (uid !== undefined) parent.metadata.uid = uid
    if (resourceVersion === undefined) delete parent.metadata.resourceVersion
    else parent.metadata.resourceVersion = resourceVersion
    return parent
  },
}

function check(view: KubeObject, replicas: unknown, target: Target): void {
  const kind = { group: 'autoscaling', kind: 'Scale' }
  const name = view.metadata.name ?? ''
  if (name !== '' && name !== target.name) {
    throw errors.badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`)
  }
  const { namespace = '' } = view.metadata
  if (namespace !== '' && namespace !== target.namespace) {
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw errors.invalid(groupKind(target.resource), target.name, [required('spec.replicas')])
  }
  // Of a custom resource the object itself is checked.
  if (replicas < 0 && target.resource.custom === undefined) {
    throw errors.invalid(kind, target.name, [invalid('spec.replicas', replicas, 'must be greater than or equal to 0')])
  }
}

/** Of a ReplicationController a plain map, of the others a LabelSelector. */
function workloadSelector(parent: KubeObject): string {
  const selector = parent['spec']?.selector
  if (selector === undefined) return ''
  const plain = parent.kind === 'ReplicationController'
  return formatLabelSelector(plain ? labelSelectorFromMap(selector) : labelSelectorOf(selector))
}

function customSelector(parent: KubeObject, path: string | undefined): string {
  const value = path === undefined ? '' : readPath(parent, path)
  return typeof value === 'string' ? value : ''
}
