/** `fieldPath` of a validation rule, and selectable fields: dotted names, or `['name']`, that the schema knows. */
import { CONTROLS } from '../cel/unescape.ts'
import type { SchemaProps } from './props.ts'

/** What a path leads to. `text` as field errors write it: `spec.a[b]`. */
export type FoundPath =
  | { readonly ok: true; readonly text: string; readonly schema: SchemaProps }
  | { readonly ok: false; readonly why: string }

const ESCAPES: Readonly<Record<string, string>> = { ...CONTROLS, "'": "'", '\\': '\\' }

/** `.a['b.c']` → `.`, `a`, `[`, `'b.c'`, `]` */
function tokens(path: string): string[] {
  const out: string[] = []
  let at = 0
  while (at < path.length) {
    let end = at
    if (path[at] === "'") {
      end = at + 1
      while (end < path.length && !(path[end] === "'" && path[end - 1] !== '\\')) end++
      end++
    } else {
      while (end < path.length && !'.[]'.includes(path[end]!)) end++
      if (end === at) end++
    }
    out.push(path.slice(at, end))
    at = end
  }
  return out
}

function unescaped(text: string): string | undefined {
  let bad = false
  const out = text.replace(/\\./gs, (escape) => {
    const known = ESCAPES[escape[1]!]
    bad ||= known === undefined
    return known ?? ''
  })
  return bad ? undefined : out
}

/** @param brackets whether `['name']` is allowed */
export function findPath(path: string, root: SchemaProps, brackets: boolean): FoundPath {
  const bad = (why: string): FoundPath => ({ ok: false, why })
  const END = 'unexpected end of JSON path'
  let schema: SchemaProps = root
  let text = ''
  const list = tokens(path)
  for (let i = 0; i < list.length;) {
    const token = list[i++]!
    if (token !== '[' && token !== '.') return bad(`expected [ or . but got: ${token}`)
    const bracket = token === '['
    if (bracket && !brackets) return bad('array notation is not allowed')
    const raw = list[i++]
    if (raw === undefined) return bad(END)
    let name: string | undefined = raw
    if (bracket) {
      if (raw.length < 2 || !raw.startsWith("'") || !raw.endsWith("'"))
        return bad(`expected single quoted string but got ${raw}`)
      name = unescaped(raw.slice(1, -1))
      if (name === undefined) return bad('invalid string literal: invalid escape char')
    }
    const { properties, additionalProperties }: SchemaProps = schema
    if (properties !== undefined && Object.keys(properties).length > 0) {
      text = text === '' ? name : `${text}.${name}`
      if (!Object.hasOwn(properties, name)) return bad('does not refer to a valid field')
      schema = properties[name]!
    } else if (typeof additionalProperties === 'object') {
      text = `${text}[${name}]`
      schema = additionalProperties
    } else return bad('does not refer to a valid field')
    if (!bracket) continue
    const close = list[i++]
    if (close === undefined) return bad(END)
    if (close !== ']') return bad(`expected ] but got ${close}`)
  }
  return { ok: true, text, schema }
}
