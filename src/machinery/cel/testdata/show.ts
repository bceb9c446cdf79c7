/** A text for every value, as `tools/oracle-cel` writes it. */
import { FormatValue } from '../library/formats.ts'
import { ObjectValue, PatchValue } from '../library/mutation.ts'
import { CidrValue, IpValue } from '../library/net.ts'
import { QuantityValue } from '../library/quantity.ts'
import { SemverValue } from '../library/semver.ts'
import { UrlValue } from '../library/url.ts'
import { toJson } from '../output.ts'
import { formatTimestamp, plainDecimal } from '../time.ts'
import { Bytes, CelMap, Double, Duration, List, Opaque, Optional, Timestamp, TypeValue, Uint } from '../values.ts'

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sorted((value as Record<string, unknown>)[name])]))
}

export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return `${value as null}`
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Double) return `double(${plainDecimal(value.value)})`
  if (value instanceof Bytes) return `b${Buffer.from(value.value).toString('hex')}`
  if (value instanceof Timestamp) return `timestamp(${formatTimestamp(value)})`
  if (value instanceof Duration) return `duration(${value.ns})`
  if (value instanceof Optional) return value.present ? `optional(${show(value.value)})` : 'optional.none'
  if (value instanceof TypeValue) return `type(${value.name})`
  if (value instanceof CelMap) {
    const parts = value.keys().map((key) => `${show(key)}: ${show(value.get(key))}`)
    return `{${parts.sort().join(', ')}}`
  }
  if (value instanceof List) {
    const parts: string[] = []
    for (let i = 0; i < value.length; i++) parts.push(show(value.at(i)))
    return `[${parts.join(', ')}]`
  }
  return value instanceof Opaque ? opaque(value) : typeof value
}

function opaque(value: Opaque): string {
  if (value instanceof PatchValue) {
    const set = value.fields.get('value')
    const texts = ['op', 'path', 'from'].map((name) => show(value.field(name)))
    return `JSONPatch(${texts.join(', ')}, ${set === undefined ? 'none' : show(set)})`
  }
  if (value instanceof ObjectValue) return value.type + JSON.stringify(sorted(toJson(value)))
  if (value instanceof QuantityValue) return `quantity(${value.toString()})`
  if (value instanceof IpValue) return `ip(${value.toString()})`
  if (value instanceof CidrValue) return `cidr(${value.toString()})`
  if (value instanceof UrlValue) return `url(${value.toString()})`
  if (value instanceof SemverValue) return `semver(${value.toString()})`
  if (value instanceof FormatValue) return `format(${value.name})`
  return value.type
}
