/** Writes to a pod's subresources: ephemeral containers, resize, binding, eviction. */
import { child, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1123Subdomain } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, entry, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { MIRROR, podAnnotationsUpdate } from './annotations.ts'
import { defaultPodResources } from './pod-resources.ts'
import { qosClass } from './qos.ts'
import { validatePod } from './validate.ts'

/** Metadata that only the main endpoint may change is restored from the stored pod. */
function restoreMetadata(pod: Json, old: Json): void {
  const metadata: Json = { ...pod.metadata }
  const fields = [
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
    'ownerReferences',
    'finalizers',
    'labels',
    'annotations',
  ]
  for (const field of [...fields, 'generation', 'selfLink', 'creationTimestamp', 'uid']) {
    if (isSet(old.metadata[field])) metadata[field] = old.metadata[field]
    else delete metadata[field]
  }
  pod.metadata = metadata
}

/** Keeps nothing of the write but its ephemeral containers. */
export function prepareEphemeralContainers(pod: Json, old: Json): void {
  const list: Json = pod.spec?.ephemeralContainers
  pod.spec = { ...old.spec, ...(isSet(list) ? { ephemeralContainers: list } : {}) }
  if (!isSet(list)) delete pod.spec.ephemeralContainers
  pod.status = old.status
  restoreMetadata(pod, old)
}

/** Ephemeral containers may be added, never changed or removed. */
export function validateEphemeralContainers(pod: Json, old: Json): FieldError[] {
  if (entry(old.metadata.annotations, MIRROR) !== undefined) {
    return [forbidden('', 'static pods do not support ephemeral containers')]
  }
  const out: Errors = validatePod(pod, old)
  podAnnotationsUpdate(pod.metadata.annotations, old.metadata.annotations, 'metadata.annotations', out)
  const byName = new Map(listOf(pod.spec.ephemeralContainers).map((container) => [container.name, container]))
  for (const before of listOf(old.spec.ephemeralContainers)) {
    const now: Json = byName.get(before.name)
    const name = JSON.stringify(before.name)
    if (now === undefined) {
      out.push(forbidden('spec.ephemeralContainers', `existing ephemeral containers ${name} may not be removed\n`))
    } else if (!same(before, now)) {
      const changes = `-  ${JSON.stringify(before)}\n+  ${JSON.stringify(now)}\n`
      out.push(
        forbidden('spec.ephemeralContainers', `existing ephemeral containers ${name} may not be changed\n${changes}`),
      )
    }
  }
  return out
}

/** Keeps nothing of the write but resources and resize policies. */
export function prepareResize(pod: Json, old: Json): void {
  const lists = ['containers', 'initContainers']
  if (lists.some((field) => listOf(pod.spec?.[field]).length !== listOf(old.spec[field]).length)) return
  const spec: Json = { ...old.spec }
  if (isSet(pod.spec.resources)) spec.resources = pod.spec.resources
  for (const field of lists) if (isSet(old.spec[field])) spec[field] = resized(pod.spec[field], old.spec[field])
  pod.spec = spec
  pod.status = old.status
  restoreMetadata(pod, old)
  if (isSet(spec.resources)) {
    spec.resources = { ...spec.resources }
    defaultPodResources(spec)
  }
}

function resized(list: Json, old: Json): Json {
  if (listOf(list).some((container, i) => container.name !== old[i].name)) return list
  return listOf(old).map((container, i) => {
    const { resources: _resources, resizePolicy: _policy, ...rest } = container
    const { resources, resizePolicy } = list[i]
    return { ...rest, ...(isSet(resources) ? { resources } : {}), ...(isSet(resizePolicy) ? { resizePolicy } : {}) }
  })
}

/** Only CPU and memory may change, nothing may be removed, and the QoS class stays. */
export function validateResize(pod: Json, old: Json): FieldError[] {
  if (entry(old.metadata.annotations, MIRROR) !== undefined) return [forbidden('', 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')]
  const out: Errors = validatePod(pod, old)
  if ((old.status?.qosClass || qosClass(old.spec)) !== qosClass(pod.spec)) {
    out.push(invalid('spec', pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  }
  const running: Json = listOf(old.status?.containerStatuses).find((status) => isSet(status.state?.running))
  if (running !== undefined && !isSet(running.resources)) {
    out.push(forbidden('spec', 'Pod running on node without support for resize'))
  }
  podLevel(pod.spec.resources, old.spec.resources, out)
  if (!sameOrder(pod.spec, old.spec, out)) return out
  for (const field of ['initContainers', 'containers']) {
    listOf(old.spec[field]).forEach((before, i) => {
      const now: Json = pod.spec[field][i]
      const at = `spec.${field}[${i}].resources`
      removed(now.resources?.requests, before.resources?.requests, child(at, 'requests'), 'resource requests', out)
      removed(now.resources?.limits, before.resources?.limits, child(at, 'limits'), 'resource limits', out)
    })
  }
  listOf(old.spec.containers).forEach((before, i) => {
    if (sameBeside(pod.spec.containers[i], before)) return
    out.push(forbidden('spec', 'only cpu and memory resources are mutable'))
  })
  listOf(old.spec.initContainers).forEach((before, i) => {
    const now: Json = pod.spec.initContainers[i]
    const at = index('spec.initContainers', i)
    if (!sameBeside(now, before)) {
      out.push(forbidden(at, 'only cpu and memory resources for init or sidecar containers are mutable'))
    }
    const restarts = listOf(now.resizePolicy).some((policy) => policy.restartPolicy === 'RestartContainer')
    if (!same(now, before) && now.restartPolicy !== 'Always' && restarts) {
      const detail = 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized'
      out.push(forbidden(at, detail))
    }
  })
  return out
}

function podLevel(now: Json, before: Json, out: Errors): void {
  const path = 'spec.resources'
  if (isSet(before) && !isSet(now)) {
    out.push(forbidden(path, 'pod-level resources cannot be removed'))
    return
  }
  if (isSet(before)) {
    removed(now.requests, before.requests, `${path}.requests`, 'pod-level resource requests', out)
    removed(now.limits, before.limits, `${path}.limits`, 'pod-level resource limits', out)
  }
  if (!same(withoutCompute(now), withoutCompute(before))) {
    out.push(forbidden('spec', 'only cpu and memory resources are mutable at pod-level'))
  }
}

function removed(now: Json, before: Json, path: string, what: string, out: Errors): void {
  const gone = entriesOf(before).some(([name]) => entry(now, name) === undefined)
  if (gone) out.push(forbidden(path, `${what} cannot be removed`))
}

function withoutCompute(resources: Json): Json {
  const rest = (list: Json): Json =>
    Object.fromEntries(entriesOf(list).filter(([name]) => name !== 'cpu' && name !== 'memory'))
  return { requests: rest(resources?.requests), limits: rest(resources?.limits), claims: resources?.claims }
}

function sameBeside(now: Json, before: Json): boolean {
  return same(
    { ...now, resources: withoutCompute(now.resources) },
    { ...before, resources: withoutCompute(before.resources) },
  )
}

function sameOrder(spec: Json, old: Json, out: Errors): boolean {
  const before = out.length
  for (const field of ['containers', 'initContainers']) {
    const list = listOf(spec[field])
    if (list.length !== listOf(old[field]).length) {
      out.push(forbidden(child('spec', field), `${field} may not be added or removed on resize`))
      continue
    }
    listOf(old[field]).forEach((container, i) => {
      if (list[i].name === container.name) return
      out.push(forbidden(`spec.${field}[${i}].name`, `${field} may not be renamed or reordered on resize`))
    })
  }
  return out.length === before
}

/** A Binding: to a node, by name. */
export function validateBinding(binding: Json): FieldError[] {
  const out: Errors = []
  const { kind = '', name = '' } = binding.target ?? {}
  const toNode = kind === '' || kind === 'Node'
  if (!toNode) out.push(notSupported('target.kind', kind, ['Node', '<empty>']))
  if (name === '') out.push(required('target.name'))
  else if (toNode) each(isDns1123Subdomain(name), 'target.name', name, out)
  return out
}
