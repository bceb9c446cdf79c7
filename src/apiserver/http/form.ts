/** Lists as text for people, YAML or indented JSON, an item at a time: a large one never blocks the event loop for long. */
import { writeYaml } from '../../machinery/codec/yaml-write.ts'
import { apiVersionOf } from '../../machinery/object.ts'
import type { Listed, Seat, ServedResource } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Form } from '../large/contract.ts'
import { holdsMany } from '../large/many.ts'
import { ManyItem } from './many.ts'

/** An item as it comes: what has many members is waited for. */
export type Item = object | ManyItem

/** A piece of an answer, or what becomes one. */
export type Piece = Buffer | Promise<Buffer>

function pieceOf(item: Item, form: Form, before: string, text: (item: object) => string): Piece {
  if (item instanceof ManyItem) return item.render(form).then((bytes) => Buffer.concat([Buffer.from(before), bytes]))
  return Buffer.from(before + text(item))
}

/** An item of a list in YAML, behind its sign. */
export const yamlItem = (item: object): string => writeYaml(item, 2).slice(0, -1)

/** An item of a list in indented JSON. */
export const prettyItem = (item: object): string => JSON.stringify(item, null, 2).replaceAll('\n', '\n    ')

/** A list's shape: what stands before its items, their field, and the items. */
export interface ListForm {
  readonly head: object
  readonly field: 'items' | 'rows'
  readonly items: Iterable<Item>
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
export function listForm(resource: ServedResource, listed: Listed, seat: Seat | undefined): ListForm {
  const { info, custom } = resource
  function* items(): Generator<Item> {
    for (const entry of listed.entries) {
      if (holdsMany(entry)) {
        yield ManyItem.stored(entry, custom !== undefined, seat)
        continue
      }
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
export function* jsonPieces({ head, field, items, nothing }: ListForm): Generator<Piece> {
  const opening = `${JSON.stringify(head).slice(0, -1)},"${field}":`
  let before = `${opening}[`
  for (const item of items) {
    yield pieceOf(item, 'json', before, JSON.stringify)
    before = ','
  }
  yield Buffer.from(before === ',' ? ']}\n' : `${opening}${nothing ?? '[]'}}\n`)
}

/** Pieces of YAML. */
export function* yamlPieces({ head, field, items }: ListForm): Generator<Piece> {
  let before = `${writeYaml(head)}${field}:`
  for (const item of items) {
    yield pieceOf(item, 'yaml', `${before}\n- `, yamlItem)
    before = ''
  }
  yield Buffer.from(before === '' ? '\n' : `${before} []\n`)
}

/** Pieces of JSON with an indentation of two. */
export function* prettyPieces({ head, field, items }: ListForm): Generator<Piece> {
  let before = `${JSON.stringify(head, null, 2).slice(0, -2)},\n  "${field}": [`
  let after = ']\n}'
  for (const item of items) {
    yield pieceOf(item, 'pretty', `${before}\n    `, prettyItem)
    before = ','
    after = '\n  ]\n}'
  }
  yield Buffer.from(before === ',' ? after : before + after)
}
