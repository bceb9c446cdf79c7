/** The metrics of a HorizontalPodAutoscaler, each with exactly one source, and their targets. */
import { child, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import { isPathSegmentName } from '../../names.ts'
import { parseQuantity, signOf } from '../../quantity.ts'
import { dnsLabel, each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { containerResourceName } from '../resources.ts'
import { objectReference, type ReferenceRules } from './reference.ts'

const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']
const TARGETS = ['Utilization', 'Value', 'AverageValue']

type Check = (source: Json, path: string, out: Errors, rules: ReferenceRules) => void

/** In the order in which upstream looks for them: only the first one that is there is checked. */
const SOURCES: readonly (readonly [field: string, type: string, check: Check])[] = [
  ['object', 'Object', objectSource],
  ['external', 'External', externalSource],
  ['pods', 'Pods', podsSource],
  ['resource', 'Resource', resourceSource],
  ['containerResource', 'ContainerResource', containerSource],
]

/** Everything wrong with the metrics. */
export function metrics(list: Json, minReplicas: Json, path: string, rules: ReferenceRules, out: Errors): void {
  let outside = false
  listOf(list).forEach((metric, i) => {
    metricSpec(metric, index(path, i), rules, out)
    if (metric.type === 'Object' || metric.type === 'External') outside = true
  })
  if (minReplicas === 0 && !outside)
    out.push(forbidden(path, 'must specify at least one Object or External metric to support scaling to zero replicas'))
}

function metricSpec(metric: Json, path: string, rules: ReferenceRules, out: Errors): void {
  const type: string = metric.type ?? ''
  const known = TYPES.includes(type)
  if (type === '') out.push(required(child(path, 'type'), 'must specify a metric source type'))
  if (!known) out.push(notSupported(child(path, 'type'), type, TYPES))
  const present = SOURCES.filter(([field]) => isSet(metric[field]))
  const [first] = present
  if (first !== undefined) first[2](metric[first[0]], child(path, first[0]), out, rules)
  const expected = SOURCES.find(([, name]) => name === type)?.[0]
  if (expected !== undefined && !isSet(metric[expected]))
    out.push(required(child(path, expected), 'must populate information for the given metric source'))
  if (present.length === 1) return
  for (const [field] of present) {
    if (field !== expected) out.push(forbidden(child(path, field), 'must populate the given metric source only'))
  }
}

function objectSource(source: Json, path: string, out: Errors, rules: ReferenceRules): void {
  objectReference(source.describedObject ?? {}, child(path, 'describedObject'), rules, out)
  identifier(source.metric, child(path, 'metric'), out)
  target(source.target, child(path, 'target'), out)
  if (!isSet(source.target?.value) && !isSet(source.target?.averageValue)) {
    out.push(required(child(path, 'target.averageValue'), 'must set either a target value or averageValue'))
  }
}

function externalSource(source: Json, path: string, out: Errors): void {
  identifier(source.metric, child(path, 'metric'), out)
  target(source.target, child(path, 'target'), out)
  const value = isSet(source.target?.value)
  const average = isSet(source.target?.averageValue)
  if (!value && !average) {
    out.push(
      required(child(path, 'target.averageValue'), 'must set either a target value for metric or a per-pod target'),
    )
  }
  if (value && average) {
    out.push(forbidden(child(path, 'target.value'), 'may not set both a target value for metric and a per-pod target'))
  }
}

function podsSource(source: Json, path: string, out: Errors): void {
  identifier(source.metric, child(path, 'metric'), out)
  target(source.target, child(path, 'target'), out)
  if (!isSet(source.target?.averageValue)) {
    out.push(required(child(path, 'target.averageValue'), 'must specify a positive target averageValue'))
  }
}

function containerSource(source: Json, path: string, out: Errors): void {
  if (!source.name) out.push(required(child(path, 'name'), 'must specify a resource name'))
  else containerResourceName(source.name, child(path, 'name'), out)
  if (!source.container) out.push(required(child(path, 'container'), 'must specify a container'))
  else dnsLabel(source.container, child(path, 'container'), out)
  rawOrUtilization(source.target, child(path, 'target'), out)
}

function resourceSource(source: Json, path: string, out: Errors): void {
  if (!source.name) out.push(required(child(path, 'name'), 'must specify a resource name'))
  rawOrUtilization(source.target, child(path, 'target'), out)
}

function rawOrUtilization(value: Json, path: string, out: Errors): void {
  target(value, path, out)
  const utilization = isSet(value?.averageUtilization)
  const raw = isSet(value?.averageValue)
  if (!utilization && !raw) {
    out.push(required(child(path, 'averageUtilization'), 'must set either a target raw value or a target utilization'))
  }
  if (utilization && raw) {
    out.push(forbidden(child(path, 'averageValue'), 'may not set both a target raw value and a target utilization'))
  }
}

function target(value: Json, path: string, out: Errors): void {
  const type: string = value?.type ?? ''
  if (type === '') out.push(required(child(path, 'type'), 'must specify a metric target type'))
  if (!TARGETS.includes(type)) {
    out.push(invalid(child(path, 'type'), type, 'must be either Utilization, Value, or AverageValue'))
  }
  for (const field of ['value', 'averageValue']) {
    const quantity: Json = value?.[field]
    if (isSet(quantity) && !isPositive(quantity)) out.push(invalid(child(path, field), quantity, 'must be positive'))
  }
  const utilization: Json = value?.averageUtilization
  if (isSet(utilization) && utilization < 1) {
    out.push(invalid(child(path, 'averageUtilization'), utilization, 'must be greater than 0'))
  }
}

function isPositive(quantity: Json): boolean {
  const parsed = parseQuantity(String(quantity))
  return parsed !== undefined && signOf(parsed) > 0
}

function identifier(metric: Json, path: string, out: Errors): void {
  if (!metric?.name) out.push(required(child(path, 'name'), 'must specify a metric name'))
  else each(isPathSegmentName(metric.name), child(path, 'name'), metric.name, out)
}
