/** String formats that a schema may ask for. Unknown formats are ignored, as Kubernetes ignores them. */
import { isCidr } from '../ip.ts'
import { isDns1123Label, isDns1123Subdomain } from '../names.ts'
import type { SchemaProps } from './props.ts'

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIME = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-](\d{2}):?(\d{2}))$/
const GO_DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const SCALA_DURATION =
  /^\d+\s*(?:ns|nano|nanos|nanosecond|nanoseconds|us|µs|micro|micros|microsecond|microseconds|ms|milli|millis|millisecond|milliseconds|s|sec|second|secs|seconds|m|min|minute|mins|minutes|h|hr|hour|hrs|hours|d|day|days|w|wk|week|wks|weeks)$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const HOSTNAME =
  /^(?:[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?|(?:[a-zA-Z0-9\p{S}\p{L}](?:[-a-zA-Z0-9\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+[a-zA-Z\p{L}]{2,63})$/u
const EMAIL = /^[^\s@<>()",;:\\[\]]{1,64}@[^\s@<>()",;:\\[\]]{1,255}$/
const MAC = /^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$|^[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}$/i
const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/

function isDate(text: string): boolean {
  const found = DATE.exec(text)
  if (found === null) return false
  const [, year, month, day] = found.map(Number)
  const date = new Date(Date.UTC(2000, month! - 1, day!))
  date.setUTCFullYear(year!)
  return (
    month! >= 1 &&
    month! <= 12 &&
    day! >= 1 &&
    day! <= 31 &&
    date.getUTCMonth() === month! - 1 &&
    date.getUTCDate() === day
  )
}

function isDateTime(text: string): boolean {
  const found = TIME.exec(text)
  if (found === null) return false
  return isDate(found[1]!) && Number(found[2]) < 24 && Number(found[3]) < 60 && Number(found[4]) < 61
}

function isIpv6(text: string): boolean {
  return text.includes(':') && !text.includes('%') && isCidr(`${text}/128`, false).length === 0
}

function isHostname(text: string): boolean {
  if (text.length > 255 || Buffer.byteLength(text) > 255 || !HOSTNAME.test(text)) return false
  return text.split('.').every((label) => Buffer.byteLength(label) <= 63)
}

function isUri(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (text === '' || /[\u0000-\u0020\u007f]/.test(text)) return false
  return text.startsWith('/') || /^[a-z][a-z0-9+.-]*:/i.test(text)
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d{9}[\dX]$/.test(digits)) return false
  const sum = Array.from(digits).reduce((total, c, i) => total + (10 - i) * (c === 'X' ? 10 : Number(c)), 0)
  return sum % 11 === 0
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]/g, '')
  if (!/^\d{13}$/.test(digits)) return false
  return Array.from(digits).reduce((total, c, i) => total + Number(c) * (i % 2 === 0 ? 1 : 3), 0) % 10 === 0
}

function isCreditCard(text: string): boolean {
  const digits = text.replace(/\D+/g, '')
  if (
    !/^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/.test(
      digits,
    )
  )
    return false
  const sum = Array.from(digits)
    .reverse()
    .reduce((total, c, i) => {
      const doubled = Number(c) * (i % 2 === 0 ? 1 : 2)
      return total + (doubled > 9 ? doubled - 9 : doubled)
    }, 0)
  return sum % 10 === 0
}

function isRgb(text: string): boolean {
  const found = /^rgb\((\d{1,3}),(\d{1,3}),(\d{1,3})\)$/.exec(text.replace(/\s+/g, ''))
  return found !== null && found.slice(1).every((n) => Number(n) < 256)
}

const CHECKS: ReadonlyMap<string, (text: string) => boolean> = new Map([
  ['bsonobjectid', (t: string) => /^[0-9a-f]{24}$/i.test(t)],
  ['uri', isUri],
  ['email', (t) => EMAIL.test(t)],
  ['hostname', isHostname],
  ['ipv4', (t) => IPV4.test(t)],
  ['ipv6', isIpv6],
  ['cidr', (t) => isCidr(t, false).length === 0],
  ['mac', (t) => MAC.test(t)],
  ['uuid', (t) => UUID.test(t)],
  ['uuid3', (t) => UUID.test(t) && t.replaceAll('-', '')[12] === '3'],
  ['uuid4', (t) => UUID.test(t) && /^.{12}4.{3}[89ab]/i.test(t.replaceAll('-', ''))],
  ['uuid5', (t) => UUID.test(t) && /^.{12}5.{3}[89ab]/i.test(t.replaceAll('-', ''))],
  ['isbn', (t) => isIsbn10(t) || isIsbn13(t)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['creditcard', isCreditCard],
  ['ssn', (t) => /^\d{3}[- ]?\d{2}[- ]?\d{4}$/.test(t)],
  ['hexcolor', (t) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(t)],
  ['rgbcolor', isRgb],
  ['byte', (t) => BASE64.test(t)],
  ['password', () => true],
  ['date', isDate],
  ['duration', (t) => GO_DURATION.test(t) || SCALA_DURATION.test(t)],
  ['datetime', isDateTime],
  ['k8sshortname', (t) => isDns1123Label(t).length === 0],
  ['k8slongname', (t) => isDns1123Subdomain(t).length === 0],
])

/** The format that a value of a schema is asked for: upstream leaves out those that do not fit the type. */
export function formatOf({ type = '', format = '' }: SchemaProps): string | undefined {
  switch (type) {
    case 'integer':
      return format === 'int32' || format === 'int64' ? format : undefined
    case 'number':
      return format === 'float' || format === 'double' ? format : undefined
    case '':
    case 'string':
      return formatCheck(format) === undefined ? undefined : format
    default:
      return undefined
  }
}

/** The check of a string format; undefined for one that is not known. */
export function formatCheck(format: string): ((text: string) => boolean) | undefined {
  return CHECKS.get(format.replaceAll('-', ''))
}
