/** The 403 of a denied request, in Kubernetes' words. */
import { errors, type StatusError } from '../../machinery/status.ts'
import type { Attributes } from '../contract.ts'

/**
 * `User "u" cannot get resource "pods/log" in API group "" in the namespace "ns"`, with `: reason` if there is one,
 * inside a Forbidden status about the resource.
 */
export function forbidden(attributes: Attributes, reason: string): StatusError {
  const why = reason === '' ? forbiddenMessage(attributes) : `${forbiddenMessage(attributes)}: ${reason}`
  const resource = { group: attributes.group ?? '', resource: attributes.resource ?? '' }
  return errors.forbidden(resource, attributes.name ?? '', why)
}

/** The middle of that text. `<`, `>` and `&` are escaped as upstream does. */
export function forbiddenMessage(attributes: Attributes): string {
  return escaped(rawMessage(attributes))
}

function rawMessage(attributes: Attributes): string {
  const who = `User ${JSON.stringify(attributes.user.name)} cannot ${attributes.verb}`
  if (attributes.resource === undefined) return `${who} path ${JSON.stringify(attributes.path ?? '')}`
  const subresource = attributes.subresource ?? ''
  const resource = subresource === '' ? attributes.resource : `${attributes.resource}/${subresource}`
  const namespace = attributes.namespace ?? ''
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
  return `${who} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(attributes.group ?? '')} ${where}`
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
