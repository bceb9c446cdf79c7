/** What may change in a pod once it exists. */
import { child, forbidden, index, invalid, required } from '../../field.ts'
import type { Errors } from '../checks.ts'
import { sameAs } from '../equal.ts'
import { shownAs, shownListAs } from '../internal.ts'
import { entriesOf, entry, isSet, listOf, same, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { podAnnotationsUpdate } from './annotations.ts'

const POD_SPEC = 'io.k8s.api.core.v1.PodSpec'
const TERM = 'io.k8s.api.core.v1.NodeSelectorTerm'
const UPDATABLE = [
  '`spec.containers[*].image`',
  '`spec.initContainers[*].image`',
  '`spec.activeDeadlineSeconds`',
  '`spec.tolerations` (only additions to existing tolerations)',
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)',
].join(',')

/** Everything that an update of the main endpoint may not do, beyond what a new pod may not be. */
export function validateUpdate(pod: Json, old: Json): Errors {
  const out: Errors = []
  podAnnotationsUpdate(pod.metadata.annotations, old.metadata.annotations, 'metadata.annotations', out)
  const { spec } = pod
  for (const field of ['containers', 'initContainers']) {
    const list = listOf(spec[field])
    if (list.length !== listOf(old.spec[field]).length) {
      out.push(forbidden(child('spec', field), 'pod updates may not add or remove containers'))
      return out
    }
    images(list, child('spec', field), out)
  }
  if (!deadline(spec.activeDeadlineSeconds, old.spec.activeDeadlineSeconds, out)) return out
  addedTolerations(spec.tolerations, old.spec.tolerations, out)
  removedGates(spec.schedulingGates, old.spec.schedulingGates, out)
  if (sameAs(POD_SPEC, spec, old.spec)) return out
  const masked = mask(spec, old.spec, out)
  if (sameAs(POD_SPEC, masked, old.spec)) return out
  const changes = changed(old.spec, masked)
  out.push(forbidden('spec', `pod updates may not change fields other than ${UPDATABLE}\n${changes}`))
  return out
}

function images(list: readonly Json[], path: string, out: Errors): void {
  list.forEach((container, i) => {
    const image: string = container.image ?? ''
    const at = child(index(path, i), 'image')
    if (image === '') out.push(required(at))
    if (image.trim() !== image) out.push(invalid(at, image, 'must not have leading or trailing whitespace'))
  })
}

/** May be set, and may shrink. False when nothing more should be said. */
function deadline(now: Json, before: Json, out: Errors): boolean {
  const at = 'spec.activeDeadlineSeconds'
  if (!isSet(now)) {
    if (isSet(before)) out.push(invalid(at, null, 'must not update from a positive integer to nil value'))
    return true
  }
  if (now < 0 || now > 2147483647) out.push(invalid(at, now, 'must be between 0 and 2147483647, inclusive'))
  else if (isSet(before) && before < now) out.push(invalid(at, now, 'must be less than or equal to previous value'))
  else return true
  return false
}

function addedTolerations(now: Json, before: Json, out: Errors): void {
  const kept = listOf(before).every((old) =>
    listOf(now).some((t) => same({ ...old, tolerationSeconds: undefined }, { ...t, tolerationSeconds: undefined })),
  )
  if (!kept)
    out.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'))
}

function removedGates(now: Json, before: Json, out: Errors): void {
  const names = new Set(listOf(before).map((gate) => gate.name))
  listOf(now).forEach((gate, i) => {
    if (names.has(gate.name)) return
    const detail = `only deletion is allowed, but found new scheduling gate '${String(gate.name)}'`
    out.push(forbidden(`spec.schedulingGates[${i}].name`, detail))
  })
}

/** The new spec with the old values in all places that may change. */
function mask(spec: Json, old: Json, out: Errors): Json {
  const masked: Json = { ...spec }
  for (const field of ['containers', 'initContainers']) {
    if (!isSet(spec[field])) continue
    masked[field] = listOf(spec[field]).map((container, i) => ({ ...container, image: old[field][i].image }))
  }
  for (const field of ['activeDeadlineSeconds', 'schedulingGates', 'tolerations']) masked[field] = old[field]
  if (old.terminationGracePeriodSeconds < 0 && spec.terminationGracePeriodSeconds === 1) {
    masked.terminationGracePeriodSeconds = old.terminationGracePeriodSeconds
  }
  if (listOf(old.schedulingGates).length === 0) return masked
  if (!same(spec.nodeSelector, old.nodeSelector)) {
    const kept = entriesOf(old.nodeSelector).every(([name, value]) => entry(spec.nodeSelector, name) === value)
    if (!kept) {
      const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'
      out.push(invalid('spec.nodeSelector', sortedMap(spec.nodeSelector), detail))
    }
    masked.nodeSelector = old.nodeSelector
  }
  const [now, before] = [spec.affinity?.nodeAffinity, old.affinity?.nodeAffinity]
  if (!same(now, before)) {
    gatedNodeAffinity(now, before, out)
    masked.affinity = { ...spec.affinity, nodeAffinity: before }
    if (!isSet(old.affinity) && same({ ...masked.affinity, nodeAffinity: undefined }, {})) delete masked.affinity
  }
  return masked
}

function gatedNodeAffinity(now: Json, before: Json, out: Errors): void {
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'
  const old = listOf(before?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms)
  const terms = listOf(now?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms)
  if (old.length === 0) return
  if (old.length !== terms.length) {
    const detail = 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'
    out.push(invalid(path, terms.length === 0 ? null : shownListAs(TERM, terms), detail))
    return
  }
  old.forEach((term, i) => {
    if (onlyAdds(terms[i], term)) return
    out.push(invalid(index(path, i), shownAs(TERM, terms[i]), 'only additions are allowed (no mutations or deletions)'))
  })
}

function onlyAdds(now: Json, before: Json): boolean {
  const parts = ['matchExpressions', 'matchFields']
  if (parts.every((part) => listOf(before[part]).length === 0)) {
    return parts.every((part) => listOf(now[part]).length === 0)
  }
  return parts.every((part) => {
    const old = listOf(before[part])
    return same(listOf(now[part]).slice(0, old.length), old)
  })
}

/** One line per field of the spec that differs: `-` as it was, `+` as it should have become. */
function changed(before: Json, now: Json): string {
  const fields = new Set([...Object.keys(before as object), ...Object.keys(now as object)])
  const lines: string[] = []
  for (const field of [...fields].sort()) {
    if (JSON.stringify(before[field]) === JSON.stringify(now[field])) continue
    lines.push(
      `-  ${field}: ${JSON.stringify(before[field] ?? null)}`,
      `+  ${field}: ${JSON.stringify(now[field] ?? null)}`,
    )
  }
  return `${lines.join('\n')}\n`
}
