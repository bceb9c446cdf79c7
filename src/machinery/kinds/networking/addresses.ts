/** IPAddress and ServiceCIDR: what addresses services can have, and who has which. */
import { child, index, invalid, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isCanonicalCidr, isCanonicalIp, parsePrefix } from '../../ip.ts'
import { isDns1123Subdomain, isPathSegmentName } from '../../names.ts'
import { each, immutable, requiredName } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { keepMetadata } from '../metadata.ts'

const PARENT = 'spec.parentRef'

/** Its name is the address. */
export const ipAddressRules: KindRules = {
  name: (name) => isCanonicalIp(name),
  suffixedNames: false,
  validate: (address): FieldError[] => {
    const out: Errors = []
    const parent: Json = (address['spec'] as Json)?.parentRef
    if (!isSet(parent)) return [required(PARENT)]
    if (parent.group) each(isDns1123Subdomain(parent.group), child(PARENT, 'group'), parent.group, out)
    requiredName(parent.resource, child(PARENT, 'resource'), isPathSegmentName, out)
    requiredName(parent.name, child(PARENT, 'name'), isPathSegmentName, out)
    if (parent.namespace) each(isPathSegmentName(parent.namespace), child(PARENT, 'namespace'), parent.namespace, out)
    return out
  },
  validateUpdate: (now, old) => {
    const out: Errors = []
    immutable((now['spec'] as Json)?.parentRef, (old['spec'] as Json)?.parentRef, PARENT, out, null)
    return out
  },
  generation: false,
}

const CIDRS = 'spec.cidrs'

/** One subnet, or one of each family. */
export const serviceCidrRules: KindRules = {
  prepareCreate: (range) => {
    range['status'] = {}
  },
  prepareUpdate: (range, old) => {
    range['status'] = old['status']
  },
  prepareStatus: keepMetadata,
  validate: (range, old) => (old === undefined ? validateCidrs(range['spec']) : []),
  validateUpdate: (now, old) => {
    const list: Json = (now['spec'] as Json)?.cidrs
    const cidrs = listOf(list)
    const before = listOf((old['spec'] as Json)?.cidrs)
    const out: Errors = []
    const grows = before.length === 1 && cidrs.length === 2
    if (!grows && cidrs.length !== before.length) return [invalid(CIDRS, list ?? null, 'field is immutable')]
    before.forEach((cidr, i) => immutable(cidrs[i], cidr, index(CIDRS, i), out))
    if (grows) out.push(...validateCidrs(now['spec']))
    return out
  },
  generation: false,
}

function validateCidrs(spec: Json): FieldError[] {
  const cidrs: readonly string[] = listOf(spec?.cidrs)
  if (cidrs.length === 0) return [required(CIDRS, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalid(CIDRS, { CIDRs: cidrs }, 'may only hold up to 2 values')]
  const out: Errors = []
  cidrs.forEach((cidr, i) => each(isCanonicalCidr(cidr), index(CIDRS, i), cidr, out))
  const [first, second] = cidrs.map((cidr) => parsePrefix(cidr)?.address.bytes.length)
  if (first !== undefined && first === second) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
    out.push(invalid(CIDRS, cidrs, detail))
  }
  return out
}
