/** Which subresource a target means. */
import type { Call, Target } from '../contract.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { admitCommand } from '../registry/command.ts'
import { getObject } from '../registry/get.ts'
import type { Created, Subresource, SubresourceFinder } from '../registry/subresource.ts'
import { approval } from './approval.ts'
import { binding } from './binding.ts'
import { eviction } from './eviction.ts'
import { finalize } from './finalize.ts'
import { ephemeralContainers, resize } from './pod-parts.ts'
import { scale } from './scale.ts'
import { status } from './status.ts'

/** Makes a token for a service account: fills the request's status. @throws StatusError */
export type TokenIssuer = (call: Call, account: KubeObject, request: KubeObject) => Promise<KubeObject> | KubeObject

const BUILT_IN: ReadonlyMap<string, Subresource> = new Map([
  ['core/pods/binding', binding],
  ['core/pods/eviction', eviction],
  ['core/pods/ephemeralcontainers', ephemeralContainers],
  ['core/pods/resize', resize],
  ['core/namespaces/finalize', finalize],
  ['certificates.k8s.io/certificatesigningrequests/approval', approval],
])

/** Subresources that are connections (log, exec, proxy …) are the HTTP layer's. */
export function createFinder(issueToken: TokenIssuer | undefined): SubresourceFinder {
  const token: Subresource = {
    async create(core, call, target, request): Promise<Created> {
      const validating = await admitCommand(core, call, target, request)
      const { object: account } = await getObject(core, call, { ...target, subresource: '' })
      await validating()
      return { object: await issueToken!(call, account, request), created: true }
    },
  }
  return (target) => {
    const { subresource = '', resource } = target
    if (subresource === '') return undefined
    if (!resource.subresources.has(subresource)) throw errors.notFoundPath()
    const known = find(target, subresource)
    if (known !== undefined) return known
    if (resource.prefix === 'core/serviceaccounts/' && subresource === 'token' && issueToken !== undefined) return token
    throw errors.notFoundPath()
  }
}

function find({ resource }: Target, subresource: string): Subresource | undefined {
  if (subresource === 'status') return status
  if (subresource === 'scale') return scale
  return BUILT_IN.get(`${resource.prefix}${subresource}`)
}
