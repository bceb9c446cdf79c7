/** Field selectors (`apimachinery/pkg/fields`): `metadata.name=x,status.phase!=Running`. */
import { SelectorError } from './labels.ts'

export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Splits at commas that no backslash protects. */
function terms(text: string): string[] {
  const out: string[] = []
  let from = 0
  let escaped = false
  for (let i = 0; i < text.length; i++) {
    const c = text[i]
    if (escaped) escaped = false
    else if (c === '\\') escaped = true
    else if (c === ',') {
      out.push(text.slice(from, i))
      from = i + 1
    }
  }
  out.push(text.slice(from))
  return out
}

function unescape(text: string): string {
  if (!/[\\,=]/.test(text)) return text
  let out = ''
  let escaped = false
  for (const c of text) {
    if (escaped) {
      if (c !== '\\' && c !== ',' && c !== '=') {
        throw new SelectorError(`invalid field selector: invalid escape sequence: \\${c}`)
      }
      out += c
      escaped = false
    } else if (c === '\\') {
      escaped = true
    } else if (c === ',' || c === '=') {
      throw new SelectorError(`invalid field selector: unescaped character in value: ${c.codePointAt(0)}`)
    } else {
      out += c
    }
  }
  if (escaped) throw new SelectorError('invalid field selector: invalid escape sequence: \\')
  return out
}

/** The form of a value inside a selector text. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, String.raw`\$&`)
}

/**
 * The requirements, all of which must hold, in the sorted order of their texts.
 * `==` is read as `=`. Which fields exist is the caller's business.
 *
 * @throws SelectorError
 */
export function parseFieldSelector(text: string): readonly FieldRequirement[] {
  if (text === '') return []
  const out: FieldRequirement[] = []
  for (const term of terms(text).sort()) {
    if (term === '') continue
    const at = term.search(/!=|=/)
    if (at < 0) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`)
    const operator = term[at] === '!' ? '!=' : '='
    const length = operator === '!=' || term[at + 1] === '=' ? 2 : 1
    const [field, value] = [term.slice(0, at), unescape(term.slice(at + length))]
    // What names nothing asks nothing.
    if (field !== '' || value !== '') out.push({ field, operator, value })
  }
  return out
}

/** Whether an object with these field values matches. A field that `read` does not know counts as ''. */
export function matchesFields(
  requirements: readonly FieldRequirement[],
  read: (field: string) => string | undefined,
): boolean {
  for (const { field, operator, value } of requirements) {
    if (((read(field) ?? '') === value) !== (operator === '=')) return false
  }
  return true
}
