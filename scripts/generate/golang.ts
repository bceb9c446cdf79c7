/** Reads type and constant declarations of a gofmt-formatted Go package: just what API types use. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A Go type expression. */
export type GoType =
  | { form: 'name'; package: string; name: string }
  | { form: 'pointer'; of: GoType }
  | { form: 'list'; of: GoType }
  | { form: 'map'; key: GoType; of: GoType }
  | { form: 'other'; text: string }

export interface GoField {
  /** The Go name; for an embedded type the type's name. */
  name: string
  embedded: boolean
  type: GoType
  tags: ReadonlyMap<string, string>
  markers: readonly string[]
}

export interface GoDeclaration {
  name: string
  package: string
  alias: boolean
  markers: readonly string[]
  /** For structs. */
  fields?: readonly GoField[]
  /** For others. */
  underlying?: GoType
}

export interface GoConstant {
  name: string
  type: GoType
  /** A literal, or another constant. */
  value: string | { package: string; name: string }
}

export interface GoPackage {
  path: string
  types: ReadonlyMap<string, GoDeclaration>
  constants: readonly GoConstant[]
  /** Markers of the package comment in doc.go. */
  markers: readonly string[]
}

const SKIP = /_test\.go$|^zz_generated|^generated\.|_swagger_doc_generated\.go$|_fuzz\.go$|_string\.go$/

/**
 * Parses the package in a folder; `path` is its import path. Fields without tags are left out: only API fields have tags;
 * `tagless` is for upstream's internal types, whose fields have none.
 */
export function parsePackage(path: string, folder: string, tagless = false): GoPackage {
  const types = new Map<string, GoDeclaration>()
  const constants: GoConstant[] = []
  let markers: string[] = []
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.go') || SKIP.test(file)) continue
    const lines = withoutBlockComments(readFileSync(join(folder, file), 'utf8')).split('\n')
    const parsed = new FileParser(path, lines, tagless)
    parsed.run()
    for (const declaration of parsed.types) types.set(declaration.name, declaration)
    constants.push(...parsed.constants)
    if (file === 'doc.go') markers = lines.map(markerOf).filter((m) => m !== undefined)
  }
  return { path, types, constants, markers }
}

/** Block comments that begin a line, whose place stays as empty line comments. */
function withoutBlockComments(text: string): string {
  return text.replace(/^[ \t]*\/\*[\s\S]*?\*\//gm, (block) => block.replace(/.*/g, '//'))
}

function markerOf(line: string): string | undefined {
  return /^\s*\/\/\s*\+(.*?)\s*$/.exec(line)?.[1]
}

class FileParser {
  readonly types: GoDeclaration[] = []
  readonly constants: GoConstant[] = []
  private readonly path: string
  private readonly lines: readonly string[]
  private readonly imports = new Map<string, string>()
  private markers: string[] = []
  private readonly tagless: boolean
  private at = 0

  constructor(path: string, lines: readonly string[], tagless: boolean) {
    this.path = path
    this.lines = lines
    this.tagless = tagless
  }

  run(): void {
    for (; this.at < this.lines.length; this.at++) {
      const line = this.lines[this.at]!
      const marker = markerOf(line)
      if (marker !== undefined) this.markers.push(marker)
      if (/^\s*\/\//.test(line)) continue
      if (line.startsWith('import ')) this.importBlock(line)
      else if (line.startsWith('const ')) this.constBlock(line)
      else if (line.startsWith('type ')) this.typeLine(line)
      this.markers = []
    }
  }

  private *block(): Iterable<string> {
    for (this.at++; this.at < this.lines.length && !/^[)}]/.test(this.lines[this.at]!); this.at++) {
      yield this.lines[this.at]!
    }
  }

  private importBlock(line: string): void {
    const add = (text: string): void => {
      const m = /^\s*(?:(\w+)\s+)?"([^"]+)"/.exec(text)
      if (m !== null) this.imports.set(m[1] ?? m[2]!.split('/').at(-1)!, m[2]!)
    }
    if (!line.includes('(')) add(line.slice('import'.length))
    else for (const inner of this.block()) add(inner)
  }

  private constBlock(line: string): void {
    const add = (text: string): void => {
      // `Name Type = value` and `Name = Type(value)`
      const m = /^\s*(\w+)\s+([\w.]+)\s*=\s*(.+?)\s*(?:\/\/.*)?$/.exec(text)
      const n = /^\s*(\w+)\s*=\s*([\w.]+)\((.+?)\)\s*(?:\/\/.*)?$/.exec(text)
      const [, name, type, value] = m ?? n ?? []
      if (name === undefined || type === undefined || value === undefined) return
      const literal = this.constant(value)
      if (literal !== undefined) this.constants.push({ name, type: this.expression(type), value: literal })
    }
    if (!line.includes('(') || line.includes('=')) add(line.slice('const'.length))
    else for (const inner of this.block()) add(inner)
  }

  /** A string literal or a reference to another constant, also within a conversion. */
  private constant(text: string): GoConstant['value'] | undefined {
    if (/^"(?:[^"\\]|\\.)*"$/.test(text)) return JSON.parse(text) as string
    if (/^`[^`]*`$/.test(text)) return text.slice(1, -1)
    const inner = /^[\w.]+\((.+)\)$/.exec(text)
    if (inner !== null) return this.constant(inner[1]!)
    const type = this.expression(text)
    return type.form === 'name' && !/^\d/.test(text) ? { package: type.package, name: type.name } : undefined
  }

  private typeLine(line: string): void {
    const markers = this.markers
    const struct = /^type (\w+) struct ?\{(\})?/.exec(line)
    if (struct !== null) {
      const fields = struct[2] === undefined ? this.fields() : []
      this.types.push({ name: struct[1]!, package: this.path, alias: false, markers, fields })
      return
    }
    const other = /^type (\w+) (= )?([^{]+?)(?:\s*\/\/.*)?$/.exec(line)
    if (other === null) return
    const underlying = this.expression(other[3]!)
    this.types.push({ name: other[1]!, package: this.path, alias: other[2] !== undefined, markers, underlying })
  }

  private fields(): GoField[] {
    const out: GoField[] = []
    let markers: string[] = []
    for (const line of this.block()) {
      const marker = markerOf(line)
      if (marker !== undefined) markers.push(marker)
      if (/^\s*\/\//.test(line)) continue
      if (line.trim() === '') {
        markers = []
        continue
      }
      if (this.tagless || line.includes('`')) out.push(this.field(line, markers))
      markers = []
    }
    return out
  }

  private field(line: string, markers: readonly string[]): GoField {
    const m = /^\s*(?:(\w+)\s+)?([^\s`/]+(?:\s*\{\})?)\s*(?:`([^`]*)`)?\s*(?:\/\/.*)?$/.exec(line)
    if (m === null) throw new Error(`${this.path}: cannot read field: ${line}`)
    const tags = new Map<string, string>()
    for (const tag of (m[3] ?? '').matchAll(/(\w+):"([^"]*)"/g)) tags.set(tag[1]!, tag[2]!)
    const type = this.expression(m[2]!)
    const embedded = m[1] === undefined
    const name = m[1] ?? nameOf(type)
    return { name, embedded, type, tags, markers }
  }

  private expression(text: string): GoType {
    if (text.startsWith('*')) return { form: 'pointer', of: this.expression(text.slice(1)) }
    if (text.startsWith('[]')) return { form: 'list', of: this.expression(text.slice(2)) }
    const map = /^map\[([^\]]+)\](.+)$/.exec(text)
    if (map !== null) return { form: 'map', key: this.expression(map[1]!), of: this.expression(map[2]!) }
    const name = /^(?:(\w+)\.)?(\w+)$/.exec(text)
    if (name === null) return { form: 'other', text }
    const owner = name[1] === undefined ? this.path : (this.imports.get(name[1]) ?? name[1])
    return { form: 'name', package: owner, name: name[2]! }
  }
}

function nameOf(type: GoType): string {
  if (type.form === 'name') return type.name
  if (type.form === 'pointer') return nameOf(type.of)
  throw new Error('an embedded field must have a named type')
}
