/** The disruption controller: keeps the status of PodDisruptionBudgets, from which evictions are allowed. */
import { resources } from '../../client/resources.ts'
import { labelSelectorOf, matchesLabels, nothing, type LabelSelector } from '../../machinery/selector/labels.ts'
import { isReason } from '../../machinery/status.ts'
import type { Controller, ControllerContext } from '../contract.ts'
import { keyOf, sameValue, splitKey } from '../meta.ts'
import type { Pod } from '../objects.ts'
import { createRecorder } from '../recorder.ts'
import {
  budgetStatus,
  disruptedPods,
  expectation,
  failedStatus,
  healthyPods,
  needsScale,
  staleIn,
  withoutDisruption,
  type Budget,
  type BudgetStatus,
} from './budget.ts'
import { expectedScale } from './scale.ts'

/** Keys: `budget/<namespace>/<name>`, `stale/<namespace>/<pod>`. */
export function disruptionController(context: ControllerContext): Controller {
  const { client } = context
  const budgets = client.informer<Budget>(resources.poddisruptionbudgets)
  const pods = client.informer<Pod>(resources.pods)
  const recorder = createRecorder(context, 'controllermanager', {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
  })

  return {
    name: 'disruption',
    start() {
      budgets.onEvent(({ type, object }) => {
        if (type !== 'delete') context.enqueue(`budget/${keyOf(object)}`)
      })
      pods.onEvent((event) => {
        const pod = event.object
        enqueueFor(pod)
        if (event.type === 'update' && !sameValue(event.old.metadata.labels, pod.metadata.labels)) enqueueFor(event.old)
        if (event.type === 'delete') return
        const stale = staleIn(pod, context.now())
        if (stale !== undefined) context.enqueue(`stale/${keyOf(pod)}`, Math.max(1, stale))
      })
    },
    async reconcile(key) {
      if (!pods.synced || !budgets.synced) await Promise.all([pods.ready(), budgets.ready()])
      const at = key.indexOf('/')
      const { namespace, name } = splitKey(key.slice(at + 1))
      if (key.startsWith('stale/')) await takeBack(pods.get(namespace, name))
      else {
        const budget = budgets.get(namespace, name)
        if (budget !== undefined) await keep(key, budget)
      }
    },
  }

  function enqueueFor(pod: Pod): void {
    for (const budget of budgets.list(pod.metadata.namespace!)) {
      if (matchesLabels(selectorOf(budget), pod.metadata.labels)) context.enqueue(`budget/${keyOf(budget)}`)
    }
  }

  async function keep(key: string, budget: Budget): Promise<void> {
    const { namespace } = budget.metadata
    const selector = selectorOf(budget)
    const selected = pods.list(namespace).filter((pod) => matchesLabels(selector, pod.metadata.labels))
    if (selected.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found')
    const now = context.now()
    let scale = 0
    try {
      if (needsScale(budget)) scale = await scaleFor(budget, selected)
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      const text = `Failed to calculate the number of expected pods: ${message}`
      recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', text)
      await write(budget, failedStatus(budget, message, now))
      throw error
    }
    const { expected, desired } = expectation(budget, selected.length, scale)
    const { awaited, forgotten, recheck } = disruptedPods(budget, selected, now)
    const healthy = healthyPods(selected, awaited)
    for (const pod of forgotten) {
      const text = `Pod ${keyOf(pod)} was expected by PDB ${keyOf(budget)} to be deleted but it wasn't`
      recorder.event(budget, 'Warning', 'NotDeleted', text)
    }
    await write(budget, budgetStatus(budget, { expected, desired, healthy, disrupted: awaited }, now))
    if (recheck !== undefined) context.enqueue(key, recheck)
  }

  async function scaleFor(budget: Budget, selected: readonly Pod[]): Promise<number> {
    const { total, unmanaged } = await expectedScale(client, selected, context.signal)
    if (unmanaged.length > 0) {
      const text =
        'Pods selected by this PodDisruptionBudget were found to be unmanaged, so that its status cannot be worked ' +
        'out correctly. To account for these pods set ".spec.minAvailable" to an integer.'
      recorder.event(budget, 'Warning', 'UnmanagedPods', text)
    }
    return total
  }

  /** The revision goes along: an eviction that was granted meanwhile must not be overwritten. */
  async function write(budget: Budget, status: BudgetStatus): Promise<void> {
    if (sameValue(status, budget.status)) return
    const namespace = budget.metadata.namespace!
    try {
      const where = { namespace, subresource: 'status' }
      await client.update(resources.poddisruptionbudgets, { ...budget, status }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }

  async function takeBack(pod: Pod | undefined): Promise<void> {
    if (pod === undefined) return
    const now = context.now()
    const stale = staleIn(pod, now)
    if (stale === undefined) return
    if (stale > 0) {
      context.enqueue(`stale/${keyOf(pod)}`, stale)
      return
    }
    const where = { namespace: pod.metadata.namespace!, subresource: 'status' }
    try {
      await client.update(resources.pods, { ...pod, status: withoutDisruption(pod, now) }, where)
    } catch (error) {
      if (!isReason(error, 'NotFound')) throw error
    }
  }
}

/** No selector, or one that is none, selects nothing. */
function selectorOf(budget: Budget): LabelSelector {
  try {
    return labelSelectorOf(budget.spec?.selector)
  } catch {
    return nothing
  }
}
