/** The options of a connection, which stand in its query: a PodExecOptions and the like, as admission sees them. */
import { normalize } from '../../machinery/codec/normalize.ts'
import type { KubeObject } from '../../machinery/object.ts'
import { errors } from '../../machinery/status.ts'
import { typeTable } from '../../machinery/types/index.ts'
import type { FieldInfo } from '../../machinery/types/table.ts'
import type { SubresourceInfo } from '../../machinery/types/table.ts'
import { wholeNumber, type Query } from './query.ts'

/** `subpath`: what stands behind the subresource in the path, of those that have it. @throws StatusError 400 */
export function connectOptions(
  subresource: Pick<SubresourceInfo, 'group' | 'version' | 'kind'>,
  query: Query,
  subpath: string | undefined,
): KubeObject {
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
  if (subpath !== undefined) {
    delete given['path']
    if (subpath !== '') given['path'] = subpath
  }
  return normalize(given, type).object as KubeObject
}

function valueOf({ kind, container }: FieldInfo, texts: readonly string[]): unknown {
  const number = kind === 'int32' || kind === 'int64'
  if (number && container === 'list') return texts.flatMap((text) => text.split(',')).map(portOf)
  const values = texts.map((text) => {
    if (kind === 'bool') return !['false', '0'].includes(text.toLowerCase())
    return number ? wholeNumber(text) : text
  })
  return container === 'list' ? values : values[0]
}

/** Lists of numbers are ports; they may also stand in one text. */
function portOf(text: string): number {
  const wrong = (why: string) =>
    errors.badRequest(`cannot convert to []int32: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`)
  if (!/^[0-9]+$/.test(text)) throw wrong('invalid syntax')
  const number = Number(text)
  if (number > 65_535) throw wrong('value out of range')
  return number
}
