/** Which of several failed alternatives explains the failure: upstream tells the errors of the one with most checks. */
import { isObject, own } from './props.ts'
import type { SchemaProps } from './props.ts'

/** The index of the alternative that looks at most of the value; the first of those that look at as much. */
export function bestOf(alternatives: readonly SchemaProps[], value: unknown): number {
  let best = 0
  let most = -1
  for (const [i, schema] of alternatives.entries()) {
    const count = matchCount(schema, value)
    if (count > most) [best, most] = [i, count]
  }
  return best
}

/** As go-openapi counts: one for each validator that applies, some of which count themselves. */
function matchCount(schema: SchemaProps, value: unknown): number {
  if (value === null || value === undefined) return 1
  // The properties' validator, the enumeration's, and the value itself.
  let count = 4
  for (const one of schema.allOf ?? []) count += matchCount(one, value)
  for (const several of [schema.anyOf, schema.oneOf]) {
    if (several !== undefined) count += Math.max(0, ...several.map((one) => matchCount(one, value)))
  }
  const { format = '', items } = schema
  if (typeof value === 'string') return count + (format === '' ? 1 : 4)
  if (format !== '') count++
  if (Array.isArray(value)) {
    count += 2
    if (items !== undefined) for (const item of value) count += matchCount(items, item)
  } else if (isObject(value)) {
    count++
    for (const [name, property] of Object.entries(schema.properties ?? {})) {
      if (Object.hasOwn(value, name)) count += matchCount(property, own(value, name))
    }
  } else if (typeof value !== 'boolean') count += 2
  return count
}
