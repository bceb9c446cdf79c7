/** status: everything but the status, and some of the metadata, stays as it is stored. */
import type { Target } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { rulesFor } from '../../machinery/kinds/index.ts'
import type { Subresource } from '../registry/subresource.ts'
import { stampConditions } from './conditions.ts'

const OWN: ReadonlySet<string> = new Set(['kind', 'apiVersion', 'metadata', 'status'])
/** Kinds whose status writes leave labels alone, as upstream's strategies have it. */
const FIXED_LABELS: ReadonlySet<string> = new Set(['apps/deployments/'])
const REQUESTS = 'certificates.k8s.io/certificatesigningrequests/'

function restrict(object: KubeObject, old: KubeObject, { resource }: Target, now: () => string): void {
  for (const key of Object.keys(object)) if (!OWN.has(key) && !Object.hasOwn(old, key)) delete object[key]
  for (const key of Object.keys(old)) if (!OWN.has(key)) object[key] = old[key]
  const { metadata } = object
  if (resource.custom !== undefined) {
    const { resourceVersion } = metadata
    object.metadata = { ...old.metadata, ...(resourceVersion === undefined ? {} : { resourceVersion }) }
    return
  }
  rulesFor(resource.info.group, resource.info.kind).prepareStatus?.(object, old, now)
  if (resource.prefix === 'core/pods/') {
    delete metadata.deletionTimestamp
    if (old.metadata.deletionTimestamp !== undefined) metadata.deletionTimestamp = old.metadata.deletionTimestamp
    if (old.metadata.ownerReferences === undefined) delete metadata.ownerReferences
    else metadata.ownerReferences = old.metadata.ownerReferences
  }
  if (resource.prefix === REQUESTS) stampConditions(object, old, now)
  if (FIXED_LABELS.has(resource.prefix)) {
    if (old.metadata.labels === undefined) delete metadata.labels
    else metadata.labels = old.metadata.labels
  }
}

export const status: Subresource = {
  part: 'status',
  restrict,
  validate(object, old, { resource }, now) {
    return rulesFor(resource.info.group, resource.info.kind).validateStatus?.(object, old, now) ?? []
  },
}
