/** What was allocated for a claim, and who uses it. */
import { child, forbidden, index, invalid, required, tooLong, tooMany } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { formatAddress, parsePrefix } from '../../ip.ts'
import type { KubeObject } from '../../object.ts'
import { requiredOneOf } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { conditions } from '../core/conditions.ts'
import { isSet, listOf, same } from '../json.ts'
import type { Json } from '../json.ts'
import { nodeSelector } from '../pod/placement.ts'
import { claimConfiguration, rawObject } from './config.ts'
import { distinct, distinctItems, sized } from './lists.ts'
import { declaredDriver, driverName, label, poolName, uuid } from './names.ts'
import type { RequestNames } from './references.ts'
import { requestNames, requestReference } from './references.ts'
import { bindingConditions, toleration } from './taints.ts'

const SOURCES = ['FromClaim', 'FromClass']
const MAX_DATA = 10 * 1024

/** A device, or a share of one, among all. */
export function deviceKey({ driver = '', pool = '', device = '', shareID = '' }: Json): string {
  return shareID ? `${driver}/${pool}/${device}/${shareID}` : `${driver}/${pool}/${device}`
}

export function validateClaimStatus(claim: KubeObject, old: KubeObject): FieldError[] {
  const out: Errors = []
  const status: Json = claim['status'] ?? {}
  const before: Json = old['status'] ?? {}
  const names = requestNames(claim['spec'])
  const users = sized(status.reservedFor, 256, 'status.reservedFor', out)
  users.forEach((user, i) => {
    for (const field of ['resource', 'name', 'uid']) {
      if (!user[field]) out.push(required(child(index('status.reservedFor', i), field)))
    }
  })
  distinctItems(users, ({ uid }) => uid ?? '', 'ResourceClaimConsumerReference', 'status.reservedFor', out)
  const allocated = new Set(listOf(status.allocation?.devices?.results).map(deviceKey))
  const devices = listOf(status.devices)
  devices.forEach((device, i) => deviceStatus(device, allocated, index('status.devices', i), out))
  distinct(devices, deviceKey, 'status.devices', out)
  reservations(status, before, claim.metadata.deletionTimestamp !== undefined, out)
  if (!isSet(status.allocation)) return out
  if (!isSet(before.allocation)) allocation(status.allocation, names, 'status.allocation', out)
  else if (!same(status.allocation, before.allocation)) {
    out.push(invalid('status.allocation', status.allocation, 'field is immutable'))
  }
  return out
}

function reservations(status: Json, before: Json, deleted: boolean, out: Errors): void {
  const users = listOf(status.reservedFor)
  if (users.length === 0) return
  const path = 'status.reservedFor'
  if (!isSet(status.allocation)) out.push(forbidden(path, 'may not be specified when `allocated` is not set'))
  else if (deleted && users.some((user) => !listOf(before.reservedFor).some((other) => same(other, user)))) {
    const why = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'
    out.push(forbidden(path, why))
  }
}

function allocation(value: Json, names: RequestNames, path: string, out: Errors): void {
  const results = `${path}.devices.results`
  sized(value.devices?.results, 32, results, out).forEach((one, i) => result(one, names, index(results, i), out))
  const config = `${path}.devices.config`
  sized(value.devices?.config, 64, config, out).forEach((one, i) => {
    const at = index(config, i)
    requiredOneOf(one.source, SOURCES, child(at, 'source'), out)
    claimConfiguration(one, names, at, out)
  })
  if (isSet(value.nodeSelector)) nodeSelector(value.nodeSelector, child(path, 'nodeSelector'), out)
}

function result(one: Json, names: RequestNames, path: string, out: Errors): void {
  requestReference(one.request ?? '', names, child(path, 'request'), out)
  declaredDriver(one.driver, child(path, 'driver'), out)
  poolName(one.pool, child(path, 'pool'), out, true)
  label(one.device, child(path, 'device'), out)
  bindingConditions(one, path, out)
  listOf(one.tolerations).forEach((each, i) => toleration(each, index(child(path, 'tolerations'), i), out))
  if (isSet(one.shareID)) uuid(one.shareID, child(path, 'shareID'), out)
}

function deviceStatus(device: Json, allocated: ReadonlySet<string>, path: string, out: Errors): void {
  driverName(device.driver, child(path, 'driver'), out)
  poolName(device.pool, child(path, 'pool'), out)
  label(device.device, child(path, 'device'), out)
  if (isSet(device.shareID)) uuid(device.shareID, child(path, 'shareID'), out)
  const id = deviceKey(device)
  if (!allocated.has(id)) {
    const { driver = '', pool = '', device: name = '', shareID = '' } = device
    const shown = { Driver: driver, Pool: pool, Device: name, ShareID: shareID }
    out.push(invalid(path, shown, 'must be an allocated device in the claim'))
  }
  const list = child(path, 'conditions')
  if (listOf(device.conditions).length > 8) out.push(tooMany(list, device.conditions.length, 8))
  conditions(device.conditions, list, out)
  if (isSet(device.data)) rawObject(device.data, MAX_DATA, child(path, 'data'), out)
  if (isSet(device.networkData)) network(device.networkData, child(path, 'networkData'), out)
}

function network(data: Json, path: string, out: Errors): void {
  for (const [field, most] of [
    ['interfaceName', 256],
    ['hardwareAddress', 128],
  ] as const) {
    if (Buffer.byteLength(data[field] ?? '') > most) out.push(tooLong(child(path, field), most))
  }
  const at = child(path, 'ips')
  const addresses = sized(data.ips, 16, at, out)
  addresses.forEach((address, i) => interfaceAddress(address ?? '', index(at, i), out))
  distinct(addresses, (address) => address, at, out)
}

/** An address and the length of its subnet, in canonical form. */
function interfaceAddress(text: string, path: string, out: Errors): void {
  const prefix = parsePrefix(text)
  if (prefix === undefined) {
    out.push(invalid(path, text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'))
    return
  }
  const { address, bits } = prefix
  // The address without what maps it has a shorter prefix.
  const length = address.mapped && bits > 32 ? bits - 96 : bits
  const canonical = `${formatAddress(address.bytes)}/${length}`
  if (text !== canonical) out.push(invalid(path, text, `must be in canonical form (${JSON.stringify(canonical)})`))
}
