/** Differences that were judged harmless, each with its reason. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'
import { CLASSES, type Difference } from './compare.ts'

/** As it stands in harmless.yaml. Texts between slashes are regular expressions over the whole, others are compared. */
export interface HarmlessText {
  /** Kinds: `v1/Pod`; absent: all. */
  kinds?: string[]
  /** Of the case's id. */
  case?: string
  class: string
  path?: string
  real?: string
  ours?: string
  /** Whether a whole run may come without it. @default no */
  sometimes?: true
  reason: string
}

export class Harmless {
  readonly #entries: {
    text: HarmlessText
    hit: boolean
    matches: (kind: string, id: string, d: Difference) => boolean
  }[]

  constructor(entries: readonly HarmlessText[]) {
    this.#entries = entries.map((text) => ({ text, hit: false, matches: matcher(text) }))
  }

  static read(): Harmless {
    const text = readFileSync(join(import.meta.dirname, 'harmless.yaml'), 'utf8')
    return new Harmless((load(text) ?? []) as HarmlessText[])
  }

  has(kind: string, id: string, difference: Difference): boolean {
    const found = this.#entries.filter((entry) => entry.matches(kind, id, difference))
    for (const entry of found) entry.hit = true
    return found.length > 0
  }

  /** Those that nothing matched: they excuse what is no more. */
  unused(): HarmlessText[] {
    return this.#entries.filter((entry) => !entry.hit && entry.text.sometimes !== true).map((entry) => entry.text)
  }
}

function matcher(text: HarmlessText): (kind: string, id: string, d: Difference) => boolean {
  if (!(CLASSES as readonly string[]).includes(text.class))
    throw new Error(`harmless.yaml: unknown class ${text.class}`)
  if (!text.reason) throw new Error('harmless.yaml: an entry without a reason')
  if (text.case === undefined && text.path === undefined && text.real === undefined && text.ours === undefined)
    throw new Error(`harmless.yaml: an entry must say where: ${JSON.stringify(text)}`)
  const [id, path, real, ours] = [text.case, text.path, text.real, text.ours].map(test)
  return (kind, of, d) =>
    d.class === text.class &&
    (text.kinds?.includes(kind) ?? true) &&
    id!(of) &&
    path!(d.path) &&
    real!(d.real) &&
    ours!(d.ours)
}

function test(pattern: string | undefined): (value: string) => boolean {
  if (pattern === undefined) return () => true
  if (!/^\/.*\/$/s.test(pattern)) return (value) => value === pattern
  const regex = new RegExp(`^(?:${pattern.slice(1, -1)})$`, 's')
  return (value) => regex.test(value)
}
