/**
 * Metrics of a HorizontalPodAutoscaler as autoscaling/v1's annotations have them, where targets and values stand beside
 * the metric's name, and as v2 has them; and its behaviour, which is kept with Go's names of fields. Annotations are
 * texts of clients: what does not have the shape is left out.
 */
import { parseQuantity } from '../../quantity.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- what a client wrote, of any shape
type Json = any

const SOURCES = ['object', 'pods', 'resource', 'containerResource', 'external'] as const

/** Without members that are undefined or null. */
function some(object: Record<string, Json>): Json {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null))
}

const reference = ({ kind = '', name = '', apiVersion }: Json): Json => some({ kind, name, apiVersion })

type Side = Readonly<Record<(typeof SOURCES)[number], (source: Json) => Json>>

const SPECS_OUT: Side = {
  object: ({ describedObject = {}, metric = {}, target = {} }) =>
    some({
      target: reference(describedObject),
      metricName: metric.name ?? '',
      targetValue: target.value ?? '0',
      selector: metric.selector,
      averageValue: target.averageValue,
    }),
  pods: ({ metric = {}, target = {} }) =>
    some({
      metricName: metric.name ?? '',
      targetAverageValue: target.averageValue ?? '0',
      selector: metric.selector,
    }),
  resource: ({ name, target = {} }) => resourceTarget(name, target),
  containerResource: ({ name, container = '', target = {} }) => ({ ...resourceTarget(name, target), container }),
  external: ({ metric = {}, target = {} }) =>
    some({
      metricName: metric.name ?? '',
      metricSelector: metric.selector,
      targetValue: target.value,
      targetAverageValue: target.averageValue,
    }),
}

function resourceTarget(name: Json, { averageUtilization, averageValue }: Json): Json {
  return some({ name: name ?? '', targetAverageUtilization: averageUtilization, targetAverageValue: averageValue })
}

const SPECS_IN: Side = {
  object: ({ target, metricName, targetValue = '0', selector, averageValue }) => ({
    describedObject: reference(target ?? {}),
    metric: some({ name: metricName ?? '', selector }),
    target:
      averageValue === undefined || averageValue === null
        ? { type: 'Value', value: targetValue }
        : some({ type: 'AverageValue', value: isZero(targetValue) ? undefined : targetValue, averageValue }),
  }),
  pods: ({ metricName, targetAverageValue = '0', selector }) => ({
    metric: some({ name: metricName ?? '', selector }),
    target: { type: 'AverageValue', averageValue: targetAverageValue },
  }),
  resource: (source) => ({ name: source.name ?? '', target: targetOf(source) }),
  containerResource: (source) => ({
    name: source.name ?? '',
    target: targetOf(source),
    container: source.container ?? '',
  }),
  external: ({ metricName, metricSelector, targetValue, targetAverageValue }) => ({
    metric: some({ name: metricName ?? '', selector: metricSelector }),
    target: some({
      type: targetValue === undefined || targetValue === null ? 'AverageValue' : 'Value',
      value: targetValue,
      averageValue: targetAverageValue,
    }),
  }),
}

function targetOf({ targetAverageUtilization, targetAverageValue }: Json): Json {
  const utilization = targetAverageUtilization !== undefined && targetAverageUtilization !== null
  return some({
    type: utilization ? 'Utilization' : 'AverageValue',
    averageValue: targetAverageValue,
    averageUtilization: targetAverageUtilization,
  })
}

const isZero = (text: Json): boolean => parseQuantity(String(text))?.nanos === 0n

const STATUSES_OUT: Side = {
  object: ({ describedObject = {}, metric = {}, current = {} }) =>
    some({
      target: reference(describedObject),
      metricName: metric.name ?? '',
      currentValue: current.value ?? '0',
      selector: metric.selector,
      averageValue: current.averageValue,
    }),
  pods: ({ metric = {}, current = {} }) =>
    some({
      metricName: metric.name ?? '',
      currentAverageValue: current.averageValue ?? '0',
      selector: metric.selector,
    }),
  resource: ({ name, current = {} }) => resourceValue(name, current),
  containerResource: ({ name, container = '', current = {} }) => ({ ...resourceValue(name, current), container }),
  external: ({ metric = {}, current = {} }) =>
    some({
      metricName: metric.name ?? '',
      metricSelector: metric.selector,
      currentValue: current.value ?? '0',
      currentAverageValue: current.averageValue,
    }),
}

function resourceValue(name: Json, { averageUtilization, averageValue }: Json): Json {
  return some({
    name: name ?? '',
    currentAverageUtilization: averageUtilization,
    currentAverageValue: averageValue ?? '0',
  })
}

const STATUSES_IN: Side = {
  object: ({ target, metricName, currentValue = '0', selector, averageValue }) => ({
    metric: some({ name: metricName ?? '', selector }),
    current: some({ value: currentValue, averageValue }),
    describedObject: reference(target ?? {}),
  }),
  pods: ({ metricName, currentAverageValue = '0', selector }) => ({
    metric: some({ name: metricName ?? '', selector }),
    current: { averageValue: currentAverageValue },
  }),
  resource: (source) => ({ name: source.name ?? '', current: valueOf(source) }),
  containerResource: (source) => ({
    name: source.name ?? '',
    current: valueOf(source),
    container: source.container ?? '',
  }),
  external: ({ metricName, metricSelector, currentValue = '0', currentAverageValue }) => ({
    metric: some({ name: metricName ?? '', selector: metricSelector }),
    current: some({ value: currentValue, averageValue: currentAverageValue }),
  }),
}

function valueOf({ currentAverageUtilization, currentAverageValue }: Json): Json {
  return some({ averageValue: currentAverageValue ?? '0', averageUtilization: currentAverageUtilization })
}

function converted(list: readonly Json[], side: Side): Json[] {
  return list.map((metric) => {
    const out: Record<string, Json> = { type: metric.type ?? '' }
    for (const name of SOURCES) if (isObject(metric[name])) out[name] = side[name](metric[name])
    return out
  })
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

/** v2 → annotation, in its order of fields. */
export const oldMetrics = (list: readonly Json[]): Json[] => converted(list, SPECS_OUT)
export const oldStatuses = (list: readonly Json[]): Json[] => converted(list, STATUSES_OUT)

/** Annotation → v2. Answers undefined for what is no list of metrics. */
export const newMetrics = (value: unknown): Json[] | undefined => fromText(value, SPECS_IN)
export const newStatuses = (value: unknown): Json[] | undefined => fromText(value, STATUSES_IN)

function fromText(value: unknown, side: Side): Json[] | undefined {
  return Array.isArray(value) && value.every(isObject) ? converted(value, side) : undefined
}

/** v2 → annotation */
export function oldBehavior(behavior: Json): Json {
  const rules = (side: Json): Json =>
    isObject(side)
      ? {
          StabilizationWindowSeconds: side.stabilizationWindowSeconds ?? null,
          SelectPolicy: side.selectPolicy ?? null,
          Policies:
            side.policies?.map((one: Json) => ({
              Type: one.type ?? '',
              Value: one.value ?? 0,
              PeriodSeconds: one.periodSeconds ?? 0,
            })) ?? null,
          Tolerance: side.tolerance ?? null,
        }
      : null
  return { ScaleUp: rules(behavior.scaleUp), ScaleDown: rules(behavior.scaleDown) }
}

/** Annotation → v2: Go reads names in any case. Undefined when there is nothing in it. */
export function newBehavior(value: unknown): Json {
  if (!isObject(value)) return undefined
  const rules = (side: Json): Json => {
    if (!isObject(side)) return undefined
    const policies = member(side, 'policies')
    return some({
      stabilizationWindowSeconds: member(side, 'stabilizationwindowseconds'),
      selectPolicy: member(side, 'selectpolicy'),
      policies: Array.isArray(policies) ? policies.filter(isObject).map(policyOf) : undefined,
      tolerance: member(side, 'tolerance'),
    })
  }
  const out = some({ scaleUp: rules(member(value, 'scaleup')), scaleDown: rules(member(value, 'scaledown')) })
  return Object.keys(out).length > 0 ? out : undefined
}

function policyOf(one: Json): Json {
  return {
    type: member(one, 'type') ?? '',
    value: member(one, 'value') ?? 0,
    periodSeconds: member(one, 'periodseconds') ?? 0,
  }
}

function member(object: Json, name: string): Json {
  return Object.entries(object).find(([key]) => key.toLowerCase() === name)?.[1]
}
