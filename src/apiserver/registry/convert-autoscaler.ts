/**
 * HorizontalPodAutoscaler between autoscaling/v1 and v2 (stored). v1 knows one metric, the CPU utilisation; the
 * others, the conditions and the behaviour travel through it in annotations, as upstream's conversion has it.
 */
import type { KubeObject, StringMap } from '../../machinery/object.ts'

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

/** v2 → v1 */
export function autoscalerV1Of(object: KubeObject): KubeObject {
  const { metrics, behavior, ...spec } = object['spec'] ?? {}
  const { currentMetrics, conditions, ...status } = object['status'] ?? {}
  const carried: StringMap = {}
  const cpu = (metrics ?? []).find(isCpu)
  const others = (metrics ?? []).filter((m: Metric) => m !== cpu)
  if (cpu !== undefined) spec.targetCPUUtilizationPercentage = cpu.resource.target.averageUtilization
  if (others.length > 0) carried[METRICS] = JSON.stringify(others)
  const current = (currentMetrics ?? []).find(isCpu)
  if (current !== undefined) status.currentCPUUtilizationPercentage = current.resource.current.averageUtilization
  const otherCurrent = (currentMetrics ?? []).filter((m: Metric) => m !== current)
  if (otherCurrent.length > 0) carried[CURRENT] = JSON.stringify(otherCurrent)
  if (conditions !== undefined && conditions.length > 0) carried[CONDITIONS] = JSON.stringify(conditions)
  if (behavior !== undefined) carried[BEHAVIOR] = JSON.stringify(behavior)
  const metadata = { ...object.metadata }
  if (Object.keys(carried).length > 0) metadata.annotations = { ...metadata.annotations, ...carried }
  return { ...object, metadata, spec, ...(object['status'] === undefined ? {} : { status }) }
}

/** v1 → v2 */
export function autoscalerV2Of(object: KubeObject): KubeObject {
  const { targetCPUUtilizationPercentage: target, ...spec } = object['spec'] ?? {}
  const { currentCPUUtilizationPercentage: used, ...status } = object['status'] ?? {}
  const annotations = object.metadata.annotations ?? {}
  const metrics = carriedList(annotations, METRICS)
  if (target !== undefined && target !== null) {
    const cpu = { name: 'cpu', target: { type: 'Utilization', averageUtilization: target } }
    metrics.push({ type: 'Resource', resource: cpu })
  }
  if (metrics.length > 0) spec.metrics = metrics
  const current = carriedList(annotations, CURRENT)
  if (used !== undefined && used !== null) {
    current.push({ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: used } } })
  }
  if (current.length > 0) status.currentMetrics = current
  const conditions = carriedList(annotations, CONDITIONS)
  if (conditions.length > 0) status.conditions = conditions
  const behavior = carried(annotations, BEHAVIOR)
  if (behavior !== null && typeof behavior === 'object') spec.behavior = behavior
  const kept = Object.entries(annotations).filter(([name]) => !CARRIED.has(name))
  const metadata = { ...object.metadata }
  delete metadata.annotations
  if (kept.length > 0) metadata.annotations = Object.fromEntries(kept)
  const hasStatus = object['status'] !== undefined || Object.keys(status).length > 0
  return { ...object, metadata, spec, ...(hasStatus ? { status } : {}) }
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

function carriedList(annotations: StringMap, name: string): Metric[] {
  const value = carried(annotations, name)
  return Array.isArray(value) ? value : []
}
