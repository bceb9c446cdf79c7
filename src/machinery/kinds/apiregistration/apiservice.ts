/** APIService: who serves a group version, this server or another one behind a Service. */
import { invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isDns1035Label, isDns1123Subdomain, isPathSegmentName, isPortNumber } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'

const DEFAULT_PORT = 443
const STATES = ['True', 'False', 'Unknown']

function nameErrors(name: string, service: Json): string[] {
  const segment = isPathSegmentName(name)
  if (segment.length > 0) return segment
  const wanted = `${service.spec?.version ?? ''}.${service.spec?.group ?? ''}`
  return name === wanted ? [] : [`must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`]
}

/** What this server serves is always available. `time`: RFC 3339. */
export function localCondition(time: string) {
  return {
    type: 'Available',
    status: 'True',
    lastTransitionTime: time,
    reason: 'Local',
    message: 'Local APIServices are always available',
  }
}

/** The name follows the spec, so that both may become wrong together. */
export const apiServiceRules: KindRules = {
  name: nameErrors,
  defaults: (object) => {
    const service: Json = (object['spec'] as Json)?.service
    if (isSet(service)) service.port ??= DEFAULT_PORT
  },
  prepareCreate: (object) => {
    const local = !isSet((object['spec'] as Json)?.service)
    object['status'] = local ? { conditions: [localCondition(object.metadata.creationTimestamp ?? '')] } : {}
  },
  prepareUpdate: (object, old) => {
    object['status'] = old['status']
  },
  prepareStatus: (object, old) => {
    object['spec'] = old['spec']
    keepMetadata(object, old)
  },
  validate: (object, old): FieldError[] => {
    const out: Errors = []
    const spec: Json = object['spec'] ?? {}
    const name = object.metadata.name ?? ''
    if (old !== undefined) each(nameErrors(name, object), 'metadata.name', name, out)
    const { group = '', version = '', service } = spec
    if (group === '' && version !== 'v1') {
      out.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
    }
    if (group !== '') each(isDns1123Subdomain(group), 'spec.group', group, out)
    each(isDns1035Label(version), 'spec.version', version, out)
    priority(spec.groupPriorityMinimum ?? 0, 20_000, 'spec.groupPriorityMinimum', out)
    priority(spec.versionPriority ?? 0, 1000, 'spec.versionPriority', out)
    const bundle = Buffer.byteLength(spec.caBundle ?? '', 'base64')
    const insecure = spec.insecureSkipTLSVerify === true
    if (!isSet(service)) {
      if (bundle > 0) {
        out.push(invalid('spec.caBundle', `${bundle} bytes`, 'local APIServices may not have a caBundle'))
      }
      if (insecure) {
        const detail = 'local APIServices may not have insecureSkipTLSVerify'
        out.push(invalid('spec.insecureSkipTLSVerify', true, detail))
      }
      return out
    }
    if (!service.namespace) out.push(required('spec.service.namespace'))
    if (!service.name) out.push(required('spec.service.name'))
    const wrong = isPortNumber(service.port ?? 0)
    if (wrong.length > 0) {
      out.push(invalid('spec.service.port', service.port ?? 0, `port is not valid: ${wrong.join(', ')}`))
    }
    if (insecure && bundle > 0) {
      out.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
    }
    return out
  },
  validateStatus: (object) => {
    const out: Errors = []
    listOf((object['status'] as Json)?.conditions).forEach((condition, i) => {
      const { status = '' } = condition
      if (!STATES.includes(status)) out.push(notSupported(`status.conditions[${i}].status`, status, STATES))
    })
    return out
  },
  generation: false,
  unconditionalUpdate: false,
}

function priority(value: number, most: number, path: string, out: Errors): void {
  if (value <= 0 || value > most) out.push(invalid(path, value, `must be positive and less than ${most}`))
}
