/** Answers that show objects of many members in another form than the stored one: made on the helper thread. */
import type { Entry } from '../../store/contract.ts'
import type { Seat } from '../contract.ts'
import type { Form } from '../large/contract.ts'
import { onThread } from '../large/thread.ts'

/** An item of a list that has many members. */
export class ManyItem {
  readonly #entry: Entry
  readonly #typed: boolean
  readonly #seat: Seat | undefined

  /** @param typed whether the item says its kind */
  constructor(entry: Entry, typed: boolean, seat: Seat | undefined) {
    this.#entry = entry
    this.#typed = typed
    this.#seat = seat
  }

  /** Its text, or its message, as it stands in a list. */
  render(form: Form): Promise<Buffer> {
    return rendered(this.#entry, form, this.#seat, this.#typed ? 'typed' : 'bare')
  }
}

/** A stored object in a form; `item` of a list that says its kind or not. */
export async function rendered(
  entry: Entry,
  form: Form,
  seat: Seat | undefined,
  item?: 'typed' | 'bare',
): Promise<Buffer> {
  const text = entry.bytes.toString('utf8')
  const made = await onThread(seat, 'render', { text, form, ...(item !== undefined && { item }) })
  return Buffer.from(made.buffer, made.byteOffset, made.byteLength)
}
