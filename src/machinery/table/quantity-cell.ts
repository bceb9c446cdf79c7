/** Quantities in cells. */
import { canonicalQuantity } from '../quantity.ts'

/** The canonical text of an entry; `0` when it is not there. */
export function quantityText(map: Readonly<Record<string, string>> | null | undefined, name: string): string {
  const value: unknown = map !== null && map !== undefined && Object.hasOwn(map, name) ? map[name] : '0'
  return typeof value === 'string' ? (canonicalQuantity(value) ?? value) : String(value as number)
}
