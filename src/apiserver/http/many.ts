/** Answers that show objects of many members in another form than the stored one: made on the helper thread. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Entry } from '../../store/contract.ts'
import type { Seat } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Form } from '../large/contract.ts'
import { loaded, textOf } from '../large/many.ts'
import { onThread } from '../large/thread.ts'

/** An item of a list that has many members. */
export interface ManyItem {
  /** Its text, or its message, as it stands in a list. */
  render(form: Form): Promise<Buffer>
}

export const isMany = (item: object): item is ManyItem => item instanceof StoredItem || item instanceof MadeItem

/** An item that is stored. */
export class StoredItem implements ManyItem {
  readonly #entry: Entry
  readonly #typed: boolean
  readonly #seat: Seat | undefined

  /** @param typed whether the item says its kind */
  constructor(entry: Entry, typed: boolean, seat: Seat | undefined) {
    this.#entry = entry
    this.#typed = typed
    this.#seat = seat
  }

  render(form: Form): Promise<Buffer> {
    return rendered(this.#entry, form, this.#seat, this.#typed ? 'typed' : 'bare')
  }
}

/** An item that is made of a stored object: a row, or its metadata alone. */
export class MadeItem implements ManyItem {
  readonly #entry: Entry
  readonly #make: (object: KubeObject) => object
  readonly #seat: Seat | undefined

  constructor(entry: Entry, make: (object: KubeObject) => object, seat: Seat | undefined) {
    this.#entry = entry
    this.#make = make
    this.#seat = seat
  }

  async render(form: Form): Promise<Buffer> {
    await loaded(this.#entry, this.#seat)
    return renderedObject(this.#make(objectOf(this.#entry)), form, this.#seat, 'typed')
  }
}

/** A stored object in a form; `item` of a list that says its kind or not. */
export function rendered(entry: Entry, form: Form, seat: Seat | undefined, item?: 'typed' | 'bare'): Promise<Buffer> {
  return renderedText(entry.bytes.toString('utf8'), form, seat, item)
}

/** An object that is not stored, in a form. */
export async function renderedObject(
  object: object,
  form: Form,
  seat: Seat | undefined,
  item?: 'typed',
): Promise<Buffer> {
  const text = await textOf(object, seat)
  return form === 'json' ? Buffer.from(text) : renderedText(text, form, seat, item)
}

async function renderedText(
  text: string,
  form: Form,
  seat: Seat | undefined,
  item: 'typed' | 'bare' | undefined,
): Promise<Buffer> {
  const made = await onThread(seat, 'render', { text, form, ...(item !== undefined && { item }) })
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength)
}
