/** StatefulSets. */
import { child, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { dnsLabel, immutable, nonNegative } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { shownListAs } from '../internal.ts'
import { isSet, listOf, sortedMap } from '../json.ts'
import type { Json } from '../json.ts'
import { isEmptySelector, isUsableSelector, selects, validateLabelSelector } from '../labels.ts'
import { defaultTemplate, fill } from '../pod/defaults.ts'
import { dropDisabled } from '../pod/prepare.ts'
import { shownSelector } from '../pod/shown.ts'
import { templateWarnings } from '../pod/warnings.ts'
import { validateTemplate } from '../pod/validate.ts'
import { validateClaimSpec } from '../storage/claim.ts'
import { defaultClaim } from '../storage/defaults.ts'
import { atMost100Percent, counts, intOrPercent, notDecremented, numberOf, withinReplicas } from './workload.ts'

function defaults(set: Json): void {
  const spec: Json = (set.spec ??= {})
  defaultTemplate(spec)
  for (const claim of listOf(spec.volumeClaimTemplates)) {
    claim.apiVersion = 'v1'
    claim.kind = 'PersistentVolumeClaim'
    defaultClaim(claim)
  }
  fill(spec, 'podManagementPolicy', 'OrderedReady')
  const strategy: Json = (spec.updateStrategy ??= {})
  if (!strategy.type) {
    strategy.type = 'RollingUpdate'
    strategy.rollingUpdate ??= {}
  }
  if (strategy.type === 'RollingUpdate' && isSet(strategy.rollingUpdate)) {
    strategy.rollingUpdate.partition ??= 0
    strategy.rollingUpdate.maxUnavailable ??= 1
  }
  const retention: Json = (spec.persistentVolumeClaimRetentionPolicy ??= {})
  fill(retention, 'whenDeleted', 'Retain')
  fill(retention, 'whenScaled', 'Retain')
  fill(spec, 'replicas', 1)
  fill(spec, 'revisionHistoryLimit', 10)
}

function validate(set: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const spec: Json = set.spec ?? {}
  const policy: string = spec.podManagementPolicy ?? ''
  if (policy === '') out.push(required('spec.podManagementPolicy'))
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    out.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"))
  }
  updateStrategy(spec.updateStrategy ?? {}, out)
  const retention: Json = spec.persistentVolumeClaimRetentionPolicy
  for (const field of isSet(retention) ? ['whenDeleted', 'whenScaled'] : []) {
    const value: string = retention[field] ?? ''
    const path = `spec.persistentVolumeClaimRetentionPolicy.${field}`
    if (value !== 'Retain' && value !== 'Delete') out.push(notSupported(path, value, ['Retain', 'Delete']))
  }
  if (old === undefined) {
    for (const [i, claim] of listOf(spec.volumeClaimTemplates).entries()) {
      validateClaimSpec(claim.spec ?? {}, child(index('spec.volumeClaimTemplates', i), 'spec'), out)
    }
  }
  nonNegative(spec.replicas, 'spec.replicas', out)
  nonNegative(spec.minReadySeconds, 'spec.minReadySeconds', out)
  if (isSet(spec.ordinals)) nonNegative(spec.ordinals.start, 'spec.ordinals.start', out)
  if (old === undefined && spec.serviceName) dnsLabel(spec.serviceName, 'spec.serviceName', out)
  selector(spec, old?.spec, out)
  const path = 'spec.template.spec'
  const restart: string = spec.template?.spec?.restartPolicy ?? ''
  if (restart !== 'Always') out.push(notSupported(`${path}.restartPolicy`, restart, ['Always']))
  if (isSet(spec.template?.spec?.activeDeadlineSeconds)) {
    const detail = 'activeDeadlineSeconds in StatefulSet is not Supported'
    out.push(forbidden(`${path}.activeDeadlineSeconds`, detail))
  }
  return out
}

function updateStrategy(strategy: Json, out: Errors): void {
  const path = 'spec.updateStrategy'
  const rolling: Json = strategy.rollingUpdate
  const at = child(path, 'rollingUpdate')
  const type: string = strategy.type ?? ''
  const shown = isSet(rolling)
    ? { Partition: rolling.partition ?? 0, MaxUnavailable: rolling.maxUnavailable ?? null }
    : null
  if (type === '') out.push(required(path))
  else if (type === 'OnDelete') {
    if (isSet(rolling)) out.push(invalid(at, shown, "only allowed for updateStrategy 'RollingUpdate'"))
  } else if (type !== 'RollingUpdate') {
    out.push(invalid(path, { Type: type, RollingUpdate: shown }, "must be 'RollingUpdate' or 'OnDelete'"))
  } else if (isSet(rolling)) {
    nonNegative(rolling.partition, child(at, 'partition'), out)
    if (!isSet(rolling.maxUnavailable)) return
    const value = child(at, 'maxUnavailable')
    intOrPercent(rolling.maxUnavailable, value, out)
    if (numberOf(rolling.maxUnavailable) === 0) out.push(invalid(value, rolling.maxUnavailable, 'cannot be 0'))
    atMost100Percent(rolling.maxUnavailable, value, out)
  }
}

function selector(spec: Json, old: Json, out: Errors): void {
  const path = 'spec.selector'
  if (!isSet(spec.selector)) out.push(required(path))
  else {
    out.push(...validateLabelSelector(spec.selector, path))
    if (isEmptySelector(spec.selector)) {
      out.push(invalid(path, shownSelector(spec.selector), 'empty selector is invalid for statefulset'))
    }
  }
  if (!isUsableSelector(spec.selector)) {
    out.push(invalid(path, shownSelector(spec.selector), ''))
    return
  }
  const labels: Json = spec.template?.metadata?.labels
  if (!(isSet(spec.selector) && isEmptySelector(spec.selector)) && !selects(spec.selector, labels)) {
    const detail = '`selector` does not match template `labels`'
    out.push(invalid('spec.template.metadata.labels', sortedMap(labels), detail))
  }
  validateTemplate(asMade(spec), 'spec.template', out, old === undefined ? undefined : asMade(old))
}

const ENDLESS =
  'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'

/** The template as pods are made from it: with a host name of the controller's and volumes from the claims. */
function asMade({ template = {}, volumeClaimTemplates }: Json): Json {
  const claims = listOf(volumeClaimTemplates)
  const spec: Json = { ...template.spec }
  delete spec.hostname
  delete spec.subdomain
  if (claims.length > 0) {
    const names = new Set(claims.map(({ metadata }) => (metadata?.name ?? '') as string))
    const own = [...names].map((name) => ({ name, persistentVolumeClaim: { claimName: name } }))
    spec.volumes = [...own, ...listOf(spec.volumes).filter(({ name }) => !names.has(name as string))]
  }
  return { ...template, spec }
}

export const statefulSetRules: KindRules = {
  warnings: (object, old) => {
    const spec: Json = object['spec']
    const endless = (spec?.revisionHistoryLimit ?? 0) < 0
    return [...templateWarnings(object, old, spec?.template, 'spec.template'), ...(endless ? [ENDLESS] : [])]
  },
  name: 'dns1123label',
  defaults,
  prepareCreate: (set) => {
    set['status'] = { replicas: 0, availableReplicas: 0 }
    dropDisabled((set['spec'] as Json).template.spec)
  },
  prepareUpdate: (set, old) => {
    set['status'] = old['status']
    dropDisabled((set['spec'] as Json).template.spec, (old['spec'] as Json)?.template?.spec)
  },
  validate,
  validateUpdate: (set, old) => {
    const out: Errors = []
    const [spec, before]: [Json, Json] = [set['spec'] ?? {}, old['spec'] ?? {}]
    immutable(spec.selector, before.selector, 'spec.selector', out, shownSelector(spec.selector))
    const claims: Json = shownListAs('io.k8s.api.core.v1.PersistentVolumeClaim', spec.volumeClaimTemplates)
    immutable(spec.volumeClaimTemplates, before.volumeClaimTemplates, 'spec.volumeClaimTemplates', out, claims)
    for (const field of ['serviceName', 'podManagementPolicy']) {
      immutable(spec[field], before[field], child('spec', field), out)
    }
    return out
  },
  validateStatus: (set, old) => {
    const out: Errors = []
    const status: Json = set['status'] ?? {}
    const fields = ['replicas', 'readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']
    counts(status, [...fields, 'observedGeneration', 'collisionCount'], out)
    withinReplicas(status, fields.slice(1), out, 'status.readyReplicas')
    notDecremented(status, old['status'], out)
    return out
  },
  generation: (set) => set['spec'] as unknown,
}
