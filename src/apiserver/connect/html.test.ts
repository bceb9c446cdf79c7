import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { HtmlRewriter, rewrittenBody } from './html.ts'

const rewrite = (reference: string): string => (reference.startsWith('/') ? `/p${reference}` : reference)

function whole(text: string, size = text.length): string {
  const rewriter = new HtmlRewriter(rewrite)
  let out = ''
  for (let at = 0; at < text.length; at += size) out += rewriter.push(text.slice(at, at + size))
  return out + rewriter.end()
}

const PAGE = `<!doctype html><html manifest=/m><head><title>a <a href="/no"> b</title></head>
<body background='/bg.png' data-x="/no"><!-- <a href="/no"> --><a class=x href = "/a?b=1&amp;c=2">a</a>
<a href="https://elsewhere/">b</a><IMG SRC=/i.png alt="1 > 0"><script src="/s.js">"<a href='/no'>" < 1</script>
<form action="/f"></form> 1 < 2 <br/>`

const REWRITTEN = PAGE.replace('manifest=/m', 'manifest="/p/m"')
  .replace("background='/bg.png'", 'background="/p/bg.png"')
  .replace('href = "/a?', 'href = "/p/a?')
  .replace('SRC=/i.png', 'SRC="/p/i.png"')
  .replace('src="/s.js"', 'src="/p/s.js"')
  .replace('action="/f"', 'action="/p/f"')

test('references are rewritten, everything else stays as it is', () => {
  assert.equal(whole(PAGE), REWRITTEN)
})

test('pieces may end anywhere', () => {
  for (const size of [1, 2, 3, 7, 64]) assert.equal(whole(PAGE, size), REWRITTEN, `pieces of ${size}`)
})

test('what never ends is passed on, in little time', () => {
  for (const part of ['<a ', '<a "', '<!--', '<a \'"', '<script>', '</', '< ']) {
    const text = part.repeat(400_000 / part.length)
    const before = process.cpuUsage().user
    assert.ok(whole(text, 65_536) === text, part)
    const spent = (process.cpuUsage().user - before) / 1000
    assert.ok(spent < 500, `${JSON.stringify(part)} took ${spent} ms`)
  }
})

test('a packed body is packed again; an unknown packing is left alone', async () => {
  const body = rewrittenBody(Readable.from([gzipSync(PAGE)]), 'gzip', rewrite)!
  const pieces: Buffer[] = []
  for await (const piece of body) pieces.push(piece as Buffer)
  assert.equal(gunzipSync(Buffer.concat(pieces)).toString('latin1'), REWRITTEN)
  assert.equal(rewrittenBody(Readable.from(['x']), 'br', rewrite), undefined)
})
