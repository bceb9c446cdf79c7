/** Lists as text for people, YAML or indented JSON, an item at a time: a large one never blocks the event loop for long. */
import { writeYaml } from '../../machinery/codec/yaml-write.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import type { Listed, ServedResource } from '../contract.ts'
import { objectOf } from '../contract.ts'

/** A list's shape: what stands before its items, their field, and the items. */
export interface ListForm {
  readonly head: object
  readonly field: 'items' | 'rows'
  readonly items: Iterable<object>
  /** What stands for no items at all. @default '[]' */
  readonly nothing?: 'null'
}

/** metadata of a list. */
export function listMetadata(listed: Listed): object {
  return {
    resourceVersion: listed.resourceVersion,
    ...(listed.continue === undefined ? {} : { continue: listed.continue }),
    ...(listed.remainingItemCount === undefined ? {} : { remainingItemCount: listed.remainingItemCount }),
  }
}

/** A list of whole objects. Items of built-in kinds do not say their kind again. */
export function listForm(resource: ServedResource, listed: Listed): ListForm {
  const { info, custom } = resource
  function* items(): Generator<object> {
    for (const entry of listed.entries) {
      const object = objectOf(entry)
      if (custom === undefined) {
        const { kind: _kind, apiVersion: _apiVersion, ...rest } = object
        yield rest
      } else yield object
    }
  }
  const head = { kind: info.listKind, apiVersion: apiVersionOf(info), metadata: listMetadata(listed) }
  return { head, field: 'items', items: items() }
}

/** Pieces of compact JSON. */
export function* jsonPieces({ head, field, items, nothing }: ListForm): Generator<Buffer> {
  const opening = `${JSON.stringify(head).slice(0, -1)},"${field}":`
  let before = `${opening}[`
  for (const item of items) {
    yield Buffer.from(before + JSON.stringify(item))
    before = ','
  }
  yield Buffer.from(before === ',' ? ']}\n' : `${opening}${nothing ?? '[]'}}\n`)
}

/** Pieces of YAML. */
export function* yamlPieces({ head, field, items }: ListForm): Generator<Buffer> {
  let before = `${writeYaml(head)}${field}:`
  for (const item of items) {
    yield Buffer.from(`${before}\n- ${writeYaml(item, 2).slice(0, -1)}`)
    before = ''
  }
  yield Buffer.from(before === '' ? '\n' : `${before} []\n`)
}

/** Pieces of JSON with an indentation of two. */
export function* prettyPieces({ head, field, items }: ListForm): Generator<Buffer> {
  let before = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "${field}": [`
  let after = ']\n}'
  for (const item of items) {
    yield Buffer.from(`${before}\n    ${JSON.stringify(item, null, 2).replaceAll('\n', '\n    ')}`)
    before = ','
    after = '\n  ]\n}'
  }
  yield Buffer.from(before === ',' ? after : before + after)
}
