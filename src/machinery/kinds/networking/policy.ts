/** NetworkPolicy. */
import { child, forbidden, index, invalid, notSupported, required } from '../../field.ts'
import type { FieldError } from '../../field.ts'
import { isCidr, maskAddress, parsePrefix } from '../../ip.ts'
import { isPortName, isPortNumber } from '../../names.ts'
import { each } from '../checks.ts'
import type { Errors } from '../checks.ts'
import type { KindRules } from '../contract.ts'
import { isSet, listOf } from '../json.ts'
import type { Json } from '../json.ts'
import { hasInvalidValue, validateLabelSelector, type SelectorRules } from '../labels.ts'

const PROTOCOLS = ['TCP', 'UDP', 'SCTP']
const TYPES = ['Ingress', 'Egress']

interface Rules {
  readonly selector: SelectorRules
  /** Ranges that the stored policy has already, right or wrong. */
  readonly known: ReadonlySet<string>
}

const SIDES = [
  ['ingress', 'from'],
  ['egress', 'to'],
] as const

function validateSpec(spec: Json, rules: Rules): FieldError[] {
  const out: Errors = [...validateLabelSelector(spec.podSelector ?? {}, 'spec.podSelector', rules.selector)]
  for (const [side, peers] of SIDES) {
    listOf(spec[side]).forEach((rule, i) => {
      const at = index(child('spec', side), i)
      listOf(rule.ports).forEach((port, j) => policyPort(port, index(child(at, 'ports'), j), out))
      listOf(rule[peers]).forEach((one, j) => peer(one, index(child(at, peers), j), rules, out))
    })
  }
  const types = listOf(spec.policyTypes)
  if (types.length > TYPES.length) {
    out.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'))
    return out
  }
  types.forEach((type, i) => {
    if (!TYPES.includes(type)) out.push(notSupported(index('spec.policyTypes', i), type, TYPES))
  })
  return out
}

function policyPort({ protocol, port, endPort }: Json, path: string, out: Errors): void {
  const end = child(path, 'endPort')
  if (isSet(protocol) && !PROTOCOLS.includes(protocol))
    out.push(notSupported(child(path, 'protocol'), protocol, PROTOCOLS))
  if (!isSet(port)) {
    if (isSet(endPort)) out.push(invalid(end, endPort, 'may not be specified when `port` is not specified'))
  } else if (typeof port === 'number') {
    each(isPortNumber(port), child(path, 'port'), port, out)
    if (!isSet(endPort)) return
    if (endPort < port) out.push(invalid(end, endPort, 'must be greater than or equal to `port`'))
    each(isPortNumber(endPort), end, endPort, out)
  } else {
    if (isSet(endPort)) out.push(invalid(end, endPort, 'may not be specified when `port` is non-numeric'))
    each(isPortName(port), child(path, 'port'), port, out)
  }
}

function peer({ podSelector, namespaceSelector, ipBlock }: Json, path: string, rules: Rules, out: Errors): void {
  const selected = isSet(podSelector) || isSet(namespaceSelector)
  out.push(...validateLabelSelector(podSelector, child(path, 'podSelector'), rules.selector))
  out.push(...validateLabelSelector(namespaceSelector, child(path, 'namespaceSelector'), rules.selector))
  if (isSet(ipBlock)) block(ipBlock, child(path, 'ipBlock'), rules, out)
  if (!selected && !isSet(ipBlock)) out.push(required(path, 'must specify a peer'))
  else if (selected && isSet(ipBlock)) out.push(forbidden(path, 'may not specify both ipBlock and another peer'))
}

function block(ipBlock: Json, path: string, rules: Rules, out: Errors): void {
  const cidr: string = ipBlock.cidr ?? ''
  if (cidr === '') {
    out.push(required(child(path, 'cidr')))
    return
  }
  range(cidr, child(path, 'cidr'), rules, out)
  const whole = parsePrefix(cidr)
  if (whole === undefined) return
  listOf(ipBlock.except).forEach((text: string, i) => {
    const at = index(child(path, 'except'), i)
    range(text, at, rules, out)
    const part = parsePrefix(text)
    if (part === undefined) return
    const inside =
      part.address.bytes.length === whole.address.bytes.length &&
      Buffer.from(maskAddress(part.address.bytes, whole.bits)).equals(maskAddress(whole.address.bytes, whole.bits))
    if (!inside || whole.bits >= part.bits) out.push(invalid(at, text, 'must be a strict subset of `cidr`'))
  })
}

function range(text: string, path: string, { known }: Rules, out: Errors): void {
  if (!known.has(text)) each(isCidr(text), path, text, out)
}

function rangesOf(spec: Json): ReadonlySet<string> {
  const blocks = SIDES.flatMap(([side, peers]) =>
    listOf(spec?.[side]).flatMap((rule) =>
      listOf(rule[peers]).flatMap(({ ipBlock }) => (isSet(ipBlock) ? [ipBlock] : [])),
    ),
  )
  return new Set(blocks.flatMap(({ cidr, except }) => [cidr, ...listOf(except)]))
}

export const networkPolicyRules: KindRules = {
  defaults: (policy) => {
    const spec: Json = (policy['spec'] ??= {})
    if (listOf(spec.policyTypes).length === 0) {
      spec.policyTypes = listOf(spec.egress).length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
    }
    for (const rule of [...listOf(spec.ingress), ...listOf(spec.egress)]) {
      for (const port of listOf(rule.ports)) port.protocol ??= 'TCP'
    }
  },
  validate: (policy, old) => {
    const before: Json = old?.['spec']
    const allowInvalidValues = hasInvalidValue(before?.podSelector)
    return validateSpec(policy['spec'] ?? {}, { selector: { allowInvalidValues }, known: rangesOf(before) })
  },
  generation: (policy) => policy['spec'],
}
