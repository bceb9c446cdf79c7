/** Named formats: `format.dns1123Label().validate(x)`. */
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
  maskTrailingDash,
} from '../../names.ts'
import { formatCheck } from '../../schema/formats.ts'
import type { Overload } from '../overload.ts'
import { overload } from '../overload.ts'
import { ArrayList, NONE, Opaque, Optional } from '../values.ts'
import { UrlError, parseRequestUri } from './go-url.ts'

/** Errors of a text; none when it fits. */
type Check = (text: string) => readonly string[]

export class FormatValue extends Opaque {
  readonly type = 'kubernetes.NamedFormat'
  readonly name: string
  readonly check: Check
  readonly #weight: number
  constructor(name: string, check: Check, weight: number) {
    super()
    this.name = name
    this.check = check
    this.#weight = weight
  }
  override get weight(): number {
    return this.#weight
  }
  override equals(other: FormatValue): boolean {
    return this.name === other.name
  }
}

function prefix(check: Check): Check {
  return (text) => check(maskTrailingDash(text))
}

function known(format: string, message: string): Check {
  const fits = formatCheck(format)!
  return (text) => (fits(text) ? [] : [message])
}

function uri(text: string): readonly string[] {
  try {
    parseRequestUri(text)
    return []
  } catch (error) {
    if (!(error instanceof UrlError)) throw error
    return [error.message]
  }
}

const FORMATS: ReadonlyMap<string, FormatValue> = new Map(
  (
    [
      ['dns1123Label', 'DNS1123Label', isDns1123Label, 30],
      ['dns1123Subdomain', 'DNS1123Subdomain', isDns1123Subdomain, 60],
      ['dns1035Label', 'DNS1035Label', isDns1035Label, 30],
      ['qualifiedName', 'QualifiedName', isQualifiedName, 60],
      ['dns1123LabelPrefix', 'DNS1123LabelPrefix', prefix(isDns1123Label), 30],
      ['dns1123SubdomainPrefix', 'DNS1123SubdomainPrefix', prefix(isDns1123Subdomain), 60],
      ['dns1035LabelPrefix', 'DNS1035LabelPrefix', prefix(isDns1035Label), 30],
      ['labelValue', 'LabelValue', isLabelValue, 40],
      ['uri', 'URI', uri, 1103],
      ['uuid', 'uuid', known('uuid', 'does not match the UUID format'), 70],
      ['byte', 'byte', known('byte', 'invalid base64'), 84],
      ['date', 'date', known('date', 'invalid date'), 71],
      ['datetime', 'datetime', known('datetime', 'invalid datetime'), 71],
    ] as const
  ).map(([key, name, check, weight]) => [key, new FormatValue(name, check, weight)]),
)

const FORMAT = 'kubernetes.NamedFormat'

export const NAMED_FORMATS: readonly Overload[] = [
  ...Array.from(FORMATS, ([key, value]) => overload(`format.${key}`, `format.${key}`, `(): ${FORMAT}`, () => value)),
  overload('format.named', 'format-named', `(string): optional(${FORMAT})`, (_, name: string) => {
    const value = FORMATS.get(name)
    return value === undefined ? NONE : new Optional(true, value)
  }),
  overload(
    'validate',
    'format-validate',
    `${FORMAT}.(string): optional(list(string))`,
    (c, format: FormatValue, text: string) => {
      c.labour(200 + text.length * 20)
      const errors = format.check(text)
      return errors.length === 0 ? NONE : new Optional(true, new ArrayList([...errors]))
    },
  ),
]
