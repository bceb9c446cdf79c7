/** `allocatedResourcesStatus`: the health of the devices that a kubelet gave to containers. */
import { child, duplicate, index, invalid, notSupported, required, tooLong } from '../../field.ts'
import { parseQuantity, signOf } from '../../quantity.ts'
import type { Errors } from '../checks.ts'
import { entry, isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

/** The lists of statuses, with the lists of the containers that they are about. */
export const STATUSES = [
  ['containerStatuses', 'containers'],
  ['initContainerStatuses', 'initContainers'],
  ['ephemeralContainerStatuses', 'ephemeralContainers'],
] as const

const HEALTH = ['Healthy', 'Unhealthy', 'Unknown']
const MAX_MESSAGE = 1024
const CLAIM = 'claim:'
const NO_CLAIM =
  "must match one of the container's resource claims as 'claim:<claimName>/<requestName>' when container.resources.claims[*].request is set or 'claim:<claimName>' when it is empty"
const NO_REQUEST = "must match one of the container's resource requests"

/** What every status says about resources must be of its container. */
export function containerResources(pod: Json, out: Errors): void {
  for (const [field, containers] of STATUSES) {
    // Only containers that exist from the beginning get resources of their own.
    if (field === 'ephemeralContainerStatuses') continue
    listOf(pod.status?.[field]).forEach((status, i) => {
      const container: Json = listOf(pod.spec[containers]).find(({ name }) => name === status.name)
      const path = child(index(`status.${field}`, i), 'allocatedResourcesStatus')
      listOf(status.allocatedResourcesStatus).forEach((one, j) => {
        const at = index(path, j)
        const name: string = one.name ?? ''
        if (container !== undefined && !isAsked(name, container, pod.status)) {
          out.push(invalid(child(at, 'name'), name, name.startsWith(CLAIM) ? NO_CLAIM : NO_REQUEST))
        }
        devices(one.resources, child(at, 'resources'), out)
      })
    })
  }
}

function isAsked(name: string, container: Json, status: Json): boolean {
  if (!name.startsWith(CLAIM)) return isSet(entry(container.resources?.requests, name))
  const claims = listOf(container.resources?.claims).map(({ name: claim = '', request }) => nameOf(claim, request))
  if (claims.includes(name)) return true
  const { resourceClaimName = '', requestMappings }: Json = status.extendedResourceClaimStatus ?? {}
  return listOf(requestMappings).some(
    ({ containerName, requestName = '', resourceName }) =>
      requestName !== '' &&
      containerName === container.name &&
      nameOf(resourceClaimName, requestName) === name &&
      isMore(entry(container.resources?.requests, resourceName ?? '')),
  )
}

function isMore(quantity: Json): boolean {
  const parsed = isSet(quantity) ? parseQuantity(String(quantity)) : undefined
  return parsed !== undefined && signOf(parsed) !== 0
}

function nameOf(claim: string, request: Json): string {
  return request ? `${CLAIM}${claim}/${String(request)}` : `${CLAIM}${claim}`
}

function devices(list: Json, path: string, out: Errors): void {
  const seen = new Set<string>()
  listOf(list).forEach(({ resourceID = '', health = '', message }, i) => {
    const at = index(path, i)
    if (!HEALTH.includes(health)) out.push(notSupported(child(at, 'health'), health, HEALTH))
    if (message === '') out.push(required(child(at, 'message'), 'must be non-empty if specified'))
    else if (Buffer.byteLength(message ?? '') > MAX_MESSAGE) out.push(tooLong(child(at, 'message'), MAX_MESSAGE))
    if (seen.has(resourceID)) out.push(duplicate(child(at, 'resourceID'), resourceID))
    seen.add(resourceID)
  })
}
