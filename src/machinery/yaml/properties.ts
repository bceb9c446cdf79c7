/** Directives, anchors and tags. */
import type { Cursor } from './cursor.ts'
import { readWord } from './cursor.ts'

/** What a `%` line says; undefined for one that says nothing of documents. */
export type Directive =
  | { readonly type: 'version'; readonly major: number; readonly minor: number }
  | { readonly type: 'tag'; readonly handle: string; readonly prefix: string }

export function readDirective(c: Cursor): Directive {
  c.skip()
  const name = readWord(c)
  if (name === '') throw c.error('could not find expected directive name')
  if (!c.isGap()) throw c.error('found unexpected non-alphabetical character')
  if (name !== 'YAML' && name !== 'TAG') throw c.error('found unknown directive name')
  const directive = name === 'YAML' ? readVersion(c) : readTagDirective(c)
  c.endLine()
  return directive
}

function readVersion(c: Cursor): Directive {
  c.skipBlanks()
  const major = readNumber(c)
  if (!c.is('.')) throw c.error("did not find expected digit or '.' character")
  c.skip()
  return { type: 'version', major, minor: readNumber(c) }
}

const MAX_DIGITS = 2

function readNumber(c: Cursor): number {
  let digits = ''
  while (c.code() >= 0x30 && c.code() <= 0x39) {
    if (digits.length === MAX_DIGITS) throw c.error('found extremely long version number')
    digits += c.text[c.at]!
    c.skip()
  }
  if (digits === '') throw c.error('did not find expected version number')
  return Number(digits)
}

function readTagDirective(c: Cursor): Directive {
  c.skipBlanks()
  const handle = readHandle(c)
  if (handle !== '!' && !handle.endsWith('!')) throw c.error("did not find expected '!'")
  if (!c.isBlank()) throw c.error('did not find expected whitespace')
  c.skipBlanks()
  const prefix = readUri(c, '')
  if (!c.isGap()) throw c.error('did not find expected whitespace or line break')
  return { type: 'tag', handle, prefix }
}

const AFTER_ANCHOR = /[?:,\]}%@`]/

/** The name of an anchor or alias. */
export function readAnchor(c: Cursor): string {
  c.skip()
  const name = readWord(c)
  if (name === '' || !(c.isGap() || AFTER_ANCHOR.test(c.text[c.at]!)))
    throw c.error('did not find expected alphabetic or numeric character')
  return name
}

/** A tag: what its handle stands for is not known here. */
export interface Tag {
  /** `` of a verbatim tag, `!`, `!!` or `!name!`. */
  readonly handle: string
  readonly suffix: string
}

export function readTag(c: Cursor): Tag {
  const tag = c.is('<', 1) ? readVerbatim(c) : readShorthand(c)
  if (!c.isGap()) throw c.error('did not find expected whitespace or line break')
  return tag
}

function readVerbatim(c: Cursor): Tag {
  c.skip()
  c.skip()
  const suffix = readUri(c, '')
  if (!c.is('>')) throw c.error("did not find the expected '>'")
  c.skip()
  return { handle: '', suffix }
}

function readShorthand(c: Cursor): Tag {
  const handle = readHandle(c)
  if (handle.length > 1 && handle.endsWith('!')) return { handle, suffix: readUri(c, '') }
  const suffix = readUri(c, handle)
  return suffix === '' ? { handle: '', suffix: '!' } : { handle: '!', suffix }
}

function readHandle(c: Cursor): string {
  if (!c.is('!')) throw c.error("did not find expected '!'")
  c.skip()
  const name = readWord(c)
  if (!c.is('!')) return `!${name}`
  c.skip()
  return `!${name}!`
}

const URI = /[0-9A-Za-z_\-;/?:@&=+$,.!~*'()[\]]/

/** @param head what was read of it already, behind a `!` */
function readUri(c: Cursor, head: string): string {
  let uri = head.slice(1)
  let some = head !== ''
  for (; !c.isEnd(); some = true) {
    if (c.is('%')) uri += readEscapes(c)
    else if (URI.test(c.text[c.at]!)) {
      uri += c.text[c.at]!
      c.skip()
    } else break
  }
  if (!some) throw c.error('did not find expected tag URI')
  return uri
}

const OCTETS = /(?:%[0-9a-fA-F]{2})+/y

/** Escaped octets in a row, which are UTF-8. */
function readEscapes(c: Cursor): string {
  OCTETS.lastIndex = c.at
  const found = OCTETS.exec(c.text)?.[0]
  if (found === undefined) throw c.error('did not find URI escaped octet')
  try {
    const text = decodeURIComponent(found)
    c.skipTo(c.at + found.length)
    return text
  } catch {
    throw c.error('found an incorrect leading UTF-8 octet')
  }
}
