import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { inflateSync, constants } from 'node:zlib'
import { SpdyClient } from './spdy.ts'

function started() {
  const [here, there] = duplexPair()
  const heard: string[] = []
  const client = new SpdyClient(here, Buffer.alloc(0), {
    data: (stream, piece) => heard.push(`${stream}: ${piece.toString()}`),
    end: (stream, whole) => heard.push(`${stream} ${whole ? 'ended' : 'reset'}`),
    close: () => heard.push('closed'),
  })
  const sent: Buffer[] = []
  there.on('data', (piece: Buffer) => sent.push(piece))
  return { client, there, heard, sent: () => Buffer.concat(sent) }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

test('streams are opened with headers in one zlib stream', async () => {
  const { client, sent } = started()
  assert.equal(client.open({ streamtype: 'error' }), 1)
  assert.equal(client.open({ streamtype: 'stdin' }), 3)
  await settle()
  const bytes = sent()
  let packed = Buffer.alloc(0)
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUIntBE(at + 5, 3)
    assert.equal(bytes.readUInt32BE(at), 0x80_03_00_01)
    packed = Buffer.concat([packed, bytes.subarray(at + 18, at + 8 + length)])
    at += 8 + length
  }
  const plain = inflateSync(packed, { finishFlush: constants.Z_SYNC_FLUSH })
  const pair = (value: string) => `\0\0\0\x01\0\0\0\x0astreamtype\0\0\0\x05${value}`
  assert.equal(plain.toString('latin1'), pair('error') + pair('stdin'))
})

test('frames are read wherever they are cut', async () => {
  const data = (stream: number, text: string, flags = 0) =>
    Buffer.concat([Buffer.from([0, 0, 0, stream, flags, 0, 0, text.length]), Buffer.from(text)])
  const control = (type: number, body: number[]) => Buffer.from([0x80, 3, 0, type, 0, 0, 0, body.length, ...body])
  const frames = Buffer.concat([
    control(2, [0, 0, 0, 3, 9, 9, 9]),
    data(3, 'abc'),
    control(6, [0, 0, 0, 2]),
    data(5, ''),
    data(3, 'd', 1),
    data(7, '', 1),
    control(3, [0, 0, 0, 5, 0, 0, 0, 5]),
    data(1, 'x'),
  ])
  for (const size of [1, 3, 8, frames.length]) {
    const { there, heard, sent } = started()
    for (let at = 0; at < frames.length; at += size) there.write(frames.subarray(at, at + size))
    await settle()
    const joined = heard.join(', ').replaceAll(/3: a, 3: b, 3: c|3: ab?, 3: b?c/g, '3: abc')
    assert.equal(joined, '3: abc, 3: d, 3 ended, 7 ended, 5 reset, 1: x', `pieces of ${size}`)
    // A ping is answered.
    assert.deepEqual([...sent()], [...control(6, [0, 0, 0, 2])])
    there.end()
    await settle()
    assert.equal(heard.at(-1), 'closed')
  }
})
