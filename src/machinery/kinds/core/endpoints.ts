/** Endpoints and EndpointSlices. */
import { child, duplicate, index, invalid, required, tooMany } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isCanonicalIp, isIp, parseAddress } from '../../ip.ts'
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isPortNumber } from '../../names.ts'
import type { Steps } from '../../schema/steps.ts'
import { dnsLabel, dnsSubdomain, each, oneOf, qualifiedName, requiredOneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { labels } from '../labels.ts'
import { fill } from '../pod/defaults.ts'
import { endpointIp } from './endpoint-ip.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']

/** Addresses of one step. */
const STEP = 200

function* validateEndpoints(endpoints: Json, old?: Json): Steps<FieldError[]> {
  const out: Errors = []
  if (old !== undefined && same(endpoints.subsets, old.subsets)) return out
  for (const [i, subset] of listOf(endpoints.subsets).entries()) {
    yield undefined
    const at = index('subsets', i)
    const ports = listOf(subset.ports)
    if (listOf(subset.addresses).length === 0 && listOf(subset.notReadyAddresses).length === 0) {
      out.push(required(at, 'must specify `addresses` or `notReadyAddresses`'))
    }
    for (const field of ['addresses', 'notReadyAddresses']) {
      for (const [j, address] of listOf(subset[field]).entries()) {
        if (j % STEP === STEP - 1) yield undefined
        endpointAddress(address, index(child(at, field), j), out)
      }
    }
    ports.forEach((port, j) => {
      const portPath = index(child(at, 'ports'), j)
      if (ports.length > 1 && !port.name) out.push(required(child(portPath, 'name')))
      else if (port.name) dnsLabel(port.name, child(portPath, 'name'), out)
      each(isPortNumber(port.port ?? 0), child(portPath, 'port'), port.port ?? 0, out)
      requiredOneOf(port.protocol, PROTOCOLS, child(portPath, 'protocol'), out)
      if (isSet(port.appProtocol)) qualifiedName(port.appProtocol, child(portPath, 'appProtocol'), out)
    })
  }
  return out
}

function endpointAddress(address: Json, path: string, out: Errors): void {
  const ip: string = address.ip ?? ''
  each(isIp(ip), child(path, 'ip'), ip, out)
  if (address.hostname) dnsLabel(address.hostname, child(path, 'hostname'), out)
  if (isSet(address.nodeName)) dnsSubdomain(address.nodeName, child(path, 'nodeName'), out)
  endpointIp(ip, child(path, 'ip'), out)
}

export const endpointsRules: KindRules = {
  defaults: (endpoints) => {
    for (const subset of listOf(endpoints['subsets'])) {
      for (const port of listOf(subset.ports)) fill(port, 'protocol', 'TCP')
    }
  },
  validateInSteps: validateEndpoints,
  generation: false,
  createOnUpdate: true,
}

function* validateSlice(slice: Json, old?: Json): Steps<FieldError[]> {
  const out: Errors = []
  const late: Errors = []
  const type: string = slice.addressType ?? ''
  if (type === '') late.push(required('addressType'))
  else oneOf(type, ADDRESS_TYPES, 'addressType', late)
  slicePorts(listOf(slice.ports), out)
  if (old === undefined || !same(slice.endpoints, old.endpoints)) {
    yield* sliceEndpoints(listOf(slice.endpoints), type, 'endpoints', out, late)
  }
  return [...out, ...late]
}

function slicePorts(ports: readonly Json[], out: Errors): void {
  if (ports.length > 20000) {
    out.push(tooMany('ports', ports.length, 20000))
    return
  }
  const names = new Set<string>()
  ports.forEach((port, i) => {
    const at = index('ports', i)
    const name: string = port.name ?? ''
    if (name !== '') each(isDns1123Label(name), child(at, 'name'), name, out)
    if (names.has(name)) out.push(duplicate(child(at, 'name'), name))
    names.add(name)
    if (!isSet(port.protocol)) out.push(required(child(at, 'protocol')))
    else oneOf(port.protocol, PROTOCOLS, child(at, 'protocol'), out)
    if (isSet(port.appProtocol)) qualifiedName(port.appProtocol, child(at, 'appProtocol'), out)
  })
}

/** Upstream reports some problems after all others: they are in `late`. */
function* sliceEndpoints(list: readonly Json[], type: string, path: string, out: Errors, late: Errors): Steps<void> {
  if (list.length > 1000) {
    out.push(tooMany(path, list.length, 1000))
    return
  }
  for (const [i, endpoint] of list.entries()) {
    const at = index(path, i)
    const addresses: readonly string[] = listOf(endpoint.addresses)
    const addressPath = child(at, 'addresses')
    if (addresses.length === 0) late.push(required(addressPath))
    else if (addresses.length > 100) late.push(tooMany(addressPath, addresses.length, 100))
    if (addresses.length > 10 || i % 20 === 19) yield undefined
    for (const [j, address] of addresses.entries()) {
      if (j % STEP === STEP - 1) yield undefined
      sliceAddress(address, type, addressPath, j, out)
    }
    if (isSet(endpoint.nodeName))
      each(isDns1123Subdomain(endpoint.nodeName), child(at, 'nodeName'), endpoint.nodeName, out)
    labels(endpoint.deprecatedTopology, child(at, 'deprecatedTopology'), out)
    if (isSet(endpoint.hostname)) dnsLabel(endpoint.hostname, child(at, 'hostname'), out)
    if (isSet(endpoint.hints)) hints(endpoint.hints, child(at, 'hints'), out)
  }
}

function sliceAddress(address: string, type: string, path: string, i: number, out: Errors): void {
  const at = index(path, i)
  if (type === 'FQDN') {
    fqdn(address, at, out)
    return
  }
  if (type !== 'IPv4' && type !== 'IPv6') return
  const messages = type === 'IPv4' ? isIp(address) : isCanonicalIp(address)
  if (messages.length > 0) {
    each(messages, at, address, out)
    return
  }
  const length = parseAddress(address)?.bytes.length
  if (length !== (type === 'IPv4' ? 4 : 16)) out.push(invalid(path, address, `must be an ${type} address`))
  endpointIp(address, at, out)
}

function fqdn(name: string, path: string, out: Errors): void {
  if (name === '') {
    out.push(required(path))
    return
  }
  const text = name.replace(/\.$/, '')
  const messages = isDns1123Subdomain(text)
  if (messages.length > 0) {
    out.push(invalid(path, text, messages.join(',')))
    return
  }
  const parts = text.split('.')
  if (parts.length < 2) out.push(invalid(path, text, 'should be a domain with at least two segments separated by dots'))
  else {
    for (const part of parts) if (part.length > 63) out.push(invalid(path, part, 'must be no more than 63 bytes'))
  }
}

function hints(value: Json, path: string, out: Errors): void {
  for (const [field, check] of [
    ['forZones', isLabelValue],
    ['forNodes', isDns1123Subdomain],
  ] as const) {
    const list = listOf(value[field])
    const at = child(path, field)
    if (list.length > 8) {
      out.push(tooMany(at, list.length, 8))
      return
    }
    const seen = new Set<string>()
    list.forEach((hint, i) => {
      const name: string = hint.name ?? ''
      const namePath = child(index(at, i), 'name')
      if (seen.has(name)) out.push(duplicate(namePath, name))
      seen.add(name)
      each(check(name), namePath, name, out)
    })
  }
}

/** Topology of v1beta1 is not kept by writes through v1. */
function dropTopology(slice: Json, old?: Json): boolean {
  if (old !== undefined && same(slice.endpoints, old.endpoints)) return false
  let dropped = false
  for (const endpoint of listOf(slice.endpoints)) {
    dropped ||= isSet(endpoint.deprecatedTopology)
    delete endpoint.deprecatedTopology
  }
  return dropped
}

export const endpointSliceRules: KindRules = {
  defaults: (slice) => {
    for (const port of listOf(slice['ports'])) {
      if (!isSet(port.name)) port.name = ''
      if (!isSet(port.protocol)) port.protocol = 'TCP'
    }
  },
  prepareCreate: (slice) => dropTopology(slice),
  prepareUpdate: (slice, old) => {
    // What is dropped counts as a change all the same.
    if (dropTopology(slice, old)) slice.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validateInSteps: validateSlice,
  validateUpdate: (slice, old) => {
    const out: Errors = []
    if (!same(slice['addressType'], old['addressType'])) out.push(invalid('addressType', null, 'field is immutable'))
    return out
  },
  warnings: (slice, old) =>
    old === undefined && slice['addressType'] === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [],
  generation: ({ metadata, endpoints, ports, addressType }) => [metadata.labels, endpoints, ports, addressType],
}
