/** A service's cluster IPs and their families. */
import { child, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isIp, parseAddress } from '../../ip.ts'
import { each, oneOf, unique } from '../checks.ts'
import type { Errors } from '../checks.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'

const FAMILIES = ['IPv4', 'IPv6']
const FAMILY_POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

/** Without an address of its own: `clusterIP: None`. */
export function isHeadless(spec: Json): boolean {
  return listOf(spec.clusterIPs).length === 1 && spec.clusterIPs[0] === 'None'
}

function familyOf(ip: string): string {
  return parseAddress(ip)?.bytes.length === 16 ? 'IPv6' : 'IPv4'
}

/** `clusterIP(s)`, `ipFamilies` and `ipFamilyPolicy`, which allocation checks again after it filled them in. */
export function clusterIps(spec: Json, old?: Json): FieldError[] {
  const out: Errors = []
  const path = 'spec.clusterIPs'
  const ips: readonly string[] = listOf(spec.clusterIPs)
  const shown = ips.length === 0 ? null : ips
  if (spec.clusterIP) {
    if (ips.length === 0) out.push(required(path))
    else if (ips[0] !== spec.clusterIP) out.push(invalid(path, shown, 'first value must match `clusterIP`'))
  } else if (ips.length > 0) out.push(invalid(path, shown, 'must be empty when `clusterIP` is not specified'))
  const families: readonly string[] = listOf(spec.ipFamilies)
  const seen = new Set<string>()
  families.forEach((family, i) => {
    if (!FAMILIES.includes(family)) out.push(notSupported(index('spec.ipFamilies', i), family, FAMILIES))
    unique(seen, family, index('spec.ipFamilies', i), out)
  })
  if (isSet(spec.ipFamilyPolicy)) oneOf(spec.ipFamilyPolicy, FAMILY_POLICIES, 'spec.ipFamilyPolicy', out)
  let bad = false
  const known = listOf(old?.clusterIPs)
  ips.forEach((ip, i) => {
    if (i === 0 && ip === 'None') {
      if (ips.length > 1) {
        bad = true
        out.push(invalid(path, shown, "'None' must be the first and only value"))
      }
      return
    }
    const messages = known.includes(ip) ? [] : isIp(ip)
    bad ||= messages.length > 0
    each(messages, index(path, i), ip, out)
  })
  if (ips.length > 2) out.push(invalid(path, shown, 'may only hold up to 2 values'))
  if (bad) return out
  if (ips.length > 1 && new Set(ips.map(familyOf)).size < 2) {
    out.push(invalid(path, shown, 'may specify no more than one IP for each IP family'))
  }
  if (isHeadless(spec)) return out
  ips.forEach((ip, i) => {
    const family = families[i]
    // What is no family was told already.
    if (!FAMILIES.includes(family ?? '') || familyOf(ip) === family) return
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${i}]\``
    out.push(invalid(index(path, i), ip, detail))
  })
  return out
}

/** The first of a pair (`clusterIPs`, `ipFamilies`) stays while the service has one; the second may come and go. */
export function primaryStays(field: 'clusterIPs' | 'ipFamilies', spec: Json, old: Json, out: Errors): void {
  const now: readonly string[] = listOf(spec[field])
  const before: readonly string[] = listOf(old[field])
  const what = field === 'clusterIPs' ? 'clusterIP' : 'ipFamily'
  const shown = now.length === 0 ? null : now
  const path = child('spec', field)
  if (now.length === before.length) {
    before.forEach((value, i) => {
      if (value === now[i]) return
      out.push(invalid(index(path, field === 'clusterIPs' ? i : 0), shown, 'may not change once set'))
    })
    return
  }
  if (listOf(spec.clusterIPs).length === 0 && now.length < before.length) {
    out.push(invalid(index(path, 0), shown, `primary ${what} can not be unset`))
  }
  if (before.length > 0 && now.length > 0 && now[0] !== before[0]) {
    out.push(invalid(index(path, 0), shown, 'may not change once set'))
  }
  if (before.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') {
    const detail = `must be set to 'SingleStack' when releasing the secondary ${what}`
    out.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, detail))
  }
}
