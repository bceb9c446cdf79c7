/**
 * HorizontalPodAutoscaler between autoscaling/v1 and v2 (stored). v1 knows one metric, the CPU utilisation; the
 * others, the conditions and the behaviour travel through it in annotations, as upstream's conversion has it.
 */
import type { KubeObject, StringMap } from '../../object.ts'
import { newBehavior, newMetrics, newStatuses, oldBehavior, oldMetrics, oldStatuses } from './old-metrics.ts'

const METRICS = 'autoscaling.alpha.kubernetes.io/metrics'
const CURRENT = 'autoscaling.alpha.kubernetes.io/current-metrics'
const CONDITIONS = 'autoscaling.alpha.kubernetes.io/conditions'
const BEHAVIOR = 'autoscaling.alpha.kubernetes.io/behavior'
const CARRIED: ReadonlySet<string> = new Set([METRICS, CURRENT, CONDITIONS, BEHAVIOR])

// oxlint-disable-next-line typescript/no-explicit-any -- metric specs are passed through
type Metric = any

const isCpu = (metric: Metric): boolean =>
  metric?.type === 'Resource' &&
  metric.resource?.name === 'cpu' &&
  (metric.resource.target?.averageUtilization ?? metric.resource.current?.averageUtilization) !== undefined

/** The utilization of the CPU that is aimed at when nothing else is, in percent. */
const STANDARD = 80

function cpuMetric(averageUtilization: number): Metric {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }
}

/** v2 → v1 */
export function autoscalerV1Of(object: KubeObject): KubeObject {
  const { metrics, behavior, ...spec } = object['spec'] ?? {}
  const { currentMetrics, conditions, ...status } = object['status'] ?? {}
  const carried: StringMap = {}
  const cpu = (metrics ?? []).find(isCpu)
  const others = (metrics ?? []).filter((m: Metric) => !isCpu(m))
  if (cpu !== undefined) spec.targetCPUUtilizationPercentage = cpu.resource.target.averageUtilization
  if (others.length > 0) carried[METRICS] = JSON.stringify(oldMetrics(others))
  const current = (currentMetrics ?? []).find(isCpu)
  if (current !== undefined) status.currentCPUUtilizationPercentage = current.resource.current.averageUtilization
  // All of them: the average value of the CPU is nowhere else.
  if ((currentMetrics ?? []).length > 0) carried[CURRENT] = JSON.stringify(oldStatuses(currentMetrics))
  if (conditions !== undefined && conditions.length > 0) carried[CONDITIONS] = JSON.stringify(conditions)
  if (behavior !== undefined && behavior !== null) carried[BEHAVIOR] = JSON.stringify(oldBehavior(behavior))
  const metadata = withAnnotations(object, carried)
  // v1 always writes them.
  status.currentReplicas ??= 0
  status.desiredReplicas ??= 0
  return { ...object, metadata, spec, status }
}

/** v1 → v2 */
export function autoscalerV2Of(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = object['spec'] ?? {}
  const { currentCPUUtilizationPercentage: used, ...status } = object['status'] ?? {}
  const annotations = object.metadata.annotations ?? {}
  const metrics = newMetrics(carried(annotations, METRICS)) ?? []
  if (target !== undefined && target !== null) {
    metrics.push(cpuMetric(target))
  }
  // What v1 leaves out stands for a utilization of the CPU that only the conversion knows.
  spec.metrics = metrics.length > 0 ? metrics : [cpuMetric(STANDARD)]
  const current = newStatuses(carried(annotations, CURRENT))
  if (current !== undefined) status.currentMetrics = current
  else if (used !== undefined && used !== null) {
    status.currentMetrics = [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: used } } }]
  }
  const conditions = carried(annotations, CONDITIONS)
  if (Array.isArray(conditions) && conditions.length > 0) status.conditions = conditions
  const behavior = newBehavior(carried(annotations, BEHAVIOR))
  if (behavior !== undefined) spec.behavior = behavior
  if (status.currentReplicas === 0) delete status.currentReplicas
  const hasStatus = object['status'] !== undefined || Object.keys(status).length > 0
  return { ...object, metadata: withAnnotations(object, {}), spec, ...(hasStatus ? { status } : {}) }
}

/** The metadata with what is carried now instead of what was. */
function withAnnotations(object: KubeObject, more: StringMap): KubeObject['metadata'] {
  const own = Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !CARRIED.has(name))
  const all = [...own, ...Object.entries(more)]
  const { annotations: _, ...metadata } = object.metadata
  return all.length === 0 ? metadata : { ...metadata, annotations: Object.fromEntries(all) as StringMap }
}

/** What an annotation carries; text that is no JSON carries nothing, as upstream ignores it. */
function carried(annotations: StringMap, name: string): unknown {
  const text = Object.hasOwn(annotations, name) ? annotations[name] : undefined
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
