/** Lists and maps with a limit. */
import { normalize } from '../../codec/normalize.ts'
import { duplicate, index, key, tooMany } from '../../field.ts'
import { typeTable } from '../../types/index.ts'
import type { Errors } from '../checks.ts'
import { entriesOf, listOf } from '../json.ts'
import type { Json } from '../json.ts'

/** The items of a list that is not too long. Of one that is, nothing else is told. */
export function sized(list: Json, most: number, path: string, out: Errors): readonly Json[] {
  const items = listOf(list)
  if (items.length <= most) return items
  out.push(tooMany(path, items.length, most))
  return []
}

/** Reports the second use of what `keyOf` answers. */
export function distinct(items: readonly Json[], keyOf: (item: Json) => string, path: string, out: Errors): void {
  const seen = new Set<string>()
  items.forEach((item, i) => {
    const found = keyOf(item)
    if (seen.has(found)) out.push(duplicate(index(path, i), found))
    seen.add(found)
  })
}

/** As {@link distinct}, where upstream compares declaratively: the whole item, of a type of `resource.k8s.io`, is shown. */
export function distinctItems(
  items: readonly Json[],
  keyOf: (item: Json) => string,
  type: string,
  path: string,
  out: Errors,
): void {
  const seen = new Set<string>()
  items.forEach((item, i) => {
    const found = keyOf(item)
    if (seen.has(found)) {
      const info = typeTable.type(`io.k8s.api.resource.v1.${type}`)
      out.push(duplicate(index(path, i), normalize(item, info).object))
    }
    seen.add(found)
  })
}

/** Calls back with the entries of a map and their paths, where long keys are cut in the middle. */
export function entriesAt(
  map: Json,
  longest: number,
  path: string,
  visit: (name: string, value: Json, path: string) => void,
): void {
  for (const [name, value] of entriesOf(map)) visit(name, value, key(path, shortened(name, longest)))
}

function shortened(name: string, longest: number): string {
  if (name.length <= longest) return name
  const rest = longest - 3
  return `${name.slice(0, Math.floor((rest + 1) / 2))}...${name.slice(name.length - Math.floor(rest / 2))}`
}
