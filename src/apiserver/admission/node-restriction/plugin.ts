/**
 * NodeRestriction: who comes as `system:node:x` changes node x and what is on it, and nothing else. The partner of the
 * node authorizer, which lets nodes at the kinds; here it is about the objects.
 */
import type { UserInfo } from '../../contract.ts'
import type { AdmissionPlugin, AdmissionRequest } from '../contract.ts'
import { refusal } from '../refusal.ts'
import { checkPodCertificate } from './certificates.ts'
import { checkNode } from './node.ts'
import { checkEviction, checkPod, checkPodStatus } from './pod.ts'
import { checkClaimStatus, checkCsiNode, checkLease, checkRequest, checkSlice } from './small.ts'
import { checkToken } from './token.ts'

const PREFIX = 'system:node:'
const GROUP = 'system:nodes'

/** The node that a user is. Undefined for everybody else. */
function nodeOf({ name, groups }: UserInfo): string | undefined {
  return name.startsWith(PREFIX) && groups.includes(GROUP) ? name.slice(PREFIX.length) : undefined
}

/** @throws StatusError 403 */
type Check = (request: AdmissionRequest, node: string) => void

const CHECKS: ReadonlyMap<string, Check> = new Map([
  ['/pods', pods],
  ['/nodes', checkNode],
  ['/persistentvolumeclaims', checkClaimStatus],
  ['/serviceaccounts', checkToken],
  ['certificates.k8s.io/podcertificaterequests', checkPodCertificate],
  ['certificates.k8s.io/certificatesigningrequests', checkRequest],
  ['coordination.k8s.io/leases', checkLease],
  ['storage.k8s.io/csinodes', checkCsiNode],
  ['resource.k8s.io/resourceslices', checkSlice],
])

export const nodeRestriction: AdmissionPlugin = {
  name: 'NodeRestriction',
  handles: (operation, { group, resource }) => operation !== 'CONNECT' && CHECKS.has(`${group}/${resource}`),
  mutate(request) {
    const { user } = request.call
    const node = nodeOf(user)
    if (node === undefined) return
    if (node === '') throw refusal(request, `could not determine node from user ${JSON.stringify(user.name)}`)
    const { group, resource } = request.resource.info
    CHECKS.get(`${group}/${resource}`)!(request, node)
  },
}

function pods(request: AdmissionRequest, node: string): void {
  switch (request.subresource) {
    case '':
      checkPod(request, node)
      return
    case 'status':
      checkPodStatus(request, node)
      return
    case 'eviction':
      checkEviction(request, node)
      return
    default: {
      const text = `unexpected pod subresource ${JSON.stringify(request.subresource)}, only 'status' and 'eviction' are allowed`
      throw refusal(request, text)
    }
  }
}
