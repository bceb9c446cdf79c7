/** PersistentVolumeClaimResize: a claim grows only when it is bound and its class allows it. */
import type { KubeObject } from '../../machinery/object.ts'
import { compareQuantities, parseQuantity, quantityOf } from '../../machinery/quantity.ts'
import type { Quantity } from '../../machinery/quantity.ts'
import type { AdmissionPlugin, AdmissionRequest } from './contract.ts'
import { refusal } from './refusal.ts'

const CLASS_BETA = 'volume.beta.kubernetes.io/storage-class'

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: 'PersistentVolumeClaimResize',
  handles: (operation, info, subresource) =>
    operation === 'UPDATE' && subresource === '' && info.group === '' && info.resource === 'persistentvolumeclaims',
  validate(request) {
    const { object, old } = request
    if (old === undefined || compareQuantities(sizeOf(object), sizeOf(old)) <= 0) return
    if (old['status']?.phase !== 'Bound') {
      throw refusal(request, 'Only bound persistent volume claims can be expanded')
    }
    if (!mayGrow(request, old)) {
      const text =
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'
      throw refusal(request, text)
    }
  },
}

function sizeOf(claim: KubeObject): Quantity {
  return parseQuantity(String(claim['spec']?.resources?.requests?.storage ?? '0')) ?? quantityOf(0)
}

function mayGrow({ object, state }: AdmissionRequest, old: KubeObject): boolean {
  const name = classOf(object)
  if (name === '' || name !== classOf(old)) return false
  return state.find('storage.k8s.io', 'storageclasses', '', name)?.['allowVolumeExpansion'] === true
}

/** The annotation of old is stronger than the field. */
function classOf({ metadata, spec }: KubeObject): string {
  const { annotations } = metadata
  if (annotations !== undefined && Object.hasOwn(annotations, CLASS_BETA)) return annotations[CLASS_BETA]!
  return (spec?.storageClassName as string | undefined) ?? ''
}
