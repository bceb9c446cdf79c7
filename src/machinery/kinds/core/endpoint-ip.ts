/** Addresses that traffic can be sent to. */
import { invalid } from '../../field.ts'
import { parseAddress } from '../../ip.ts'
import type { Errors } from '../checks.ts'

/** Neither unspecified, loopback nor link-local. */
export function endpointIp(text: string, path: string, out: Errors): void {
  const address = parseAddress(text)
  if (address === undefined) {
    out.push(invalid(path, text, 'must be a valid IP address'))
    return
  }
  const { bytes } = address
  const v4 = bytes.length === 4
  const [first, second] = [bytes[0]!, bytes[1]!]
  const zeroUntilLast = bytes.subarray(0, -1).every((byte) => byte === 0)
  if (bytes.every((byte) => byte === 0)) out.push(invalid(path, text, `may not be unspecified (${text})`))
  if (v4 ? first === 127 : zeroUntilLast && bytes.at(-1) === 1) {
    out.push(invalid(path, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  }
  if (v4 ? first === 169 && second === 254 : first === 0xfe && (second & 0xc0) === 0x80) {
    out.push(invalid(path, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  }
  if (v4 ? first === 224 && second === 0 && bytes[2] === 0 : first === 0xff && (second & 0x0f) === 2) {
    out.push(invalid(path, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
  }
}
