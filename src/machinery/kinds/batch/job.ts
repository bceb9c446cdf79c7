/** Jobs. */
import { child, invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1123Label } from '../../names.ts'
import { immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { sameAs } from '../equal.ts'
import { shownAs } from '../internal.ts'
import { entriesOf, entry, isSet, listOf, setEntry, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { isUsableSelector, selects, validateLabelSelector } from '../labels.ts'
import { defaultTemplate, fill } from '../pod/defaults.ts'
import { dropDisabled } from '../pod/prepare.ts'
import { shownSelector } from '../pod/shown.ts'
import { nameWarning, templateWarnings } from '../pod/warnings.ts'
import { jobSpec } from './job-spec.ts'
import { jobStatus } from './job-status.ts'

const NAME_LABELS = ['job-name', 'batch.kubernetes.io/job-name']
const TEMPLATE = 'io.k8s.api.core.v1.PodTemplateSpec'
const UID_LABELS = ['controller-uid', 'batch.kubernetes.io/controller-uid']

/** The default of conditions that a failure policy asks for; CronJobs have it, too. */
export function defaultFailureConditions(spec: Json): void {
  for (const rule of listOf(spec.podFailurePolicy?.rules)) {
    for (const pattern of listOf(rule.onPodConditions)) fill(pattern, 'status', 'True')
  }
}

function defaultLabels(job: Json): void {
  const labels: Json = job.spec?.template?.metadata?.labels
  if (isSet(labels) && entriesOf(job.metadata.labels).length === 0) job.metadata.labels = { ...labels }
}

function defaults(job: Json): void {
  const spec: Json = (job.spec ??= {})
  defaultTemplate(spec)
  defaultFailureConditions(spec)
  defaultLabels(job)
  if (!isSet(spec.completions) && !isSet(spec.parallelism)) spec.completions = 1
  fill(spec, 'parallelism', 1)
  fill(spec, 'backoffLimit', isSet(spec.backoffLimitPerIndex) ? 2147483647 : 6)
  spec.completionMode ??= 'NonIndexed'
  fill(spec, 'suspend', false)
  spec.podReplacementPolicy ??= isSet(spec.podFailurePolicy) ? 'Failed' : 'TerminatingOrFailed'
  fill(spec, 'manualSelector', false)
}

/** Labels that only this job's pods have, and a selector on them. What the user set stays, to be refused. */
function generateSelector(job: Json): void {
  const { spec, metadata } = job
  if (spec.manualSelector === true) return
  const template: Json = (spec.template ??= {})
  template.metadata ??= {}
  template.metadata.labels = { ...template.metadata.labels }
  const add = (map: Json, names: readonly string[], value: string): void => {
    for (const name of names) if (!isSet(entry(map, name))) setEntry(map, name, value)
  }
  add(template.metadata.labels, NAME_LABELS, String(metadata.name ?? ''))
  add(template.metadata.labels, UID_LABELS, String(metadata.uid ?? ''))
  spec.selector = { ...spec.selector, matchLabels: { ...spec.selector?.matchLabels } }
  add(spec.selector.matchLabels, UID_LABELS.slice(1), String(metadata.uid ?? ''))
}

function validate(job: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = job.spec ?? {}
  if (old === undefined) generatedSelector(job, out)
  jobSpec(spec, old?.spec, 'spec', out)
  if (isSet(spec.selector)) out.push(...validateLabelSelector(spec.selector, 'spec.selector'))
  else out.push(required('spec.selector'))
  const labels: Json = spec.template?.metadata?.labels
  if (isUsableSelector(spec.selector) && !selects(spec.selector, labels)) {
    const detail = '`selector` does not match template `labels`'
    out.push(invalid('spec.template.metadata.labels', sortedMap(labels), detail))
  }
  if (old === undefined) namesOfPods(job, out)
  return out
}

function generatedSelector(job: Json, out: Errors): void {
  const { spec = {}, metadata } = job
  if (spec.manualSelector === true || !isSet(spec.selector)) return
  const labels: Json = spec.template?.metadata?.labels
  const [uid, name] = [String(metadata.uid ?? ''), String(metadata.name ?? '')]
  const expected: [string, string][] = UID_LABELS.flatMap((label, i): [string, string][] => [
    [label, uid],
    [NAME_LABELS[i]!, name],
  ])
  for (const [label, value] of expected) {
    const path = `spec.template.metadata.labels[${label}]`
    const actual: Json = entry(labels, label)
    if (!isSet(actual)) out.push(required(path, `must be '${value}'`))
    else if (actual !== value) out.push(invalid(path, sortedMap(labels), `must be '${value}'`))
  }
  if (isUsableSelector(spec.selector) && !selects(spec.selector, Object.fromEntries(expected))) {
    out.push(invalid('spec.selector', shownSelector(spec.selector), '`selector` not auto-generated'))
  }
}

/** The host name of the last pod must be one. */
function namesOfPods(job: Json, out: Errors): void {
  const { completionMode, completions } = job.spec ?? {}
  if (completionMode !== 'Indexed' || !(completions > 0)) return
  const name = String(job.metadata.name ?? '')
  const last = `${name}-${completions - 1}`
  if (isDns1123Label(last).length === 0) return
  out.push(invalid('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`))
}

function validateUpdate(job: Json, old: Json): FieldError[] {
  const out: Errors = []
  const [spec, before]: [Json, Json] = [job.spec ?? {}, old.spec ?? {}]
  completions(spec, before, out)
  immutable(spec.selector, before.selector, 'spec.selector', out, shownSelector(spec.selector))
  template(job, old, out)
  for (const field of ['completionMode', 'backoffLimitPerIndex', 'managedBy']) {
    immutable(spec[field], before[field], child('spec', field), out)
  }
  for (const [field, type] of [
    ['podFailurePolicy', 'PodFailurePolicy'],
    ['successPolicy', 'SuccessPolicy'],
  ] as const) {
    const shown: Json = isSet(spec[field]) ? shownAs(`io.k8s.api.batch.v1.${type}`, spec[field]) : null
    immutable(spec[field], before[field], child('spec', field), out, shown)
  }
  namesOfPods(job, out)
  return out
}

function completions(spec: Json, before: Json, out: Errors): void {
  if (spec.completionMode !== 'Indexed') {
    immutable(spec.completions, before.completions, 'spec.completions', out)
  } else if (isSet(spec.completions) && spec.completions !== before.completions) {
    if (spec.completions === spec.parallelism) return
    out.push(invalid('spec.completions', spec.completions, 'can only be modified in tandem with spec.parallelism'))
  }
}

/** Where pods of a suspended job may go, and what they may use, can still be changed. */
function template(job: Json, old: Json, out: Errors): void {
  const now: Json = job.spec?.template
  const before: Json = old.spec?.template
  const path = 'spec.template'
  const conditions = listOf(old.status?.conditions)
  const saysSuspended = conditions.some(({ type, status }) => type === 'Suspended' && status === 'True')
  const idle = !isSet(old.status?.startTime) || saysSuspended
  if (old.spec?.suspend !== true || !idle || (old.status?.active ?? 0) > 0) {
    if (!sameAs(TEMPLATE, now, before)) out.push(invalid(path, shownAs(TEMPLATE, now), 'field is immutable'))
    return
  }
  const resources = (list: Json, like: Json): Json => {
    if (!Array.isArray(list) || list.length !== listOf(like).length) return list
    return list.map((container: Json, i) =>
      container.name === like[i].name ? { ...container, resources: like[i].resources } : container,
    )
  }
  const spec: Json = {
    ...before?.spec,
    affinity: withNodeAffinity(before?.spec?.affinity, now?.spec?.affinity),
    nodeSelector: now?.spec?.nodeSelector,
    tolerations: now?.spec?.tolerations,
    schedulingGates: now?.spec?.schedulingGates,
    containers: resources(before?.spec?.containers, now?.spec?.containers),
    initContainers: resources(before?.spec?.initContainers, now?.spec?.initContainers),
  }
  const type = 'io.k8s.api.core.v1.PodSpec'
  const shown: Json = shownAs(type, now?.spec)
  if (!sameAs(type, now?.spec, spec)) out.push(invalid(child(path, 'spec'), shown, 'field is immutable'))
}

function withNodeAffinity(affinity: Json, like: Json): Json {
  const merged = { ...affinity, nodeAffinity: like?.nodeAffinity }
  const empty = !['nodeAffinity', 'podAffinity', 'podAntiAffinity'].some((field) => isSet(merged[field]))
  return empty && !isSet(like) ? undefined : merged
}

export const jobRules: KindRules = {
  defaults,
  prepareCreate: (job) => {
    job['status'] = {}
    generateSelector(job)
    delete (job['spec'] as Json).scheduling
    dropDisabled((job['spec'] as Json).template.spec)
  },
  // A job without labels of its own has its template's, which are more now.
  settle: defaultLabels,
  prepareUpdate: (job, old) => {
    job['status'] = old['status']
    if (!isSet((old['spec'] as Json)?.scheduling)) delete (job['spec'] as Json).scheduling
    dropDisabled((job['spec'] as Json).template.spec, (old['spec'] as Json)?.template?.spec)
  },
  validate,
  validateUpdate,
  validateStatus: (job, old) => jobStatus(job, old),
  generation: (job) => job['spec'] as unknown,
  fields: { 'status.successful': (job) => String((job['status'] as Json)?.succeeded ?? 0) },
  warnings: (job, old) => [
    ...(old === undefined ? nameWarning(job.metadata.name ?? '') : []),
    ...templateWarnings(job, old, (job['spec'] as Json)?.template, 'spec.template'),
  ],
}
