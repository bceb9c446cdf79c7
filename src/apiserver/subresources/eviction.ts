/** eviction: deletes a pod if its disruption budget lets it go. */
import type { Call, DeleteOptions, Target } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { labelSelectorOf, matchesLabels } from '../../machinery/selector/labels.ts'
import type { StatusError } from '../../machinery/status.ts'
import { errors, isReason } from '../../machinery/status.ts'
import { changeObject } from '../registry/change.ts'
import { admitCommand } from '../registry/command.ts'
import type { Core } from '../registry/core.ts'
import { newest, reworded, timestamp } from '../registry/core.ts'
import { deleteObject } from '../registry/delete.ts'
import { checkPreconditions } from '../registry/deletion.ts'
import type { Created, Subresource } from '../registry/subresource.ts'
import { SUCCESS } from './binding.ts'
import type { Condition } from './conditions.ts'
import { isTrue, withCondition } from './conditions.ts'

const CAUSE = 'DisruptionBudget'
const ALLOWED = 'DisruptionAllowed'
/** Pods that a budget remembers as being disrupted; more means that its controller does not keep up. */
const MAX_DISRUPTED = 2000
/** How often a pod that changes meanwhile is looked at again. */
const ATTEMPTS = 20

export const eviction: Subresource = { create: evictPod }

/** @throws StatusError 400, 404, 409, 429, 500 */
async function evictPod(core: Core, call: Call, target: Target, request: KubeObject): Promise<Created> {
  const validating = await admitCommand(core, call, target, request)
  if ((request.metadata.name ?? target.name) !== target.name) {
    throw errors.badRequest('name in URL does not match name in Eviction object')
  }
  await validating()
  const { dryRun, ...options } = (request['deleteOptions'] ?? {}) as DeleteOptions & { dryRun?: readonly string[] }
  const asked: Call = (dryRun ?? []).length > 0 ? { ...call, dryRun: true } : call
  const pinned = options.preconditions?.resourceVersion !== undefined
  for (let attempt = 1; ; attempt++) {
    try {
      await attemptEviction(core, asked, target, options)
      return { object: SUCCESS(), created: true }
    } catch (error) {
      if (pinned || attempt >= ATTEMPTS || !isReason(error, 'Conflict')) throw error
    }
  }
}

async function attemptEviction(core: Core, call: Call, target: Target, options: DeleteOptions): Promise<void> {
  const entry = newest(core.range, '', 'pods', target.namespace, target.name)
  if (entry === undefined) throw errors.notFound({ group: '', resource: 'pods' }, target.name)
  const pod = objectOf(entry)
  const revision = String(entry.revision)
  const pinned: DeleteOptions =
    options.preconditions?.resourceVersion === undefined
      ? { ...options, preconditions: { ...options.preconditions, resourceVersion: revision } }
      : options
  const phase = pod['status']?.phase
  const over = phase === 'Succeeded' || phase === 'Failed' || pod.metadata.deletionTimestamp !== undefined
  if (over || phase === 'Pending') {
    await markAndDelete(core, call, target, over ? options : pinned)
    return
  }
  const budget = budgetOf(core, target, pod)
  if (budget === undefined) {
    await markAndDelete(core, call, target, options)
    return
  }
  if (isUnguarded(pod, budget)) {
    try {
      await markAndDelete(core, call, target, pinned)
    } catch (error) {
      if (isReason(error, 'Conflict') && options.preconditions?.resourceVersion === undefined) throw busy(budget)
      throw error
    }
    return
  }
  await takeDisruption(core, call, target, budget)
  await markAndDelete(core, call, target, options)
}

/** @throws StatusError 500 for more than one */
function budgetOf(core: Core, target: Target, pod: KubeObject): KubeObject | undefined {
  const { entries } = core.range.list(`policy/poddisruptionbudgets/${target.namespace}/`)
  const matching = entries.map(objectOf).filter((budget) => {
    try {
      return matchesLabels(labelSelectorOf(budget['spec']?.selector), pod.metadata.labels)
    } catch {
      // A selector that is none selects nothing.
      return false
    }
  })
  if (matching.length > 1) {
    const text = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.'
    throw reworded(errors.internal(text), text)
  }
  return matching[0]
}

/** A pod that is not ready may go when its budget says so, or when enough others are healthy. */
function isUnguarded(pod: KubeObject, budget: KubeObject): boolean {
  if (isTrue(pod['status'], 'Ready')) return false
  if (budget['spec']?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = budget['status'] ?? {}
  return desiredHealthy > 0 && currentHealthy >= desiredHealthy
}

async function takeDisruption(core: Core, call: Call, target: Target, budget: KubeObject): Promise<void> {
  const resource = core.catalog.find('policy', 'v1', 'poddisruptionbudgets')!
  const name = budget.metadata.name ?? ''
  const at: Target = { resource, namespace: target.namespace, name, subresource: 'status' }
  await changeObject(core, call, at, {
    subresource: 'status',
    fresh: true,
    internal: true,
    attempts: ATTEMPTS,
    restrict: () => undefined,
    build(old) {
      checkBudget(old)
      const now = timestamp(core.now())
      const status = old['status'] ?? {}
      const left = (status.disruptionsAllowed as number) - 1
      const disruptedPods = { ...status.disruptedPods, [target.name]: now }
      const next = { ...status, disruptionsAllowed: left, disruptedPods }
      const { resourceVersion: _any, ...metadata } = old.metadata
      const condition: Condition = {
        type: ALLOWED,
        status: 'False',
        reason: 'InsufficientPods',
        message: '',
        observedGeneration: status.observedGeneration,
      }
      return { ...old, metadata, status: left === 0 ? withCondition(next, condition, now) : next }
    },
  })
}

const busy = (budget: KubeObject): StatusError =>
  errors.tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", 10, [
    { reason: CAUSE, message: `The disruption budget ${budget.metadata.name} is still being processed by the server.` },
  ])

/** @throws StatusError 403, 429 when the budget allows no disruption now */
function checkBudget(budget: KubeObject): void {
  const status = budget['status'] ?? {}
  const name = budget.metadata.name ?? ''
  const allowed: number = status.disruptionsAllowed ?? 0
  if ((status.observedGeneration ?? 0) < (budget.metadata.generation ?? 0)) throw busy(budget)
  const forbidden = (why: string, message: string): StatusError =>
    errors.forbidden({ group: 'policy', resource: 'poddisruptionbudget' }, name, why, [
      { reason: CAUSE, message: `The disruption budget ${name} does not allow evicting pods currently: ${message}` },
    ])
  if (allowed < 0) {
    throw forbidden('pdb disruptions allowed is negative', 'pdb disruptions allowed is negative')
  }
  if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED) {
    throw forbidden(
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
      'too many pending evictions not confirmed by PDB controller',
    )
  }
  if (allowed > 0) return
  const message = denial(name, status)
  const text = "Cannot evict pod as it would violate the pod's disruption budget."
  throw errors.tooManyRequests(text, 0, [{ reason: CAUSE, message }])
}

function denial(name: string, status: KubeObject['status']): string {
  const conditions = (status.conditions ?? []) as Condition[]
  const condition = conditions.find((c) => c.type === ALLOWED && c.status === 'False' && (c.message ?? '') !== '')
  const { currentHealthy = 0, desiredHealthy = 0 } = status
  const text = `The disruption budget ${name} does not allow evicting pods currently`
  if (condition?.reason === 'SyncFailed') return `${text} because it failed sync: ${condition.message}`
  if (currentHealthy <= desiredHealthy) {
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
  }
  return condition === undefined ? text : `${text} (${condition.reason}): ${condition.message}`
}

/** Says on the pod why it goes, then deletes it. */
async function markAndDelete(core: Core, call: Call, target: Target, options: DeleteOptions): Promise<void> {
  const pod: Target = { resource: target.resource, namespace: target.namespace, name: target.name }
  if (call.dryRun === true) {
    await deleteObject(core, call, pod, options, 'done')
    return
  }
  const condition: Condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  }
  const marked = await changeObject(
    core,
    call,
    { ...pod, subresource: 'status' },
    {
      subresource: 'status',
      fresh: true,
      internal: true,
      attempts: ATTEMPTS,
      restrict: () => undefined,
      build(old, entry) {
        checkPreconditions(pod.resource, old.metadata, entry.revision, options)
        const { resourceVersion: _any, ...metadata } = old.metadata
        return { ...old, metadata, status: withCondition(old['status'], condition, timestamp(core.now())) }
      },
    },
  )
  const { resourceVersion, ...rest } = options.preconditions ?? {}
  const moved = resourceVersion === undefined ? rest : { ...rest, resourceVersion: String(marked.entry.revision) }
  await deleteObject(core, call, pod, { ...options, preconditions: moved }, 'done')
}
