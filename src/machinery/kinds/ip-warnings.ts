/** Warnings for addresses that are let through and not written as they should be. */
import { formatAddress, maskAddress, parseAddress, parsePrefix } from '../ip.ts'
import { goQuote } from '../quote.ts'

export function ipWarnings(value: string, path: string): string[] {
  const address = parseAddress(value)
  if (address === undefined) return []
  const good = formatAddress(address.bytes)
  if (address.sloppy || address.mapped) {
    return [`${path}: non-standard IP address ${goQuote(value)} is invalid: use ${goQuote(good)}`]
  }
  if (good === value) return []
  return [`${path}: IPv6 address ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(good)})`]
}

export function cidrWarnings(value: string, path: string): string[] {
  const prefix = parsePrefix(value)
  if (prefix === undefined) return []
  const { address } = prefix
  // Mapped addresses are shown, and counted, as IPv4.
  const bits = address.mapped ? Math.max(0, prefix.bits - 96) : prefix.bits
  const net = maskAddress(address.bytes, bits)
  const shown = `${formatAddress(net)}/${bits}`
  const out: string[] = []
  if (net.some((byte, i) => byte !== address.bytes[i])) {
    const single = `${formatAddress(address.bytes)}/${8 * address.bytes.length}`
    const or = `should be ${goQuote(shown)} or ${goQuote(single)}?`
    out.push(`${path}: CIDR value ${goQuote(value)} is ambiguous in this context (${or})`)
  }
  if (prefix.sloppy || address.mapped) {
    out.push(`${path}: non-standard CIDR value ${goQuote(value)} is invalid: use ${goQuote(shown)}`)
  }
  if (out.length === 0 && shown !== value) {
    out.push(`${path}: IPv6 CIDR value ${goQuote(value)} should be in RFC 5952 canonical format (${goQuote(shown)})`)
  }
  return out
}
