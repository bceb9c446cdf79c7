/** Selectable fields. */
import type { KubeObject } from '../object.ts'
import { isSet } from './json.ts'
import type { Json } from './json.ts'

/** Reads a field as field selectors see it; an absent one is the zero value. */
export function fieldText(...path: readonly [string, ...string[]]): (object: KubeObject) => string {
  return (object) => {
    let value: Json = object
    for (const step of path) value = isSet(value) ? value[step] : undefined
    return isSet(value) ? String(value) : ''
  }
}

/** As {@link fieldText}, for numbers and booleans. */
export function fieldTextOr(zero: string, ...path: readonly [string, ...string[]]): (object: KubeObject) => string {
  const text = fieldText(...path)
  return (object) => text(object) || zero
}
