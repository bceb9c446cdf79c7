/** Simple paths into objects, as CustomResourceDefinitions have them: `.spec.replicas`. */
import type { KubeObject } from '../../machinery/object.ts'

const parts = (path: string): string[] => path.split('.').filter((part) => part !== '')

export function readPath(object: KubeObject, path: string): unknown {
  let value: unknown = object
  for (const part of parts(path)) {
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

/** Sets a value in place; objects on the way are made. */
export function writePath(object: KubeObject, path: string, value: unknown): void {
  const names = parts(path)
  let at: Record<string, unknown> = object
  for (const name of names.slice(0, -1)) {
    const inner = Object.hasOwn(at, name) ? at[name] : undefined
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) define(at, name, {})
    at = at[name] as Record<string, unknown>
  }
  define(at, names.at(-1)!, value)
}

function define(at: object, name: string, value: unknown): void {
  Object.defineProperty(at, name, { value, enumerable: true, configurable: true, writable: true })
}
