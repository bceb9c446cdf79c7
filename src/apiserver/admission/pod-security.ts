/**
 * PodSecurity: the Pod Security Standards that a namespace's labels ask for. Pods that violate the enforced one are
 * refused; workloads and pods get warnings, and a namespace with a new enforced level hears of its pods.
 */
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { evaluate, violationText } from '../../machinery/podsecurity/evaluate.ts'
import { compareLevels, policyOf, standardText, type Standard } from '../../machinery/podsecurity/policy.ts'
import type { PodRequest } from '../metrics/admission.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { aggregate, refusal } from './refusal.ts'

/** Where a resource has the template of its pods. */
const TEMPLATES: ReadonlyMap<string, (object: KubeObject) => KubeObject['template']> = new Map([
  ['/podtemplates', (object) => object['template']],
  ['/replicationcontrollers', (object) => object['spec']?.template],
  ['apps/replicasets', (object) => object['spec']?.template],
  ['apps/deployments', (object) => object['spec']?.template],
  ['apps/statefulsets', (object) => object['spec']?.template],
  ['apps/daemonsets', (object) => object['spec']?.template],
  ['batch/jobs', (object) => object['spec']?.template],
  ['batch/cronjobs', (object) => object['spec']?.jobTemplate?.spec?.template],
])
/** Pods of a namespace that are looked at when its enforced level changes. */
const MOST_PODS = 3000

export const podSecurity: AdmissionPlugin = {
  name: 'PodSecurity',
  handles(operation, { group, resource }, subresource) {
    if (operation === 'DELETE') return false
    if (group === '' && resource === 'pods') {
      return subresource === '' || subresource === 'ephemeralcontainers' || subresource === 'resize'
    }
    if (subresource !== '') return false
    return (group === '' && resource === 'namespaces') || TEMPLATES.has(`${group}/${resource}`)
  },
  validate(request) {
    const { group, resource } = request.resource.info
    if (group === '' && resource === 'namespaces') validateNamespace(request)
    else if (group === '' && resource === 'pods') validatePod(request)
    else validateTemplate(request, TEMPLATES.get(`${group}/${resource}`)!(request.object))
  },
}

const AUDIT = 'pod-security.kubernetes.io/'

function policyFor({ state, namespace }: AdmissionRequest): ReturnType<typeof policyOf> {
  return policyOf(state.find('', 'namespaces', '', namespace)?.metadata.labels)
}

const isPrivileged = ({ level }: Standard): boolean => level === 'privileged'

function validatePod(request: AdmissionRequest): void {
  const { object, old, call } = request
  const { policy, errors: wrong } = policyFor(request)
  const { enforce, audit, warn } = policy
  if (wrong.length === 0 && [enforce, audit, warn].every(isPrivileged)) {
    evaluated(request, 'enforce', enforce, true)
    call.audit?.annotate(`${AUDIT}enforce-policy`, 'privileged:latest')
    return
  }
  if (old !== undefined && !isSignificant(object, old)) return
  call.audit?.annotate(`${AUDIT}enforce-policy`, standardText(enforce))
  noteErrors(request, wrong)
  noteViolations(request, audit, object)
  const violations = evaluate(enforce, object)
  evaluated(request, 'enforce', enforce, violations.length === 0)
  if (violations.length > 0) {
    const standard = JSON.stringify(standardText(enforce))
    throw refusal(request, `violates PodSecurity ${standard}: ${violationText(violations)}`)
  }
  warnAbout(request, warn, object)
}

/** Templates are never refused: their pods will be. */
function validateTemplate(request: AdmissionRequest, template: KubeObject['template']): void {
  if (template === undefined) return
  const { policy, errors: wrong } = policyFor(request)
  if (wrong.length === 0 && isPrivileged(policy.warn) && isPrivileged(policy.audit)) return
  noteErrors(request, wrong)
  noteViolations(request, policy.audit, template as KubeObject)
  warnAbout(request, policy.warn, template as KubeObject)
}

/** Refusals of the other modes are counted only: they change nothing. */
function evaluated(
  request: AdmissionRequest,
  mode: 'enforce' | 'audit' | 'warn',
  by: Standard,
  allowed: boolean,
): void {
  if (mode !== 'enforce' && allowed) return
  const version = by.minor === Infinity ? 'latest' : `v1.${by.minor}`
  request.state.metrics.admission.podSecurity({ allowed, mode, level: by.level, version, ...counted(request) })
}

function counted({ operation, subresource, resource: { info } }: AdmissionRequest): PodRequest {
  const resource = info.group === '' && info.resource === 'pods' ? 'pod' : 'controller'
  return { operation, resource, subresource }
}

function noteErrors(request: AdmissionRequest, wrong: ReturnType<typeof policyOf>['errors']): void {
  const { call } = request
  if (wrong.length > 0) request.state.metrics.admission.podSecurityFailed(counted(request))
  if (call.audit === undefined || wrong.length === 0) return
  const texts = wrong.map(({ field, message }) => `${field}: ${message}`)
  call.audit.annotate(`${AUDIT}error`, `Failed to parse policy: ${aggregate(texts)}`)
}

function noteViolations(request: AdmissionRequest, audit: Standard, pod: KubeObject): void {
  const violations = evaluate(audit, pod)
  evaluated(request, 'audit', audit, violations.length === 0)
  if (violations.length > 0) request.call.audit?.annotate(`${AUDIT}audit-violations`, wouldViolate(audit, violations))
}

function warnAbout(request: AdmissionRequest, warn: Standard, pod: KubeObject): void {
  const violations = evaluate(warn, pod)
  evaluated(request, 'warn', warn, violations.length === 0)
  if (violations.length > 0) say(request, wouldViolate(warn, violations))
}

function wouldViolate(standard: Standard, violations: ReturnType<typeof evaluate>): string {
  return `would violate PodSecurity ${JSON.stringify(standardText(standard))}: ${violationText(violations)}`
}

function say({ call: { warnings } }: AdmissionRequest, text: string): void {
  if (warnings !== undefined && !warnings.includes(text)) warnings.push(text)
}

/** A change of images or containers; anything else of a pod that runs was looked at before. */
function isSignificant(pod: KubeObject, old: KubeObject): boolean {
  const list = (of: KubeObject, field: string): { name: string; image?: string }[] => of['spec']?.[field] ?? []
  for (const field of ['containers', 'initContainers']) {
    const [now, before] = [list(pod, field), list(old, field)]
    if (now.length !== before.length || now.some(({ image }, i) => image !== before[i]!.image)) return true
  }
  return list(pod, 'ephemeralContainers').some(({ name, image }) => {
    const before = list(old, 'ephemeralContainers').find((one) => one.name === name)
    return before === undefined || before.image !== image
  })
}

function validateNamespace(request: AdmissionRequest): void {
  const { object, old } = request
  const { policy, errors: wrong } = policyOf(object.metadata.labels)
  const before = policyOf(old?.metadata.labels)
  if (wrong.length > 0 && JSON.stringify(wrong) !== JSON.stringify(before.errors)) {
    throw errors.invalid({ group: '', kind: 'Namespace' }, object.metadata.name ?? '', wrong)
  }
  if (old === undefined || request.call.warnings === undefined) return
  const { enforce } = policy
  const was = before.policy.enforce
  const looser = enforce.minor === was.minor && compareLevels(enforce.level, was.level) <= 0
  if (enforce.level === 'privileged' || looser) return
  for (const text of podWarnings(request, enforce)) say(request, text)
}

/** What the pods of the namespace violate, said once for pods that violate the same. */
function podWarnings({ state, name }: AdmissionRequest, enforce: Standard): string[] {
  const all = state.list('', 'pods', name)
  const pods = all.slice(0, MOST_PODS)
  const found = new Map<string, { first: string; count: number }>()
  for (const pod of pods) {
    const reasons = evaluate(enforce, pod).map(({ reason }) => reason)
    if (reasons.length === 0) continue
    const key = reasons.join(', ')
    const known = found.get(key)
    const own = pod.metadata.name!
    if (known === undefined) found.set(key, { first: own, count: 1 })
    else found.set(key, { first: own < known.first ? own : known.first, count: known.count + 1 })
  }
  const out: string[] = []
  if (pods.length < all.length) {
    const text = `only checked against the first ${pods.length} of ${all.length} existing pods`
    out.push(`new PodSecurity enforce level ${text}`)
  }
  if (found.size === 0) return out
  const standard = JSON.stringify(standardText(enforce))
  out.push(`existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level ${standard}`)
  const texts = [...found].map(([reasons, { first, count }]) => {
    const others = count === 1 ? '' : ` (and ${count - 1} other ${count === 2 ? 'pod' : 'pods'})`
    return `${first}${others}: ${reasons}`
  })
  return [...out, ...texts.toSorted((a, b) => (a < b ? -1 : 1))]
}
