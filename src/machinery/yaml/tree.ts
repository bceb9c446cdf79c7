/** The tree of a YAML document, built as libyaml and go-yaml build theirs, with their errors. */
import { YamlError } from './error.ts'
import { Scanner, type Bare, type Token } from './scanner.ts'
import type { Tag } from './properties.ts'

/** A value as it is written. `line` counts from 1. */
export type Node = AliasNode | ScalarNode | SequenceNode | MappingNode

export interface AliasNode {
  readonly kind: 'alias'
  readonly name: string
  readonly line: number
}

interface Tagged {
  readonly line: number
  readonly anchor?: string
  /** Whole, such as `tag:yaml.org,2002:str`. */
  readonly tag?: string
}

export interface ScalarNode extends Tagged {
  readonly kind: 'scalar'
  readonly text: string
  /** Not in quotes, and no block. */
  readonly plain: boolean
}

export interface SequenceNode extends Tagged {
  readonly kind: 'sequence'
  readonly items: readonly Node[]
}

export interface MappingNode extends Tagged {
  readonly kind: 'mapping'
  readonly items: readonly { readonly key: Node; readonly value: Node }[]
}

/** What `go-yaml`'s reader refuses. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]/

/**
 * Reads the first document of a text.
 *
 * @param maxDepth of collections in each other
 * @returns its root, undefined when there is none; and whether something follows it
 * @throws YamlError
 */
export function readDocument(
  text: string,
  maxDepth: number,
): { readonly root: Node | undefined; readonly more: boolean } {
  if (CONTROL.test(text)) throw new YamlError('control characters are not allowed')
  return new Parser(text, maxDepth).document()
}

type Type = Token['type']

const DEFAULT_TAGS: readonly (readonly [string, string])[] = [
  ['!', '!'],
  ['!!', 'tag:yaml.org,2002:'],
]

class Parser {
  private readonly tokens: Scanner
  private readonly maxDepth: number
  private readonly tags = new Map<string, string>()
  private depth = 0

  constructor(text: string, maxDepth: number) {
    this.tokens = new Scanner(text)
    this.maxDepth = maxDepth
  }

  document(): { root: Node | undefined; more: boolean } {
    const root = this.root()
    while (this.next() === 'document end') this.tokens.take()
    return { root, more: this.next() !== 'stream end' }
  }

  private root(): Node | undefined {
    if (this.next() === 'stream end') return undefined
    const bare = this.next() !== 'directive' && this.next() !== 'document start'
    this.directives()
    if (bare) return this.node(true, false)
    if (this.next() !== 'document start') throw this.wrong('did not find expected <document start>')
    const { start } = this.tokens.take()
    const ends: readonly Type[] = ['directive', 'document start', 'document end', 'stream end']
    return ends.includes(this.next()) ? empty(start.line) : this.node(true, false)
  }

  private directives(): void {
    let version = false
    for (let token = this.tokens.peek(); token.type === 'directive'; token = this.tokens.peek()) {
      const { directive } = token
      if (directive.type === 'version') {
        if (version) throw this.wrong('found duplicate %YAML directive')
        if (directive.major !== 1 || directive.minor !== 1) throw this.wrong('found incompatible YAML document')
        version = true
      } else {
        if (this.tags.has(directive.handle)) throw this.wrong('found duplicate %TAG directive')
        this.tags.set(directive.handle, directive.prefix)
      }
      this.tokens.take()
    }
    for (const [handle, prefix] of DEFAULT_TAGS) if (!this.tags.has(handle)) this.tags.set(handle, prefix)
  }

  private next(): Type {
    return this.tokens.peek().type
  }

  /** What a parser says of the next token. */
  private wrong(problem: string): YamlError {
    return new YamlError(problem, this.tokens.peek().start.line)
  }

  private node(block: boolean, indentless: boolean): Node {
    const first = this.tokens.peek()
    if (first.type === 'alias') {
      this.tokens.take()
      return { kind: 'alias', name: first.name, line: first.start.line + 1 }
    }
    const properties = this.properties()
    const own = { line: first.start.line + 1, ...properties }
    const token = this.tokens.peek()
    if (indentless && token.type === '-') return { kind: 'sequence', items: this.indentless(), ...own }
    switch (token.type) {
      case 'scalar':
        this.tokens.take()
        return { kind: 'scalar', text: token.text, plain: token.plain, ...own }
      case '[':
        return { kind: 'sequence', items: this.within(() => this.flowSequence()), ...own }
      case '{':
        return { kind: 'mapping', items: this.within(() => this.flowMapping()), ...own }
      case 'block sequence':
        if (block) return { kind: 'sequence', items: this.within(() => this.blockSequence()), ...own }
        break
      case 'block mapping':
        if (block) return { kind: 'mapping', items: this.within(() => this.blockMapping()), ...own }
        break
      default:
    }
    if (properties.anchor === undefined && properties.tag === undefined)
      throw this.wrong('did not find expected node content')
    return { kind: 'scalar', text: '', plain: true, ...own }
  }

  private within<T>(read: () => T): T {
    if (++this.depth > this.maxDepth) throw new YamlError(`exceeded max depth of ${this.maxDepth}`)
    this.tokens.take()
    const out = read()
    this.depth--
    return out
  }

  /** An anchor and a tag, in either order. */
  private properties(): { anchor?: string; tag?: string } {
    const out: { anchor?: string; tag?: string } = {}
    for (;;) {
      const token = this.tokens.peek()
      if (token.type === 'anchor' && out.anchor === undefined) out.anchor = token.name
      else if (token.type === 'tag' && out.tag === undefined) out.tag = this.resolve(token.tag)
      else return out
      this.tokens.take()
    }
  }

  private resolve({ handle, suffix }: Tag): string {
    if (handle === '') return suffix
    const prefix = this.tags.get(handle)
    if (prefix === undefined) throw this.wrong('found undefined tag handle')
    return prefix + suffix
  }

  private item(block: boolean, indentless: boolean, ...ends: readonly Bare[]): Node {
    const token = this.tokens.peek()
    return (ends as readonly Type[]).includes(token.type) ? empty(this.last) : this.node(block, indentless)
  }

  /** The line of the indicator before a value that is left out. */
  private last = 0

  /** Takes an indicator. */
  private pass(): void {
    this.last = this.tokens.take().start.line
  }

  private blockSequence(): Node[] {
    const items: Node[] = []
    while (this.next() === '-') {
      this.pass()
      items.push(this.item(true, false, '-', 'block end'))
    }
    if (this.next() !== 'block end') throw this.wrong("did not find expected '-' indicator")
    this.tokens.take()
    return items
  }

  private indentless(): Node[] {
    if (++this.depth > this.maxDepth) throw new YamlError(`exceeded max depth of ${this.maxDepth}`)
    const items: Node[] = []
    while (this.next() === '-') {
      this.pass()
      items.push(this.item(true, false, '-', '?', ':', 'block end'))
    }
    this.depth--
    return items
  }

  private blockMapping(): { key: Node; value: Node }[] {
    const items: { key: Node; value: Node }[] = []
    while (this.next() === '?') {
      this.pass()
      const key = this.item(true, true, '?', ':', 'block end')
      items.push({ key, value: this.valueOf(key, true, '?', ':', 'block end') })
    }
    if (this.next() !== 'block end') throw this.wrong('did not find expected key')
    this.tokens.take()
    return items
  }

  private valueOf(key: Node, block: boolean, ...ends: readonly Bare[]): Node {
    if (this.next() !== ':') return empty(key.line - 1)
    this.pass()
    return this.item(block, block, ...ends)
  }

  /** Passes the comma before an item that is not the first; false at the end. */
  private more(items: readonly unknown[], end: ']' | '}'): boolean {
    if (items.length > 0 && this.next() !== end) {
      if (this.next() !== ',') throw this.wrong(`did not find expected ',' or '${end}'`)
      this.pass()
    }
    if (this.next() !== end) return true
    this.tokens.take()
    return false
  }

  private flowSequence(): Node[] {
    const items: Node[] = []
    while (this.more(items, ']')) {
      if (this.next() !== '?') {
        items.push(this.node(false, false))
        continue
      }
      const line = this.tokens.peek().start.line + 1
      this.pass()
      const key = this.item(false, false, ':', ',', ']')
      items.push({ kind: 'mapping', items: [{ key, value: this.valueOf(key, false, ',', ']') }], line })
    }
    return items
  }

  private flowMapping(): { key: Node; value: Node }[] {
    const items: { key: Node; value: Node }[] = []
    while (this.more(items, '}')) {
      if (this.next() === '?') {
        this.pass()
        const key = this.item(false, false, ':', ',', '}')
        items.push({ key, value: this.valueOf(key, false, ',', '}') })
      } else {
        const key = this.node(false, false)
        items.push({ key, value: empty(key.line - 1) })
      }
    }
    return items
  }
}

/** @param line from 0 */
function empty(line: number): ScalarNode {
  return { kind: 'scalar', text: '', plain: true, line: line + 1 }
}
