/** PersistentVolumeClaim. */
import { child, forbidden, invalid, key, notSupported, required } from '../../field.ts'
import { isQualifiedName } from '../../names.ts'
import { compareQuantities, parseQuantity, quantityMilli, quantityOf, quantityValue, signOf } from '../../quantity.ts'
import { each, immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { entriesOf, entry, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { isNative, quantityIn, resourceQuantity, roundList } from '../resources.ts'
import { validateClaimSpec } from './claim.ts'
import { defaultClaim } from './defaults.ts'

/** How a class was chosen before there was a field for it. */
const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class'
const RESIZE_STATES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
  'NodeResizePending',
]
const STATES_SORTED = RESIZE_STATES.toSorted()

export const persistentVolumeClaimRules: KindRules = {
  defaults: (claim) => {
    defaultClaim(claim)
    for (const field of ['requests', 'limits']) roundList((claim['spec'] as Json).resources?.[field])
  },
  prepareCreate: (claim) => {
    claim['status'] = { phase: 'Pending' }
    prepareSources(claim['spec'], undefined)
  },
  prepareUpdate: (claim, old) => {
    claim['status'] = old['status']
    prepareSources(claim['spec'], old['spec'])
  },
  validate: (claim, old) => {
    const out: Errors = []
    validateClaimSpec(claim['spec'] ?? {}, 'spec', out, old?.['spec'])
    return out
  },
  validateUpdate,
  prepareStatus: (claim, old) => {
    claim['spec'] = old['spec']
    const [status, before]: Json[] = [claim['status'] ?? {}, old['status'] ?? {}]
    if (!isSet(before.healthStatus)) delete status.healthStatus
  },
  validateStatus,
  generation: false,
  warnings: (claim) => {
    const out: string[] = []
    if (isSet(entry(claim.metadata.annotations, BETA_CLASS))) {
      out.push(`metadata.annotations[${BETA_CLASS}]: deprecated since v1.8; use "storageClassName" attribute instead`)
    }
    for (const field of ['requests', 'limits']) {
      const list: Json = (claim['spec'] as Json)?.resources?.[field]
      const amount = quantityIn(list, 'storage')
      if (amount === undefined || quantityMilli(amount) % 1000n === 0n) continue
      const text = JSON.stringify(String(entry(list, 'storage')))
      out.push(`spec.resources.${field}[storage]: fractional byte value ${text} is invalid, must be an integer`)
    }
    return out
  },
}

/** Drops sources that clients before `dataSourceRef` had ignored, and writes what is left in both ways. */
export function prepareSources(spec: Json, old: Json): void {
  if (!isSet(spec)) return
  if (spec.dataSourceRef?.namespace && !isSet(old?.dataSourceRef)) delete spec.dataSourceRef
  const used = isSet(old?.dataSource) || isSet(old?.dataSourceRef)
  if (!used && !isSet(spec.dataSourceRef) && !isOldSource(spec.dataSource)) delete spec.dataSource
  const [source, reference]: Json[] = [spec.dataSource, spec.dataSourceRef]
  if (isSet(source) && !isSet(reference)) spec.dataSourceRef = { ...source }
  else if (isSet(reference) && !isSet(source) && !reference.namespace) {
    const { namespace: _namespace, ...rest } = reference
    spec.dataSource = rest
  }
}

function isOldSource(source: Json): boolean {
  if (!isSet(source)) return false
  const group: string = source.apiGroup ?? ''
  return group === ''
    ? source.kind === 'PersistentVolumeClaim'
    : source.kind === 'VolumeSnapshot' && group === 'snapshot.storage.k8s.io'
}

function validateUpdate(claim: Json, old: Json): Errors {
  const out: Errors = []
  const [spec, before]: Json[] = [claim.spec ?? {}, old.spec ?? {}]
  const [seen, stood]: Json[] = [{ ...spec }, { ...before }]
  if (!before.volumeName) stood.volumeName = spec.volumeName
  const [beta, oldBeta]: Json[] = [
    entry(claim.metadata.annotations, BETA_CLASS),
    entry(old.metadata.annotations, BETA_CLASS),
  ]
  const [className, oldClass]: Json[] = [spec.storageClassName, before.storageClassName]
  const fromAnnotation =
    isSet(oldBeta) && !isSet(oldClass) && className === oldBeta && (!isSet(beta) || beta === oldBeta)
  if (fromAnnotation) delete seen.storageClassName
  else {
    if ((beta ?? '') !== (oldBeta ?? '')) {
      out.push(invalid(key('metadata.annotations', BETA_CLASS), beta ?? '', 'field is immutable'))
    }
    if (isSet(className) && !isSet(oldClass) && (!isSet(oldBeta) || className === oldBeta)) {
      delete seen.storageClassName
      delete stood.storageClassName
    }
  }
  if (claim.status?.phase === 'Bound') {
    if (entriesOf(spec.resources?.requests).length > 0) {
      const storage: Json = entry(before.resources?.requests, 'storage')
      seen.resources = { ...spec.resources, requests: { ...spec.resources.requests, storage } }
    }
    if (isSet(stood.volumeAttributesClassName)) seen.volumeAttributesClassName = stood.volumeAttributesClassName
    else delete seen.volumeAttributesClassName
  }
  if (!same(seen, stood)) {
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n'
    out.push(forbidden('spec', detail))
  }
  const none = quantityOf(0)
  const size = quantityIn(spec.resources?.requests, 'storage') ?? none
  const oldSize = quantityIn(before.resources?.requests, 'storage') ?? none
  const granted = quantityIn(old.status?.capacity, 'storage') ?? none
  if (compareQuantities(size, oldSize) < 0 && compareQuantities(size, granted) <= 0) {
    out.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  }
  immutable(spec.volumeMode, before.volumeMode, 'volumeMode', out)
  if (spec.volumeAttributesClassName !== before.volumeAttributesClassName) {
    const path = 'spec.volumeAttributesClassName'
    const rest = 'is forbidden when status.currentVolumeAttributesClassName is not nil'
    if (isSet(old.status?.currentVolumeAttributesClassName)) {
      if (!isSet(spec.volumeAttributesClassName)) out.push(forbidden(path, `update to nil ${rest}`))
      else if (spec.volumeAttributesClassName === '') out.push(forbidden(path, `update to empty string ${rest}`))
    }
  }
  return out
}

function validateStatus(claim: Json): Errors {
  const out: Errors = []
  if (listOf(claim.spec?.accessModes).length === 0) out.push(required('Spec.accessModes'))
  const status: Json = claim.status ?? {}
  for (const [name, text] of entriesOf(status.capacity)) basic(text, key('status.capacity', name), out)
  const states = child('status', 'allocatedResourceStatuses')
  for (const [name, state] of entriesOf(status.allocatedResourceStatuses)) {
    resourceKey(name, states, out)
    if (!RESIZE_STATES.includes(state as string)) out.push(notSupported(states, name, STATES_SORTED))
  }
  const path = child('status', 'allocatedResources')
  for (const [name, text] of entriesOf(status.allocatedResources)) {
    if (!resourceKey(name, path, out)) continue
    if (basic(text, key(path, name), out)) resourceQuantity('storage', text, key(path, name), out)
  }
  return out
}

function basic(text: Json, path: string, out: Errors): boolean {
  const quantity = parseQuantity(String(text))
  if (quantity === undefined || signOf(quantity) >= 0) return true
  out.push(invalid(path, quantityValue(quantity), 'must be a valid resource quantity'))
  return false
}

function resourceKey(name: string, path: string, out: Errors): boolean {
  const wrong = isQualifiedName(name)
  each(wrong, path, name, out)
  if (wrong.length > 0) return false
  if (!isNative(name) || name === 'storage') return true
  out.push(notSupported(path, name, ['storage']))
  return false
}
