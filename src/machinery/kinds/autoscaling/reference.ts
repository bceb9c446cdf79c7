/** References to objects of any API version. */
import { child, invalid, required } from '../../field.ts'
import { isPathSegmentName } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { Json } from '../json.ts'

export interface ReferenceRules {
  /** Whether the API version may be one without a group: of core, or none. */
  readonly emptyGroup: boolean
  /** Whether the API version is not looked at: it was wrong before. */
  readonly anyVersion: boolean
}

/** A CrossVersionObjectReference. */
export function objectReference(reference: Json, path: string, rules: ReferenceRules, out: Errors): void {
  for (const field of ['kind', 'name']) {
    if (!reference[field]) out.push(required(child(path, field)))
    else each(isPathSegmentName(reference[field]), child(path, field), reference[field], out)
  }
  const wrong = versionProblem(reference, rules)
  if (wrong !== undefined) out.push(invalid(child(path, 'apiVersion'), reference.apiVersion ?? '', wrong))
}

/** What is wrong with the API version of a reference. */
export function versionProblem(
  { apiVersion = '' }: Json,
  { anyVersion, emptyGroup }: ReferenceRules,
): string | undefined {
  if (anyVersion) return undefined
  const slashes = apiVersion.split('/').length - 1
  if (slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`
  const group = slashes === 1 ? apiVersion.slice(0, apiVersion.indexOf('/')) : ''
  return group === '' && !emptyGroup ? 'apiVersion must specify API group' : undefined
}
