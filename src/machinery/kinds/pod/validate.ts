/** Everything that a pod or a template may not be. */
import { child, forbidden } from '../../field.ts'
import { nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { sameAs } from '../equal.ts'
import { entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { labels } from '../labels.ts'
import { annotations } from '../metadata.ts'
import { accept, isAccepted } from './accepted.ts'
import { annotationsMatchFields, MIRROR, podAnnotations } from './annotations.ts'
import { trimmedImage } from './containers.ts'
import { podSpec, TEMPLATE_RULES } from './spec.ts'

/** A pod. With `old`, the stored one, a spec that did not change is not looked at again. */
export function validatePod(pod: Json, old?: Json): Errors {
  const out: Errors = []
  const { spec, metadata } = pod
  podAnnotations(metadata.annotations, spec, 'metadata.annotations', out)
  if (old !== undefined && sameAs('io.k8s.api.core.v1.PodSpec', spec, old.spec)) return out
  const mirror = entry(metadata.annotations, MIRROR) !== undefined
  // A generic ephemeral volume's claim is named after the pod: such a spec is not the same in another one.
  const memo = old === undefined && out.length === 0 && !listOf(spec.volumes).some((volume) => isSet(volume.ephemeral))
  const rules = mirror ? 'mirror' : 'pod'
  if (memo && isAccepted(spec, rules)) {
    annotationsMatchFields(metadata.annotations, spec, 'spec', out)
    return out
  }
  podSpec(spec, { isPod: true, name: metadata.name ?? '', mirror }, 'spec', out)
  if (!spec.serviceAccountName) {
    listOf(spec.volumes).forEach((volume, i) => {
      listOf(volume.projected?.sources).forEach((source, j) => {
        if (!isSet(source.serviceAccountToken)) return
        const at = `spec.volumes[${i}].projected.sources[${j}].serviceAccountToken`
        out.push(forbidden(at, 'must not be specified when serviceAccountName is not set'))
      })
    })
  }
  nonNegative(spec.terminationGracePeriodSeconds, 'spec.terminationGracePeriodSeconds', out)
  for (const field of ['containers', 'initContainers']) {
    listOf(spec[field]).forEach((container, i) => trimmedImage(container, `spec.${field}[${i}]`, out))
  }
  if (old !== undefined) return out
  if (listOf(spec.ephemeralContainers).length > 0) {
    out.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
  }
  if (spec.nodeName && listOf(spec.schedulingGates).length > 0) {
    out.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  if (memo && out.length === 0) accept(spec, rules)
  annotationsMatchFields(metadata.annotations, spec, 'spec', out)
  return out
}

/** A PodTemplateSpec. With `old`, an unchanged template is not looked at again. */
export function validateTemplate(template: Json, path: string, out: Errors, old?: Json): void {
  if (old !== undefined && sameAs('io.k8s.api.core.v1.PodTemplateSpec', template, old)) return
  const meta: Json = template.metadata ?? {}
  const spec: Json = template.spec ?? {}
  labels(meta.labels, child(path, 'labels'), out)
  annotations(meta.annotations, child(path, 'annotations'), out)
  podAnnotations(meta.annotations, spec, child(path, 'annotations'), out)
  podSpec(spec, TEMPLATE_RULES, child(path, 'spec'), out)
  annotationsMatchFields(meta.annotations, spec, child(path, 'spec'), out)
  if (listOf(spec.ephemeralContainers).length > 0) {
    out.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  }
}
