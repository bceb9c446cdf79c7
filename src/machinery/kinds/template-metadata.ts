/** Metadata of objects that are made from a template: labels and annotations alone may be set. */
import { child, forbidden } from '../field.ts'
import type { Errors } from './checks.ts'
import { isSet } from './json.ts'
import type { Json } from './json.ts'
import { labels } from './labels.ts'
import { annotations } from './metadata.ts'

const FIELDS = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
]

export function templateMetadata(metadata: Json, path: string, out: Errors): void {
  annotations(metadata.annotations, child(path, 'annotations'), out)
  labels(metadata.labels, child(path, 'labels'), out)
  for (const field of FIELDS) {
    const value: Json = metadata[field]
    if (!isSet(value) || value === '' || value === 0 || (Array.isArray(value) && value.length === 0)) continue
    out.push(forbidden(child(path, field === 'uid' ? 'uID' : field), 'cannot be set'))
  }
}
