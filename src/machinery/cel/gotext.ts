/** Values as Go prints them into errors (`%v`). */
import { plainDecimal } from './time.ts'
import { CelMap, Double, Duration, List, Opaque, Optional, Timestamp, TypeValue, Uint } from './values.ts'
import { formatTimestamp } from './time.ts'

/** `strconv.FormatFloat(x, 'g', -1, 64)`. */
export function goFloat(value: number): string {
  if (!Number.isFinite(value) || value === 0) return plainDecimal(value)
  const [mantissa = '', power = '0'] = value.toExponential().split('e')
  const exponent = Number(power)
  if (exponent < -4 || exponent >= 6) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return plainDecimal(value)
}

const MAX_SHOWN = 1000

export function goValue(value: unknown): string {
  if (typeof value === 'string') return value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value
  if (value === null) return '0'
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return `${value}`
  if (value instanceof Double) return goFloat(value.value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof TypeValue) return value.name
  if (value instanceof Timestamp) return formatTimestamp(value)
  if (value instanceof Duration) return `${String(value.ns)}ns`
  if (value instanceof Optional) return value.present ? `optional(${goValue(value.value)})` : 'optional.none()'
  if (value instanceof List) {
    const shown: string[] = []
    for (let i = 0; i < value.length && i < 100; i++) shown.push(goValue(value.at(i)))
    return `[${shown.join(', ')}]`
  }
  if (value instanceof CelMap) {
    const shown = value.keys().slice(0, 100)
    return `{${shown.map((key) => `${goValue(key)}: ${goValue(value.get(key))}`).join(', ')}}`
  }
  return value instanceof Opaque ? value.type : typeof value
}
