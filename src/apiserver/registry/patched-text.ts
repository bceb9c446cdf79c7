/** The text of a patched object as upstream shows it in errors: what the patch went through is written in sorted order. */
import { isObject } from '../../machinery/patch/value.ts'
import { escapeHtml } from '../../machinery/quote.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { FieldInfo, TypeInfo } from '../../machinery/types/table.ts'
import type { PatchType } from '../contract.ts'

/** Places that a patch went through. */
interface Touched {
  readonly [key: string]: Touched
}

/**
 * @param body the decoded patch, which could be applied
 * @param of the type by whose order the rest is written
 */
export function patchedText(
  after: object,
  type: Exclude<PatchType, 'apply' | 'strategic'>,
  body: unknown,
  of: TypeInfo,
): string {
  const touched = type === 'merge' ? body : touchedBy(body as readonly Operation[])
  return escapeHtml(textOf(inOrder(after, of), touched))
}

/** The same value with fields in the order of their type, and maps in sorted order. */
function inOrder(value: unknown, type: TypeInfo): unknown {
  if (!isObject(value) || type.special !== undefined) return value
  const out: [string, unknown][] = []
  for (const key of Object.keys(value)) if (!type.byName.has(key)) out.push([key, value[key]])
  for (const field of type.fields) {
    if (Object.hasOwn(value, field.name)) out.push([field.name, fieldInOrder(value[field.name], field)])
  }
  return Object.fromEntries(out)
}

function fieldInOrder(value: unknown, { container, kind, type }: FieldInfo): unknown {
  const one = (item: unknown) => (kind === 'object' ? inOrder(item, typeTable.type(type!)) : item)
  if (container === 'none') return one(value)
  if (container === 'list') return Array.isArray(value) ? value.map(one) : value
  if (!isObject(value)) return value
  const keys = Object.keys(value).sort()
  return Object.fromEntries(keys.map((key) => [key, one(value[key])]))
}

interface Operation {
  readonly path?: string
  readonly from?: string
}

function touchedBy(operations: readonly Operation[]): Touched {
  const root: Record<string, Record<string, never>> = Object.create(null)
  for (const { path, from } of operations) {
    for (const pointer of [path, from]) {
      if (pointer === undefined) continue
      let at = root
      // The last part names a member of what was gone through.
      for (const part of pointer.split('/').slice(1, -1)) {
        const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
        at = at[key] ??= Object.create(null) as Record<string, never>
      }
    }
  }
  return root
}

function textOf(value: unknown, touched: unknown): string {
  if (typeof value !== 'object' || value === null || typeof touched !== 'object' || touched === null)
    return JSON.stringify(value)
  const below = (key: string) => (Object.hasOwn(touched, key) ? (touched as Touched)[key] : undefined)
  if (Array.isArray(value)) {
    if (Array.isArray(touched)) return JSON.stringify(value)
    return `[${value.map((item, i) => textOf(item, below(String(i)))).join(',')}]`
  }
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${textOf(item, below(key))}`).join(',')}}`
}
