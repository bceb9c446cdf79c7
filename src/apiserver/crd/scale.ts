/** What the fields behind a scale subresource must hold. */
import type { FieldError } from '../../machinery/field.ts'
import { invalid } from '../../machinery/field.ts'
import type { CustomResource } from '../contract.ts'

const MAX = 2 ** 31 - 1

/** Everything wrong; of the status alone with `part`. */
export function scaleErrors(
  object: object,
  scale: NonNullable<CustomResource['scale']>,
  part: 'status' | undefined,
): FieldError[] {
  const out: FieldError[] = []
  if (part === undefined) replicas(object, scale.specReplicasPath, out)
  replicas(object, scale.statusReplicasPath, out)
  const path = scale.labelSelectorPath
  if (path === undefined || path === '') return out
  const found = valueAt(object, path)
  if ('why' in found) out.push(invalid(path, '', found.why))
  else if (found.value !== undefined && typeof found.value !== 'string')
    out.push(
      invalid(
        path,
        '',
        `${shown(path)} accessor error: ${goValue(found.value)} is of the type ${goType(found.value)}, expected string`,
      ),
    )
  return out
}

function replicas(object: object, path: string, out: FieldError[]): void {
  const found = valueAt(object, path)
  if ('why' in found) {
    out.push(invalid(path, 0, found.why))
    return
  }
  const { value } = found
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isInteger(value))
    out.push(
      invalid(
        path,
        0,
        `${shown(path)} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected int64`,
      ),
    )
  else if (value < 0) out.push(invalid(path, value, 'should be a non-negative integer'))
  else if (value > MAX) out.push(invalid(path, value, `should be less than or equal to ${MAX}`))
}

const shown = (path: string): string => `.${path.replace(/^\./, '')}`

function valueAt(object: object, path: string): { readonly value: unknown } | { readonly why: string } {
  let value: unknown = object
  const names = path.replace(/^\./, '').split('.')
  for (const [i, name] of names.entries()) {
    if (value === null || value === undefined) return { value: undefined }
    if (typeof value !== 'object' || Array.isArray(value)) {
      const at = `.${names.slice(0, i + 1).join('.')}`
      const why = `${at} accessor error: ${goValue(value)} is of the type ${goType(value)}, expected map[string]interface{}`
      return { why }
    }
    if (!Object.hasOwn(value, name)) return { value: undefined }
    value = (value as Record<string, unknown>)[name]
  }
  return { value }
}

function goType(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return '[]interface {}'
  if (typeof value === 'object') return 'map[string]interface {}'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : 'string'
}

function goValue(value: unknown): string {
  if (value === null) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goValue).join(' ')}]`
  if (typeof value === 'object') {
    const names = Object.keys(value).toSorted()
    return `map[${names.map((name) => `${name}:${goValue((value as Record<string, unknown>)[name])}`).join(' ')}]`
  }
  return String(value as string | number | boolean)
}
