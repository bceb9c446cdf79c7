/** PersistentVolumeClaim specs, also those inside pods. */
import { child, forbidden, invalid, notSupported, required } from '../../field.ts'
import { isDns1123Label, isDns1123Subdomain } from '../../names.ts'
import { parseQuantity, signOf } from '../../quantity.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { entry, isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { validateLabelSelector } from '../labels.ts'

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']
const VOLUME_MODES = ['Block', 'Filesystem']

/** Checks a claim's spec. Of an update of `old`, API groups of sources are let through where one had been named. */
export function validateClaimSpec(spec: Json, path: string, out: Errors, old?: Json): void {
  const modes = listOf(spec.accessModes)
  const modesPath = child(path, 'accessModes')
  if (modes.length === 0) out.push(required(modesPath, 'at least 1 access mode is required'))
  out.push(...validateLabelSelector(spec.selector, child(path, 'selector')))
  for (const mode of modes) if (!ACCESS_MODES.includes(mode)) out.push(notSupported(modesPath, mode, ACCESS_MODES))
  const shared = modes.some((mode) => mode !== 'ReadWriteOncePod' && ACCESS_MODES.includes(mode))
  if (modes.includes('ReadWriteOncePod') && shared) {
    out.push(forbidden(modesPath, 'may not use ReadWriteOncePod with other access modes'))
  }
  storage(entry(spec.resources?.requests, 'storage'), `${path}.resources[storage]`, out)
  className(spec.storageClassName, child(path, 'storageClassName'), out)
  if (isSet(spec.volumeMode) && !VOLUME_MODES.includes(spec.volumeMode)) {
    out.push(notSupported(child(path, 'volumeMode'), spec.volumeMode, VOLUME_MODES))
  }
  const { dataSource, dataSourceRef } = spec
  const anyGroup = isSet(old?.dataSource?.apiGroup) || isSet(old?.dataSourceRef?.apiGroup)
  if (isSet(dataSource)) source(dataSource, anyGroup, child(path, 'dataSource'), out)
  if (isSet(dataSourceRef)) {
    source(dataSourceRef, anyGroup, child(path, 'dataSourceRef'), out)
    const namespace: Json = dataSourceRef.namespace
    if (namespace) each(isDns1123Label(namespace), `${path}.dataSourceRef.namespace`, namespace, out)
  }
  if (isSet(dataSource) && isSet(dataSourceRef)) {
    if (dataSourceRef.namespace) {
      out.push(invalid(path, {}, 'may not be specified when dataSourceRef.namespace is specified'))
    } else if (!same(dataSource, { ...dataSourceRef, namespace: undefined })) {
      out.push(invalid(path, {}, 'must match dataSourceRef'))
    }
  }
  className(spec.volumeAttributesClassName, child(path, 'volumeAttributesClassName'), out)
}

function storage(value: Json, path: string, out: Errors): void {
  const quantity = isSet(value) ? parseQuantity(String(value)) : undefined
  if (quantity === undefined) out.push(required(path))
  else if (signOf(quantity) <= 0) out.push(invalid(path, String(value), 'must be greater than zero'))
}

function className(value: Json, path: string, out: Errors): void {
  if (value) each(isDns1123Subdomain(value), path, value, out)
}

function source(ref: Json, anyGroup: boolean, path: string, out: Errors): void {
  if (!ref.name) out.push(required(child(path, 'name')))
  if (!ref.kind) out.push(required(child(path, 'kind')))
  const group: string = ref.apiGroup ?? ''
  if (group === '' && ref.kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
    out.push(invalid(path, ref.kind ?? '', detail))
  }
  if (group !== '' && !anyGroup) each(isDns1123Subdomain(group), child(path, 'apiGroup'), group, out)
}
