/** References from a pod to its own fields and to its containers' resources. */
import { child, invalid, notSupported, required } from '../../field.ts'
import { isQualifiedName } from '../../names.ts'
import { parseQuantity, signOf } from '../../quantity.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { Json } from '../json.ts'

/** Fields that environment variables may show, in the order of the message. */
export const ENV_FIELDS: readonly string[] = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]

/** Fields that volumes may show. */
export const VOLUME_FIELDS: readonly string[] = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
]

const RESOURCE_FIELDS = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
]

/** Fields that have a name in the downward API at all. */
const KNOWN_FIELDS = new Set([
  ...ENV_FIELDS,
  ...VOLUME_FIELDS,
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
])

const DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei']
const DIVISORS_SHOWN = DIVISORS.join(', ')

/** `metadata.labels['key']` → its parts. */
function subscripted(text: string): { field: string; key: string } | undefined {
  if (!text.endsWith("']")) return undefined
  const open = text.indexOf("['")
  return open <= 0 ? undefined : { field: text.slice(0, open), key: text.slice(open + 2, -2) }
}

/** An ObjectFieldSelector; `fields` are the plain ones allowed here. */
export function objectField(ref: Json, fields: readonly string[], path: string, out: Errors): void {
  if (!ref.apiVersion) {
    out.push(required(child(path, 'apiVersion')))
    return
  }
  const text: string = ref.fieldPath ?? ''
  const at = child(path, 'fieldPath')
  if (text === '') {
    out.push(required(at))
    return
  }
  const refuse = (why: string): unknown => out.push(invalid(at, text, `error converting fieldPath: ${why}`))
  if (ref.apiVersion !== 'v1') {
    refuse(`unsupported pod version: ${String(ref.apiVersion)}`)
    return
  }
  const parts = subscripted(text)
  if (parts !== undefined) {
    if (parts.field === 'metadata.annotations')
      each(isQualifiedName(parts.key.toLowerCase()), path, parts.key.toLowerCase(), out)
    else if (parts.field === 'metadata.labels') each(isQualifiedName(parts.key), path, parts.key, out)
    else refuse(`field label does not support subscript: ${text}`)
    return
  }
  const label = text === 'spec.host' ? 'spec.nodeName' : text
  if (!KNOWN_FIELDS.has(label)) refuse(`field label not supported: ${text}`)
  else if (!fields.includes(label)) out.push(notSupported(at, label, fields))
}

/** A ResourceFieldSelector; volumes must name the container. */
export function resourceField(ref: Json, path: string, volume: boolean, out: Errors): void {
  const resource: string = ref.resource ?? ''
  const huge = resource.startsWith('requests.hugepages-') || resource.startsWith('limits.hugepages-')
  if (volume && !ref.containerName) out.push(required(child(path, 'containerName')))
  else if (resource === '') out.push(required(child(path, 'resource')))
  else if (!RESOURCE_FIELDS.includes(resource) && !huge) {
    out.push(notSupported(child(path, 'resource'), resource, RESOURCE_FIELDS))
  }
  divisor(resource, huge, ref.divisor, child(path, 'divisor'), out)
}

function divisor(resource: string, huge: boolean, value: Json, path: string, out: Errors): void {
  const quantity = parseQuantity(String(value ?? '0'))
  if (quantity === undefined || signOf(quantity) === 0) return
  const refuse = (values: string, what: string): unknown =>
    out.push(invalid(path, resource, `only divisor's values ${values} are supported with the ${what} resource`))
  const plain = DIVISORS.includes(String(value))
  if (resource.endsWith('.cpu')) {
    if (value !== '1m' && value !== '1') refuse('1m and 1', 'cpu')
  } else if (resource.endsWith('.memory')) {
    if (!plain) refuse(DIVISORS_SHOWN, 'memory')
  } else if (resource.endsWith('.ephemeral-storage')) {
    if (!plain) refuse(DIVISORS_SHOWN, 'local ephemeral storage')
  } else if (huge && !plain) refuse(DIVISORS_SHOWN, 'hugepages')
}
