/** IP families of a service in a cluster that has IPv4 only. */
import type { FieldError } from '../../machinery/field.ts'
import { index, invalid } from '../../machinery/field.ts'
import { clusterIps } from '../../machinery/kinds/core/service-ips.ts'
import { parseAddress } from '../../machinery/ip.ts'
import type { Draft } from './service-draft.ts'
import type { ServiceSpec } from './service-spec.ts'
import { isHeadless } from './service-spec.ts'

/** Fills in the IP families and their policy. @throws StatusError 422 for what an IPv4 cluster cannot do */
export function setFamilies(d: Draft, spec: ServiceSpec, before: ServiceSpec | undefined): void {
  if (spec.type === 'ExternalName') return
  const selectorless = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0
  spec.ipFamilyPolicy ??= before?.ipFamilyPolicy ?? (selectorless ? 'RequireDualStack' : 'SingleStack')
  const unfit = clusterIps(spec, before)
  if (unfit.length > 0) d.invalid(unfit)
  const wrong: FieldError[] = []
  if (spec.ipFamilyPolicy === 'SingleStack') {
    const detail = (what: string): string =>
      `must be 'RequireDualStack' or 'PreferDualStack' when multiple ${what} are specified`
    if ((spec.clusterIPs ?? []).length === 2) {
      wrong.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail('cluster IPs')))
    }
    if ((spec.ipFamilies ?? []).length === 2) {
      wrong.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, detail('IP families')))
    }
  }
  const families = [...(spec.ipFamilies ?? [])]
  for (const [i, ip] of (spec.clusterIPs ?? []).entries()) {
    if (ip === 'None' || i < families.length) break
    if (parseAddress(ip)?.bytes.length === 16) {
      wrong.push(invalid(index('spec.clusterIPs', i), spec.clusterIPs, 'IPv6 is not configured on this cluster'))
    } else {
      families.push('IPv4')
    }
  }
  if (wrong.length > 0) d.invalid(wrong)
  if (families.length === 0) families.push('IPv4')
  if (selectorless) {
    if (families.length < 2 && spec.ipFamilyPolicy !== 'SingleStack') {
      families.push(families[0] === 'IPv4' ? 'IPv6' : 'IPv4')
    }
    spec.ipFamilies = families
    return
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    wrong.push(
      invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'),
    )
  }
  for (const [i, family] of families.entries()) {
    if (family !== 'IPv4') wrong.push(invalid(index('spec.ipFamilies', i), family, 'not configured on this cluster'))
  }
  if (wrong.length > 0) d.invalid(wrong)
  spec.ipFamilies = families
}
