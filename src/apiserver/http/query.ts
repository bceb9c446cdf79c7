/** The text behind `?`, read as Go's `url.ParseQuery` and Kubernetes' option conversion read it. */
import { errors } from '../../machinery/status.ts'

/** Decodes one query component; undefined when the percent-encoding is broken (such a pair is dropped). */
function decode(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

/** A whole number of 64 bits, in the words of Go's parser. @throws StatusError 400 */
export function wholeNumber(text: string): number {
  const wrong = (why: string) => errors.badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`)
  if (!/^[+-]?[0-9]+$/.test(text)) throw wrong('invalid syntax')
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw wrong('value out of range')
  return number
}

export class Query {
  readonly #values = new Map<string, string[]>()
  /** The text as sent. */
  readonly text: string

  constructor(text: string) {
    this.text = text
    if (text === '') return
    for (const pair of text.split('&')) {
      if (pair === '' || pair.includes(';')) continue
      const equals = pair.indexOf('=')
      const name = decode(equals === -1 ? pair : pair.slice(0, equals))
      const value = equals === -1 ? '' : decode(pair.slice(equals + 1))
      if (name === undefined || value === undefined) continue
      const values = this.#values.get(name)
      if (values === undefined) this.#values.set(name, [value])
      else values.push(value)
    }
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  /** The first value. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  /** `watch` alone is true; `0` and `false` are false. Undefined when absent. */
  flag(name: string): boolean | undefined {
    const value = this.get(name)
    if (value === undefined) return undefined
    const lower = value.toLowerCase()
    return lower !== 'false' && lower !== '0'
  }

  /**
   * A whole number of 64 bits. Undefined when absent or empty.
   * @throws StatusError 400
   */
  integer(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined || value === '') return undefined
    return wholeNumber(value)
  }
}
