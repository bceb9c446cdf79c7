/** CSIDriver. */
import { child, duplicate, index, invalid, notSupported } from '../../field.ts'
import { immutable } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { fill } from '../pod/defaults.ts'

const GROUP_POLICIES = ['File', 'None', 'ReadWriteOnceWithFSType']
const LIFECYCLE_MODES = ['Persistent', 'Ephemeral']
const MIN_EXPIRATION = 600
const MAX_EXPIRATION = 2 ** 32
const MIN_PERIOD = 10
const IN_SECRETS =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'

function tokenRequests(list: Json, path: string, out: Errors): void {
  const audiences = new Set<string>()
  listOf(list).forEach((request, i) => {
    const at = index(path, i)
    const { audience = '', expirationSeconds: seconds }: Json = request ?? {}
    if (audiences.has(audience)) {
      out.push(duplicate(child(at, 'audience'), audience))
      return
    }
    audiences.add(audience)
    if (!isSet(seconds)) return
    const seconds_ = child(at, 'expirationSeconds')
    if (seconds < MIN_EXPIRATION)
      out.push(invalid(seconds_, seconds, 'may not specify a duration less than 10 minutes'))
    if (seconds > MAX_EXPIRATION) {
      out.push(invalid(seconds_, seconds, 'may not specify a duration larger than 2^32 seconds'))
    }
  })
}

export const csiDriverRules: KindRules = {
  defaults: (object) => {
    const spec: Json = (object['spec'] ??= {})
    fill(spec, 'attachRequired', true)
    fill(spec, 'podInfoOnMount', false)
    fill(spec, 'storageCapacity', false)
    if (!isSet(spec.fsGroupPolicy)) spec.fsGroupPolicy = 'ReadWriteOnceWithFSType'
    if (listOf(spec.volumeLifecycleModes).length === 0) spec.volumeLifecycleModes = ['Persistent']
    fill(spec, 'requiresRepublish', false)
    fill(spec, 'seLinuxMount', false)
    fill(spec, 'preventPodSchedulingIfMissing', false)
  },
  validate: (object) => {
    const out: Errors = []
    const spec: Json = object['spec'] ?? {}
    if (!GROUP_POLICIES.includes(spec.fsGroupPolicy)) {
      out.push(notSupported('spec.fsGroupPolicy', spec.fsGroupPolicy, GROUP_POLICIES))
    }
    tokenRequests(spec.tokenRequests, 'spec.tokenRequests', out)
    for (const mode of listOf(spec.volumeLifecycleModes)) {
      if (!LIFECYCLE_MODES.includes(mode)) out.push(notSupported('spec.volumeLifecycleModes', mode, LIFECYCLE_MODES))
    }
    const period: Json = spec.nodeAllocatableUpdatePeriodSeconds
    if (isSet(period) && period < MIN_PERIOD) {
      const detail = 'must be greater than or equal to 10 seconds'
      out.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail))
    }
    const inSecrets: Json = spec.serviceAccountTokenInSecrets
    if (isSet(inSecrets) && listOf(spec.tokenRequests).length === 0) {
      const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'
      out.push(invalid('spec.serviceAccountTokenInSecrets', inSecrets, detail))
    }
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    const [spec, before]: [Json, Json] = [now['spec'] ?? {}, old['spec'] ?? {}]
    // Upstream writes the field with another name.
    immutable(spec.attachRequired, before.attachRequired, 'spec.attachedRequired', out)
    immutable(spec.volumeLifecycleModes, before.volumeLifecycleModes, 'spec.volumeLifecycleModes', out)
    return out
  },
  warnings: (object, old) => {
    const spec: Json = object['spec'] ?? {}
    const none = listOf(spec.tokenRequests).length === 0 || isSet(spec.serviceAccountTokenInSecrets)
    if (none || (old !== undefined && same(spec.tokenRequests, (old['spec'] as Json)?.tokenRequests))) return []
    return [IN_SECRETS]
  },
  prepareUpdate: (now, old) => {
    if (same(now['spec'], old['spec'])) return
    now.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  unconditionalUpdate: false,
  // A new driver has none; `prepareUpdate` counts the changes.
  generation: false,
}
