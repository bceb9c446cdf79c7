/**
 * YAML request bodies, read as upstream reads them: YAML 1.1 in the manner of go-yaml v2 (`yes`, `on` and `y` are
 * booleans, as keys too; timestamps stay text; merge keys work), then turned into JSON. One document a body: where
 * upstream reads the first and silently drops the rest, more than one is refused here.
 */
import { goSyntax } from '../apply/gotext.ts'
import { YamlError } from '../yaml/error.ts'
import { type MappingNode, type Node, type ScalarNode, readDocument } from '../yaml/tree.ts'
import { DecodeError } from './error.ts'
import { setOwn } from './exact.ts'
import type { Decoded } from './json.ts'
import { resolvePlain } from './yaml-scalar.ts'

/** Deeper documents are refused. */
const MAX_DEPTH = 500
/** From this many values on, a document must not consist of repeated anchors nearly alone, as in go-yaml. */
const ALIAS_GRACE = 100
const MAX_ALIAS_RATIO = 0.99
/** However many values a document makes of its anchors, more than this is too much. */
const MAX_ALIAS_VALUES = 400_000

/** Decodes one YAML document to JSON. @throws DecodeError */
export function decodeYaml(text: string): Decoded {
  const { root, more } = parse(text)
  if (more) throw new DecodeError('yaml: the body holds more than one document')
  const composer = new Composer()
  const value = root === undefined ? null : composer.value(root)
  return { value, problems: composer.duplicates.length === 0 ? NONE : [duplicateKeys(composer.duplicates)] }
}

const NONE: readonly string[] = []

function parse(text: string): ReturnType<typeof readDocument> {
  try {
    return readDocument(text, MAX_DEPTH)
  } catch (error) {
    if (error instanceof YamlError) throw new DecodeError(`yaml: ${error.message}`)
    throw error
  }
}

/** More duplicates than this are not told. */
const MAX_DUPLICATES = 100

/** One text for all keys that stand more than once, as go-yaml's strict decoding words it. */
function duplicateKeys(found: readonly { readonly line: number; readonly key: string }[]): string {
  const texts = found.map(({ line, key }) => `\n  line ${line}: key ${key} already set in map`)
  return `yaml: unmarshal errors:${texts.join('')}`
}

/** Builds JSON from the tree; every use of an anchor is built anew. */
class Composer {
  /** Keys that stood before in the same mapping, as Go shows them, with the line of their value. */
  readonly duplicates: { readonly line: number; readonly key: string }[] = []
  private readonly anchors = new Map<string, Node>()
  /** Anchors whose value is being built. */
  private readonly open = new Set<Node>()
  private values = 0
  private aliased = 0
  private inAlias = 0

  value(node: Node): unknown {
    this.count()
    switch (node.kind) {
      case 'alias':
        return this.alias(node.name)
      case 'scalar':
        this.remember(node)
        return scalarValue(node)
      case 'sequence': {
        this.enter(node)
        const out = node.items.map((item) => this.value(item))
        this.open.delete(node)
        return out
      }
      default: {
        this.enter(node)
        const out = this.mapping(node)
        this.open.delete(node)
        return out
      }
    }
  }

  private count(): void {
    this.values++
    if (this.inAlias === 0) return
    this.aliased++
    const tooMany = this.values > ALIAS_GRACE && this.aliased / this.values > MAX_ALIAS_RATIO
    if (tooMany || this.aliased > MAX_ALIAS_VALUES) throw new DecodeError('yaml: document contains excessive aliasing')
  }

  private remember(node: Exclude<Node, { kind: 'alias' }>): void {
    if (node.anchor !== undefined) this.anchors.set(node.anchor, node)
  }

  private enter(node: Exclude<Node, { kind: 'alias' }>): void {
    this.remember(node)
    this.open.add(node)
  }

  private alias(name: string): unknown {
    const target = this.target(name)
    this.inAlias++
    const out = this.value(target)
    this.inAlias--
    return out
  }

  private target(name: string): Node {
    const target = this.anchors.get(name)
    if (target === undefined) throw new DecodeError(`yaml: unknown anchor '${name}' referenced`)
    if (this.open.has(target)) throw new DecodeError(`yaml: anchor '${name}' value contains itself`)
    return target
  }

  private mapping(node: MappingNode): Record<string, unknown> {
    const out: Record<string, unknown> = {}
    const merges: Node[] = []
    const own = new Set<string>()
    for (const { key, value } of node.items) {
      if (isMerge(key)) {
        merges.push(value)
        continue
      }
      const name = this.key(key, value)
      setOwn(out, name, this.value(value))
      if (own.has(name) && this.duplicates.length < MAX_DUPLICATES)
        this.duplicates.push({ line: value.line, key: shownKey(key, name) })
      own.add(name)
    }
    for (const merge of merges) this.merge(merge, out)
    return out
  }

  /** `<<`: fields that are not set come from another mapping, or from several, of which earlier ones win. */
  private merge(node: Node, out: Record<string, unknown>): void {
    const source = node.kind === 'alias' ? this.target(node.name) : node
    const list = source.kind === 'sequence' ? source.items : [node]
    for (const item of list) {
      const from = this.value(item)
      if (typeof from !== 'object' || from === null || Array.isArray(from)) {
        throw new DecodeError('yaml: map merge requires map or sequence of maps as the value')
      }
      for (const [name, value] of Object.entries(from)) {
        if (!Object.hasOwn(out, name)) setOwn(out, name, value)
      }
    }
  }

  private key(node: Node, of: Node): string {
    const key = this.value(node)
    switch (typeof key) {
      case 'string':
        return key
      case 'number':
      case 'boolean':
        return String(key)
      default:
        if (key === null)
          throw new DecodeError(
            `unsupported map key of type: %!s(<nil>), key: <nil>, value: ${goSyntax(this.value(of))}`,
          )
        if (JSON.isRawJSON(key)) return JSON.stringify(key)
        throw new DecodeError(`yaml: invalid map key: ${goSyntax(key).replaceAll('map[string]', 'map[interface {}]')}`)
    }
  }
}

function shownKey(key: Node, name: string): string {
  const plain = key.kind === 'scalar' && typeof scalarValue(key) !== 'string'
  return plain ? name : JSON.stringify(name)
}

function isMerge(key: Node): boolean {
  return key.kind === 'scalar' && key.text === '<<' && key.plain && key.tag === undefined
}

function scalarValue(node: ScalarNode): unknown {
  const tag = node.tag?.replace('tag:yaml.org,2002:', '!!')
  if (tag === undefined) return node.plain ? resolvePlain(node.text) : node.text
  switch (tag) {
    case '!!int':
    case '!!float':
    case '!!bool':
    case '!!null': {
      const value = resolvePlain(node.text)
      if (TYPES[tag].includes(value === null ? 'null' : JSON.isRawJSON(value) ? 'number' : typeof value)) return value
      throw new DecodeError(`yaml: cannot decode !!str \`${node.text}\` as a ${tag}`)
    }
    case '!!binary':
      if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(node.text)) {
        throw new DecodeError('yaml: !!binary value contains invalid base64 data')
      }
      return Buffer.from(node.text, 'base64').toString('utf8')
    default:
      return node.text
  }
}

const TYPES = { '!!int': ['number'], '!!float': ['number'], '!!bool': ['boolean'], '!!null': ['null'] }
