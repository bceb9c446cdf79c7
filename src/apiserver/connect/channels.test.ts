import assert from 'node:assert/strict'
import { duplexPair } from 'node:stream'
import { test } from 'node:test'
import { Channels } from './channels.ts'

/** A frame as clients send it. */
function frame(first: number, payload: Buffer | string): Buffer {
  const bytes = Buffer.from(payload)
  const mask = Buffer.from([1, 2, 3, 4])
  const length = bytes.length < 126 ? [bytes.length | 0x80] : [126 | 0x80, bytes.length >> 8, bytes.length & 255]
  return Buffer.concat([Buffer.from([first, ...length]), mask, bytes.map((byte, i) => byte ^ mask[i % 4]!)])
}

function started() {
  const [here, there] = duplexPair()
  const heard: string[] = []
  const channels = new Channels(here, 'head\n', {
    data: (channel, piece) => heard.push(`${channel}: ${piece.toString()}`),
    end: (channel) => heard.push(`${channel} ended`),
    close: () => heard.push('closed'),
  })
  let sent = Buffer.alloc(0)
  there.on('data', (piece: Buffer) => (sent = Buffer.concat([sent, piece])))
  there.on('error', () => undefined)
  return { channels, there, heard, sent: () => sent }
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

test('messages go to their channels, in pieces as they come', async () => {
  const frames = Buffer.concat([
    frame(0x82, '\x00abc'),
    frame(0x02, '\x04d'),
    frame(0x89, 'ping'),
    frame(0x80, 'e'),
    frame(0x82, ''),
    frame(0x82, Buffer.from([255, 0])),
  ])
  for (const size of [1, 4, frames.length]) {
    const { there, heard, sent } = started()
    for (let at = 0; at < frames.length; at += size) there.write(Buffer.from(frames.subarray(at, at + size)))
    await settle()
    const said = (channel: number) =>
      heard.flatMap((each) => (each.startsWith(`${channel}: `) ? [each.slice(3)] : [])).join('')
    assert.deepEqual([said(0), said(4), heard.at(-1)], ['abc', 'de', '0 ended'], `pieces of ${size}`)
    assert.equal(sent().toString('latin1'), 'head\n\x8a\x04ping')
  }
})

test('what is written carries its channel; the end is said', async () => {
  const { channels, there, heard, sent } = started()
  channels.write(1, Buffer.from('out'))
  channels.write(3, Buffer.alloc(0))
  channels.close()
  channels.write(1, Buffer.from('late'))
  await settle()
  assert.equal(sent().toString('latin1'), 'head\n\x82\x04\x01out\x82\x01\x03\x88\x02\x03\xe8')
  there.destroy()
  await settle()
  assert.equal(heard.at(-1), 'closed')
})

test('a client that does not mask its frames is let go', async () => {
  const { there, heard } = started()
  there.write(Buffer.from([0x82, 1, 0]))
  await settle()
  assert.deepEqual(heard, ['closed'])
})
