/** What every embedded resource needs: a type, and metadata as Kubernetes has it. */
import { child, index, invalid, key, required } from '../field.ts'
import { validateEmbeddedMetadata } from '../kinds/metadata.ts'
import { isDns1035Label } from '../names.ts'
import { isObject, own } from './props.ts'
import type { Data, SchemaProps } from './props.ts'
import type { Report } from './report.ts'

export type Embedded = (value: unknown, path: string, report: Report) => void

/**
 * The check of all embedded resources in a schema, undefined when there is none.
 *
 * @param root the schema itself is none
 */
export function compileEmbedded(schema: SchemaProps, root: boolean): Embedded | undefined {
  const itself = !root && schema['x-kubernetes-embedded-resource'] === true
  const properties = new Map<string, Embedded | undefined>()
  for (const [name, inner] of Object.entries(schema.properties ?? {}))
    properties.set(name, compileEmbedded(inner, false))
  const { additionalProperties } = schema
  const additional = typeof additionalProperties === 'object' ? compileEmbedded(additionalProperties, false) : undefined
  const items = schema.items === undefined ? undefined : compileEmbedded(schema.items, false)
  const any = [...properties.values(), additional, items].some((check) => check !== undefined)
  if (!itself && !any) return undefined
  return (value, path, report) => {
    if (report.full) return
    if (Array.isArray(value)) {
      if (items !== undefined) for (let i = 0; i < value.length; i++) items(value[i], index(path, i), report)
    } else if (isObject(value)) {
      if (itself) check(value, path, report)
      if (!any) return
      for (const name of Object.keys(value)) {
        if (properties.has(name)) properties.get(name)?.(value[name], child(path, name), report)
        else additional?.(value[name], key(path, name), report)
      }
    }
  }
}

function check(data: Data, path: string, report: Report): void {
  for (const name of ['apiVersion', 'kind']) if (!Object.hasOwn(data, name)) report.push(required(child(path, name)))
  const apiVersion = own(data, 'apiVersion')
  const versionAt = child(path, 'apiVersion')
  if (apiVersion !== undefined) {
    if (typeof apiVersion !== 'string') report.push(invalid(versionAt, apiVersion, 'must be a string'))
    else if (apiVersion === '') report.push(invalid(versionAt, apiVersion, 'must not be empty'))
    else if (apiVersion.split('/').length > 2)
      report.push(invalid(versionAt, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  }
  const kind = own(data, 'kind')
  const kindAt = child(path, 'kind')
  if (kind !== undefined) {
    if (typeof kind !== 'string') report.push(invalid(kindAt, kind, 'must be a string'))
    else if (kind === '') report.push(invalid(kindAt, kind, 'must not be empty'))
    else {
      const messages = isDns1035Label(kind.toLowerCase())
      if (messages.length > 0) {
        const detail = `may have mixed case, but should otherwise match: ${messages.join(',')}`
        report.push(invalid(kindAt, kind, detail))
      }
    }
  }
  if (!Object.hasOwn(data, 'metadata')) return
  report.push(...validateEmbeddedMetadata(data['metadata'], child(path, 'metadata')))
}
