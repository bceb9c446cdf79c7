/** Answers that show objects of many members in another form than the stored one: made on the helper thread. */
import type { KubeObject } from '../../machinery/object.ts'
import type { Entry } from '../../store/contract.ts'
import type { Seat } from '../contract.ts'
import { objectOf } from '../contract.ts'
import type { Form } from '../large/contract.ts'
import { loaded, textOf } from '../large/many.ts'
import { onThread } from '../large/thread.ts'

/** An item of a list that has many members. */
export class ManyItem {
  /** Its text, or its message, as it stands in a list. */
  readonly render: (form: Form) => Promise<Buffer>

  private constructor(render: (form: Form) => Promise<Buffer>) {
    this.render = render
  }

  /** One that is stored. @param typed whether it says its kind */
  static stored(entry: Entry, typed: boolean, seat: Seat | undefined): ManyItem {
    return new ManyItem((form) => rendered(entry, form, seat, typed ? 'typed' : 'bare'))
  }

  /** One that is made of a stored object: a row, or its metadata alone. */
  static made(entry: Entry, make: (object: KubeObject) => object, seat: Seat | undefined): ManyItem {
    return new ManyItem(async (form) => {
      await loaded(entry, seat)
      return renderedObject(make(objectOf(entry)), form, seat, 'typed')
    })
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
