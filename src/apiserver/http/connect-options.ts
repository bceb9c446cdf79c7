/** The options of a connection, which stand in its query: a PodExecOptions and the like, as admission sees them. */
import { normalize } from '../../machinery/codec/normalize.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { FieldInfo } from '../../machinery/types/table.ts'
import type { SubresourceInfo } from '../../machinery/types/table.ts'
import type { Query } from './query.ts'

/** `rest`: what stands behind the subresource in the path. @throws StatusError 400 */
export function connectOptions(subresource: SubresourceInfo, query: Query, rest: readonly string[]): KubeObject {
  const { group, version, kind } = subresource
  const head = { kind, apiVersion: group === '' ? version : `${group}/${version}` }
  const type = typeTable.kind(group, version, kind)
  if (type === undefined) return { ...head, metadata: {} }
  const given: Record<string, unknown> = { ...head }
  for (const field of type.fields) {
    const texts = query.all(field.name)
    if (texts.length > 0 && field.name !== 'kind' && field.name !== 'apiVersion')
      given[field.name] = valueOf(field, texts)
  }
  if (type.byName.has('path') && rest.length > 0) given['path'] = `/${rest.join('/')}`
  return normalize(given, type).object as KubeObject
}

function valueOf({ kind, container }: FieldInfo, texts: readonly string[]): unknown {
  const values = texts.map((text) => {
    if (kind === 'bool') return !['false', '0'].includes(text.toLowerCase())
    if (kind !== 'int32' && kind !== 'int64') return text
    const number = Number(text)
    if (text !== '' && Number.isSafeInteger(number)) return number
    throw errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  })
  return container === 'list' ? values : values[0]
}
