/** How a plug-in refuses: 403 about the object of the request. */
import type { StatusCause, StatusError } from '../../machinery/status.ts'
import { errors } from '../../machinery/status.ts'
import type { AdmissionRequest } from './contract.ts'

/** `pods "x" is forbidden: why` */
export function refusal(request: AdmissionRequest, why: string, causes?: StatusCause[]): StatusError {
  const { group, resource } = request.resource.info
  return errors.forbidden({ group, resource }, nameFor(request), why, causes)
}

/** The name in refusals: the request's, the object's, or what its name will begin with. */
function nameFor({ name, object, operation }: AdmissionRequest): string {
  if (name !== '') return name
  if (operation === 'DELETE') return 'Unknown'
  const { metadata } = object
  if (metadata.name !== undefined && metadata.name !== '') return metadata.name
  return metadata.generateName !== undefined && metadata.generateName !== '' ? metadata.generateName : 'Unknown'
}

/** Several reasons as one text: `[a, b]`. */
export function aggregate(reasons: readonly string[]): string {
  return reasons.length === 1 ? reasons[0]! : `[${reasons.join(', ')}]`
}
