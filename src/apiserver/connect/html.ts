/** References in HTML that came through a proxy. Tags that hold none are passed on byte by byte. */
import { pipeline, type Readable } from 'node:stream'
import { createDeflateRaw, createGunzip, createGzip, createInflateRaw } from 'node:zlib'

/** Attributes that hold one URL: the tags of HTML 4 and 5 that upstream's proxy looks at. */
const ATTRIBUTES: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
}

/** What stands in these is no markup. */
const RAW = new Set(['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes', 'noscript'])
/** Characters of a tag that is waited for; a longer one is passed on as it is. */
const LONGEST = 8192
const TAG = /^<([A-Za-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/
// The value is optional, so that no character is looked at twice.
const ATTRIBUTE = /([^\s=/>"']+)(?:(\s*=\s*)("[^"]*"|'[^']*'|[^\s>"']+))?/g

/** Gives each reference to `rewrite`. Text comes in pieces of any size. */
export class HtmlRewriter {
  readonly #rewrite: (reference: string) => string
  #waiting = ''
  /** The end of what is passed over: a comment, or the text of a raw element. */
  #until: string | undefined

  constructor(rewrite: (reference: string) => string) {
    this.#rewrite = rewrite
  }

  push(piece: string): string {
    const text = this.#waiting + piece
    let lower: string | undefined
    let out = ''
    let at = 0
    for (;;) {
      if (this.#until !== undefined) {
        lower ??= text.toLowerCase()
        const end = lower.indexOf(this.#until, at)
        const next = end < 0 ? Math.max(at, text.length - this.#until.length + 1) : end
        out += text.slice(at, next)
        at = next
        if (end < 0) break
        this.#until = undefined
        continue
      }
      const open = text.indexOf('<', at)
      if (open < 0) {
        out += text.slice(at)
        at = text.length
        break
      }
      out += text.slice(at, open)
      at = open
      if (text.startsWith('<!--', at)) {
        out += '<!--'
        at += 4
        this.#until = '-->'
        continue
      }
      const window = text.slice(at, at + LONGEST)
      const tag = TAG.exec(window)
      if (tag !== null) {
        out += this.#tag(tag)
        at += tag[0].length
        continue
      }
      const begins = /^<(?:$|!-?$|[A-Za-z])/.test(window)
      if (begins && window.length < LONGEST) break
      const passed = begins ? window : '<'
      out += passed
      at += passed.length
    }
    this.#waiting = text.slice(at)
    return out
  }

  end(): string {
    return this.#waiting
  }

  #tag([whole, name = '', attributes = '']: RegExpExecArray): string {
    const tag = name.toLowerCase()
    if (RAW.has(tag) && !attributes.endsWith('/')) this.#until = `</${tag}`
    const wanted = Object.hasOwn(ATTRIBUTES, tag) ? ATTRIBUTES[tag]! : undefined
    if (wanted === undefined) return whole
    const rewritten = attributes.replaceAll(ATTRIBUTE, (all, key: string, equals = '', given?: string) => {
      if (given === undefined || !wanted.includes(key.toLowerCase())) return all
      const quoted = given.startsWith('"') || given.startsWith("'")
      const value = unescape(quoted ? given.slice(1, -1) : given)
      const now = this.#rewrite(value)
      return now === value ? all : `${key}${equals}"${escape(now)}"`
    })
    return `<${name}${rewritten}>`
  }
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

const unescape = (text: string): string =>
  text.replaceAll(/&(?:#([0-9]{1,7})|(amp|lt|gt|quot|apos));/g, (all, code: string | undefined, name = '') => {
    if (code === undefined) return NAMED[name] ?? all
    return Number(code) < 128 ? String.fromCharCode(Number(code)) : all
  })

const escape = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (c) => (c === '&' ? '&amp;' : c === '<' ? '&lt;' : c === '>' ? '&gt;' : '&#34;'))

/**
 * The body with its references rewritten, packed as it was; undefined for an encoding that is not known here.
 * @param encoding its Content-Encoding
 */
export function rewrittenBody(
  body: Readable,
  encoding: string | undefined,
  rewrite: (reference: string) => string,
): AsyncIterable<unknown> | undefined {
  // One character a byte: what is passed on stays as it is, whatever its charset.
  async function* rewritten(source: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    const rewriter = new HtmlRewriter(rewrite)
    for await (const piece of source) yield Buffer.from(rewriter.push(piece.toString('latin1')), 'latin1')
    yield Buffer.from(rewriter.end(), 'latin1')
  }
  // The reader of the result hears of a failure.
  const heard = (): void => undefined
  if (encoding === undefined || encoding === '') return rewritten(body)
  if (encoding === 'gzip') return pipeline(body, createGunzip(), rewritten, createGzip(), heard)
  if (encoding === 'deflate') return pipeline(body, createInflateRaw(), rewritten, createDeflateRaw(), heard)
  return undefined
}
