/** Small tools for plain JSON values that other people wrote: `__proto__` is an ordinary key. */

export type JsonObject = { [key: string]: unknown }

/** Whether a value is a JSON object. Exact numbers (JSON.rawJSON) are not. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value)
}

/** An own property, or `undefined`. */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}

/** Assigns without ever touching a prototype. */
export function put(object: JsonObject, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true })
}

/** What tells apart JSON types; exact numbers count as numbers. */
export function jsonType(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value)) return 'array'
  return JSON.isRawJSON(value) ? 'number' : typeof value
}

const GO_TYPES: Readonly<Record<string, string>> = {
  object: 'map[string]interface {}',
  array: '[]interface {}',
  boolean: 'bool',
  number: 'int64',
}

/** The Go type of a decoded value, which some of upstream's errors contain. */
export function goType(value: unknown): string {
  const type = jsonType(value)
  return GO_TYPES[type] ?? type
}

/** A value as Go's `%v` prints it, which some of upstream's errors contain. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (isObject(value)) {
    const keys = Object.keys(value).sort()
    return `map[${keys.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`
  }
  return JSON.isRawJSON(value) ? JSON.stringify(value) : String(value as string | number | boolean)
}
