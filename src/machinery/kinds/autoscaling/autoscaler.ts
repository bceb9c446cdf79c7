/** HorizontalPodAutoscaler. Stored in v2; v1 is converted before it comes here. */
import { child, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { parseQuantity, signOf } from '../../quantity.ts'
import { metrics } from './metrics.ts'
import { objectReference, versionProblem, type ReferenceRules } from './reference.ts'

const MAX_PERIOD = 1800
const MAX_WINDOW = 3600
const SELECT = ['Disabled', 'Max', 'Min']
const POLICIES = ['Percent', 'Pods']
const OBJECTS: ReferenceRules = { emptyGroup: true, anyVersion: false }

function defaults(object: Json): void {
  const spec: Json = (object.spec ??= {})
  if (!isSet(spec.minReplicas)) spec.minReplicas = 1
  if (object.apiVersion !== 'autoscaling/v2') return
  if (listOf(spec.metrics).length === 0) {
    const target = { type: 'Utilization', averageUtilization: 80 }
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  }
  if (!isSet(spec.behavior)) return
  const percent = { type: 'Percent', value: 100, periodSeconds: 15 }
  const pods = { type: 'Pods', value: 4, periodSeconds: 15 }
  const up = { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [pods, percent] }
  const down = { selectPolicy: 'Max', policies: [percent] }
  spec.behavior.scaleUp = merged(spec.behavior.scaleUp, up)
  spec.behavior.scaleDown = merged(spec.behavior.scaleDown, down)
}

/** What is set wins over the default. */
function merged(rules: Json, standard: Json): Json {
  const out: Json = { ...standard }
  for (const field of ['stabilizationWindowSeconds', 'selectPolicy', 'policies', 'tolerance'])
    if (isSet(rules?.[field])) out[field] = rules[field]
  return ordered(out)
}

/** In the order of the type. */
function ordered({ stabilizationWindowSeconds, selectPolicy, policies, tolerance }: Json): Json {
  const out: Json = { stabilizationWindowSeconds, selectPolicy, policies, tolerance }
  for (const field of Object.keys(out as object)) if (out[field] === undefined) delete out[field]
  return out
}

function validateSpec(spec: Json, old: Json): FieldError[] {
  const out: Errors = []
  const { minReplicas, maxReplicas = 0 } = spec
  if (isSet(minReplicas) && minReplicas < 0)
    out.push(invalid('spec.minReplicas', minReplicas, 'must be greater than or equal to 0'))
  if (isSet(minReplicas) && maxReplicas < minReplicas)
    out.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'))
  const target: Json = spec.scaleTargetRef ?? {}
  objectReference(target, 'spec.scaleTargetRef', targetRules(target, old?.scaleTargetRef), out)
  metrics(spec.metrics, minReplicas, 'spec.metrics', objectRules(old), out)
  if (isSet(spec.behavior)) {
    scalingRules(spec.behavior.scaleUp, 'spec.behavior.scaleUp', out)
    scalingRules(spec.behavior.scaleDown, 'spec.behavior.scaleDown', out)
  }
  if (maxReplicas === 0) out.push(required('spec.maxReplicas'))
  else if (maxReplicas < 0) out.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1'))
  return out
}

/** An update that leaves kind and version alone is not asked about them; replication controllers are of core. */
function targetRules(target: Json, old: Json): ReferenceRules {
  const same = isSet(old) && old.apiVersion === target.apiVersion && old.kind === target.kind
  return { anyVersion: same, emptyGroup: !same && target.kind === 'ReplicationController' }
}

function objectRules(old: Json): ReferenceRules {
  const wrong = listOf(old?.metrics).some(
    ({ type, object }) => type === 'Object' && isSet(object) && versionProblem(object.describedObject ?? {}, OBJECTS),
  )
  return wrong ? { ...OBJECTS, anyVersion: true } : OBJECTS
}

function scalingRules(rules: Json, path: string, out: Errors): void {
  if (!isSet(rules)) return
  const window: Json = rules.stabilizationWindowSeconds
  const at = child(path, 'stabilizationWindowSeconds')
  if (isSet(window) && window < 0) out.push(invalid(at, window, 'must be greater than or equal to zero'))
  if (isSet(window) && window > MAX_WINDOW) out.push(invalid(at, window, `must be less than or equal to ${MAX_WINDOW}`))
  if (isSet(rules.selectPolicy) && !SELECT.includes(rules.selectPolicy))
    out.push(notSupported(child(path, 'selectPolicy'), rules.selectPolicy, SELECT))
  const policies = listOf(rules.policies)
  if (policies.length === 0) out.push(required(child(path, 'policies'), 'must specify at least one Policy'))
  policies.forEach((policy, i) => scalingPolicy(policy, index(child(path, 'policies'), i), out))
  if (isSet(rules.tolerance)) tolerance(rules.tolerance, child(path, 'tolerance'), out)
}

function tolerance(value: Json, path: string, out: Errors): void {
  const quantity = parseQuantity(String(value))
  if (quantity !== undefined && signOf(quantity) < 0)
    out.push(invalid(path, value, 'must be greater than or equal to 0'))
}

function scalingPolicy({ type = '', value = 0, periodSeconds = 0 }: Json, path: string, out: Errors): void {
  if (!POLICIES.includes(type)) out.push(notSupported(child(path, 'type'), type, POLICIES))
  if (value <= 0) out.push(invalid(child(path, 'value'), value, 'must be greater than zero'))
  const at = child(path, 'periodSeconds')
  if (periodSeconds <= 0) out.push(invalid(at, periodSeconds, 'must be greater than zero'))
  if (periodSeconds > MAX_PERIOD) out.push(invalid(at, periodSeconds, `must be less than or equal to ${MAX_PERIOD}`))
}

export const horizontalPodAutoscalerRules: KindRules = {
  defaults,
  prepareCreate: (object) => {
    object['status'] = { desiredReplicas: 0, currentMetrics: null }
  },
  prepareUpdate: (object, old) => {
    object['status'] = old['status']
  },
  validate: (object, old) => validateSpec(object['spec'] ?? {}, old?.['spec']),
  validateStatus: (object) => {
    const out: Errors = []
    const status: Json = object['status'] ?? {}
    listOf(status.conditions).forEach((condition, i) =>
      nonNegative(condition.observedGeneration, child(index('status.conditions', i), 'observedGeneration'), out),
    )
    nonNegative(status.currentReplicas, 'status.currentReplicas', out)
    nonNegative(status.desiredReplicas, 'status.desiredReplicas', out)
    return out
  },
  generation: (object) => object['spec'],
}
